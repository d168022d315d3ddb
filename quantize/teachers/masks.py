"""Label maps at low resolution."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.data.shards import Sample
from quantize.data.soft_labels import Arrays
from quantize.teachers.tflite import SquareNet, version

CELLS = 64
PURE = 0.75
"""Share of a cell's pixels that its class must have; less is a border between things."""
UNSURE = 255


def majority(classes: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """The class of each of `CELLS` x `CELLS` cells of a square map of classes below `count`, `UNSURE` where none prevails."""
    side = len(classes) // CELLS * CELLS
    blocks = classes[:side, :side].reshape(CELLS, side // CELLS, CELLS, side // CELLS).swapaxes(1, 2).reshape(CELLS, CELLS, -1)
    votes = np.stack([(blocks == each).mean(axis=2) for each in range(count)])
    return np.where(votes.max(axis=0) >= PURE, votes.argmax(axis=0), UNSURE).astype(np.uint8)


class MaskTeacher:
    """Row: `cells` `[CELLS, CELLS]` over the squashed picture, positions in `names`; 0 is nothing of them."""

    def __init__(self, weights: Path, names: Path) -> None:
        """`names` has one a line, that of class 0 first."""
        self.net = SquareNet(weights)
        self.version = f"{version(weights)} cells {CELLS} pure {PURE}"
        self.names = [line.strip() for line in names.read_text().splitlines() if line.strip()]

    def __call__(self, sample: Sample) -> Arrays:
        classes = self.net.raw(sample.picture).astype(np.int64)
        return {"cells": majority(np.where(classes < len(self.names), classes, 0), len(self.names))[None]}
