"""Pictures on canvases: which of them go where in a view, and the canvas that is drawn of them."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from quantize.data import canvas as cv
from quantize.data.shards import Sample

Layout = tuple[list[int], list[cv.Placement]]
"""Positions in the list of samples, and where each of these lies on one canvas."""


@dataclass
class Canvas:
    """A drawn canvas and what lies where; `index` are positions in the list of samples."""

    pixels: NDArray[np.uint8]
    index: list[int]
    samples: list[Sample]
    placed: list[cv.Placement]

    @property
    def single(self) -> bool:
        return len(self.samples) == 1


def layouts(view: str, samples: list[Sample], size: int, rng: Generator) -> list[Layout]:
    """`plain`: as on the board; `augmented`: one picture; `mosaic`: four or nine pictures on one canvas."""
    if view == "plain":
        return [([i], [cv.plain(s.picture, size)]) for i, s in enumerate(samples)]
    found = []
    order = rng.permutation(len(samples)).tolist()
    while order:
        n = int(rng.choice([2, 3])) if view.startswith("mosaic") else 1
        index, order = order[: n * n], order[n * n :]
        cells = cv.grid(n, size)
        placed = [cv.augmented(samples[i].picture, samples[i].source, c, rng) for i, c in zip(index, cells, strict=False)]
        found.append((index, placed))
    return found


def draw(index: list[int], samples: list[Sample], placed: list[cv.Placement], size: int) -> Canvas:
    """`samples` as they are `placed` on a grey canvas of `size` pixels."""
    pixels = np.full((size, size, 3), cv.GREY, np.uint8)
    for sample, placement in zip(samples, placed, strict=True):
        placement.draw(sample.picture, pixels)
    return Canvas(pixels, index, samples, placed)
