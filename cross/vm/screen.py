#!/usr/bin/env python3
"""The picture that the board shows on its screens: screen.py OUT writes its raw pixels.

check.py compares what the screens show with it.
"""

import base64
import gzip
import sys
from array import array
from pathlib import Path

WIDTH, HEIGHT = 640, 480
# Side of a single-coloured block, in pixels.
BLOCK = 40
BLACK = (0, 0, 0)

Colour = tuple[int, ...]


def colour(column: int, row: int) -> Colour:
    """The colour of a block: all different, none near black."""
    return (32 + column * 13, 250 - row * 19, 40 + (column * 37 + row * 71) % 200)


def pixels() -> bytes:
    """Packed RGB, row by row."""
    rows = [b"".join(bytes(colour(column, row)) * BLOCK for column in range(WIDTH // BLOCK)) for row in range(HEIGHT // BLOCK)]
    return b"".join(row * BLOCK for row in rows)


class Screen:
    """What a screen showed, as packed RGB, row by row."""

    def __init__(self, width: int, height: int, data: bytes) -> None:
        if len(data) != width * height * 3:
            raise ValueError(f"found {len(data)} bytes, expected {width * height * 3} of {width}x{height} pixels")
        self.width, self.height, self.data = width, height, data

    @classmethod
    def dump(cls, path: Path) -> "Screen":
        """From a portable pixmap (P6), as QEMU writes it."""
        magic, width, height, depth, data = path.read_bytes().split(maxsplit=4)
        if (magic, depth) != (b"P6", b"255"):
            raise ValueError(f"{path}: found {magic!r} of depth {depth!r}, expected a P6 of depth 255")
        return cls(int(width), int(height), data)

    @classmethod
    def memory(cls, text: str, width: int, height: int) -> "Screen":
        """From the start of a framebuffer of 16 bits per pixel, gzipped and base64-encoded."""
        words = array("H", gzip.decompress(base64.b64decode(text)))[: width * height]
        return cls(width, height, b"".join(bytes((word >> 8 & 0xF8, word >> 3 & 0xFC, word << 3 & 0xF8)) for word in words))

    def at(self, x: int, y: int) -> Colour:
        """Red, green and blue of a pixel."""
        start = (y * self.width + x) * 3
        return tuple(self.data[start : start + 3])

    def area(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a picture of this size, scaled to fit and centred."""
        scale = min(self.width / width, self.height / height)
        w, h = int(width * scale + 0.5), int(height * scale + 0.5)
        x, y = (self.width - w) // 2, (self.height - h) // 2
        return x, y, x + w, y + h

    def outside(self, area: tuple[int, int, int, int]) -> set[Colour]:
        """Colours around an area."""
        x0, y0, x1, y1 = area
        found: set[Colour] = set()
        for y in range(self.height):
            row = self.data[y * self.width * 3 : (y + 1) * self.width * 3]
            if y0 <= y < y1:
                row = row[: x0 * 3] + row[x1 * 3 :]
            found |= set(zip(row[::3], row[1::3], row[2::3], strict=True))
        return found

    def colours(self) -> set[Colour]:
        """All colours."""
        return self.outside((0, 0, 0, 0))


def rgb565(wide: Colour) -> Colour:
    """A colour reduced to 16 bits per pixel: 5, 6 and 5 bits."""
    red, green, blue = wide
    return (red & 0xF8, green & 0xFC, blue & 0xF8)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(pixels())
