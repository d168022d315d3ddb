"""Picture to network input, bit for bit what `src/preprocess/` does on the board."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY = 128
Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Letterbox:
    """How a picture of `source` pixels (width, height) lies inside the square input of `size` pixels.

    It is scaled by `min(S/w, S/h)` to `resized` pixels, halves rounded up, and centred at `offset`. Boxes are
    `x0, y0, x1, y1` in pixels; each axis uses the ratio of the resized side to the picture's.
    """

    source: tuple[int, int]
    size: int
    resized: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def of(cls, width: int, height: int, size: int) -> "Letterbox":
        if min(width, height, size) < 1:
            raise ValueError(f"letterbox: found {width}x{height} pixels into {size}x{size}, expected sides of at least 1")
        scale = min(size / width, size / height)
        w, h = (min(max(int(side * scale + 0.5), 1), size) for side in (width, height))
        return cls((width, height), size, (w, h), ((size - w) // 2, (size - h) // 2))

    def to_input(self, box: Rect) -> Rect:
        """A box of the picture, in input pixels."""

        def axis(v: float, i: int) -> float:
            return v * self.resized[i] / self.source[i] + self.offset[i]

        return axis(box[0], 0), axis(box[1], 1), axis(box[2], 0), axis(box[3], 1)

    def to_source(self, box: Rect) -> Rect:
        """A box of the input, in source pixels, clipped to the picture."""

        def axis(v: float, i: int) -> float:
            return min(max((v - self.offset[i]) * self.source[i] / self.resized[i], 0.0), float(self.source[i]))

        return axis(box[0], 0), axis(box[1], 1), axis(box[2], 0), axis(box[3], 1)

    @property
    def content(self) -> Rect:
        """Where the picture lies, in input pixels."""
        (x, y), (w, h) = self.offset, self.resized
        return float(x), float(y), float(x + w), float(y + h)


def letterbox(rgb: NDArray[np.uint8], size: int) -> tuple[NDArray[np.int8], Letterbox]:
    """RGB picture `[h, w, 3]` to the network's input `[3, size, size]`, `pixel - 128`, and how it lies there."""
    box = Letterbox.of(rgb.shape[1], rgb.shape[0], size)
    (x, y), (w, h) = box.offset, box.resized
    canvas = np.full((size, size, 3), GREY, np.uint8)
    # Two calls fix the order of the passes: from version 13 on, one call would start with the vertical pass where that is faster.
    wide = Image.fromarray(rgb).resize((w, rgb.shape[0]), Image.Resampling.BILINEAR)
    canvas[y : y + h, x : x + w] = np.asarray(wide.resize((w, h), Image.Resampling.BILINEAR))
    return np.ascontiguousarray((canvas ^ 0x80).view(np.int8).transpose(2, 0, 1)), box
