"""Canvases: one or several pictures placed on the network's square input, so that boxes and masks move with the pixels.

A `Placement` is a replayable transform: the same placement maps the picture, its boxes and its masks.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

GREY = 128
MIN_VISIBLE = 0.5
Rect = tuple[float, float, float, float]

# squashed to a square from about 4:3; undone by aspect jitter
SQUASHED = frozenset({"flickr8k", "visual7w", "coco2014r"})


@dataclass(frozen=True)
class Placement:
    """`crop` (fractions of the picture) is drawn into `target` (canvas pixels, whole numbers), mirrored if `flip`."""

    crop: Rect
    target: tuple[int, int, int, int]
    flip: bool = False
    brightness: float = 1.0
    contrast: float = 1.0
    colour: float = 1.0

    def box(self, rect: Rect) -> Rect | None:
        """A box in fractions of the picture → canvas pixels; None when less than half of it stays visible."""
        cx0, cy0, cx1, cy1 = self.crop
        u = [(rect[0] - cx0) / (cx1 - cx0), (rect[2] - cx0) / (cx1 - cx0)]
        v = [(rect[1] - cy0) / (cy1 - cy0), (rect[3] - cy0) / (cy1 - cy0)]
        if self.flip:
            u = [1 - u[1], 1 - u[0]]
        whole = (u[1] - u[0]) * (v[1] - v[0])
        u, v = [min(max(a, 0.0), 1.0) for a in u], [min(max(a, 0.0), 1.0) for a in v]
        if whole <= 0 or (u[1] - u[0]) * (v[1] - v[0]) < MIN_VISIBLE * whole:
            return None
        x0, y0, x1, y1 = self.target
        return x0 + u[0] * (x1 - x0), y0 + v[0] * (y1 - y0), x0 + u[1] * (x1 - x0), y0 + v[1] * (y1 - y0)

    def point(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Canvas pixels → fractions of the picture (outside 0..1 where the canvas shows something else)."""
        x0, y0, x1, y1 = self.target
        u, v = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        if self.flip:
            u = 1 - u
        shown = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        cx0, cy0, cx1, cy1 = self.crop
        return np.where(shown, cx0 + u * (cx1 - cx0), -1.0), np.where(shown, cy0 + v * (cy1 - cy0), -1.0)

    def draw(self, picture: NDArray[np.uint8], canvas: NDArray[np.uint8]) -> None:
        h, w = picture.shape[:2]
        x0, y0, x1, y1 = self.target
        source = (self.crop[0] * w, self.crop[1] * h, self.crop[2] * w, self.crop[3] * h)
        image = Image.fromarray(picture).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=source)
        if self.flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        for enhance, by in (
            (ImageEnhance.Brightness, self.brightness),
            (ImageEnhance.Contrast, self.contrast),
            (ImageEnhance.Color, self.colour),
        ):
            if by != 1.0:
                image = enhance(image).enhance(by)
        canvas[y0:y1, x0:x1] = np.asarray(image)


def fit(width: float, height: float, cell: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The letterbox of a picture in a cell of the canvas."""
    x0, y0, x1, y1 = cell
    r = min((x1 - x0) / width, (y1 - y0) / height)
    w, h = max(1, int(width * r + 0.5)), max(1, int(height * r + 0.5))
    w, h = min(w, x1 - x0), min(h, y1 - y0)
    left, top = x0 + (x1 - x0 - w) // 2, y0 + (y1 - y0 - h) // 2
    return left, top, left + w, top + h


def plain(picture: NDArray[np.uint8], size: int) -> Placement:
    """What the board does: the whole picture, letterboxed."""
    h, w = picture.shape[:2]
    return Placement((0.0, 0.0, 1.0, 1.0), fit(w, h, (0, 0, size, size)))


def augmented(picture: NDArray[np.uint8], source: str, cell: tuple[int, int, int, int], rng: Generator) -> Placement:
    """Random crop, aspect, mirror and colour inside one cell of the canvas."""
    h, w = picture.shape[:2]
    crop = (0.0, 0.0, 1.0, 1.0)
    if rng.random() < 0.5:
        cw, ch = rng.uniform(0.6, 1.0, 2)
        left, top = rng.uniform(0, 1 - cw), rng.uniform(0, 1 - ch)
        crop = (left, top, left + cw, top + ch)
    aspect = rng.choice([4 / 3, 3 / 2, 3 / 4, 1.0], p=[0.45, 0.2, 0.15, 0.2]) if source in SQUASHED else 1.0
    aspect *= np.exp(rng.uniform(-0.15, 0.15))
    cw, ch = crop[2] - crop[0], crop[3] - crop[1]
    placed = Placement(crop, fit(w * cw * aspect, h * ch, cell), flip=bool(rng.random() < 0.5))
    if rng.random() < 0.6:
        b, c, s = np.exp(rng.uniform(-0.3, 0.3, 3))
        placed = replace(placed, brightness=float(b), contrast=float(c), colour=float(s))
    return placed


def grid(n: int, size: int) -> list[tuple[int, int, int, int]]:
    """n x n cells that tile the canvas."""
    edge = [round(i * size / n) for i in range(n + 1)]
    return [(edge[c], edge[r], edge[c + 1], edge[r + 1]) for r in range(n) for c in range(n)]
