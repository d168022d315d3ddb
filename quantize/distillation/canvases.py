"""Replayable canvases: view `k` of a picture is placed by seed, key and `k` alone, so that outputs for it can be stored."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantize.data import canvas as cv
from quantize.data.layouts import draw
from quantize.data.shards import Sample
from quantize.settings.distil import DistilSettings

LEAST_SIDE = 4.0  # of a box on the canvas, in pixels


@dataclass
class View:
    """One picture on a canvas of `size` pixels. Samples come without their pixels."""

    sample: Sample
    placed: cv.Placement
    pixels: NDArray[np.uint8]  # [size,size,3]
    others: dict[int, NDArray[np.uint8]]  # the same at the teachers' sizes
    boxes: list[cv.Rect]  # in canvas pixels: all of the picture, then its boxes


def placement(sample: Sample, view: int, size: int, seed: int) -> cv.Placement:
    """View 0 is what the board sees, the others are augmented."""
    if view == 0:
        return cv.plain(sample.picture, size)
    rng = np.random.default_rng([seed, zlib.crc32(sample.key.encode()), view])
    return cv.augmented(sample.picture, sample.source, (0, 0, size, size), rng)


def resized(placed: cv.Placement, size: int, wanted: int) -> cv.Placement:
    """The same on a canvas of another size."""
    x0, y0, x1, y1 = (round(v * wanted / size) for v in placed.target)
    x0, y0 = min(x0, wanted - 1), min(y0, wanted - 1)
    return replace(placed, target=(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)))


def show(sample: Sample, view: int, size: int, seed: int, settings: DistilSettings, others: Sequence[int] = ()) -> View:
    """Draws one view at `size`, and at the sizes `others`."""
    placed = placement(sample, view, size, seed)
    boxes: list[cv.Rect] = [placed.target]
    for box in sample.boxes[: settings.regions - 1]:
        rect = placed.box(box.rect)
        if rect is not None and min(rect[2] - rect[0], rect[3] - rect[1]) >= LEAST_SIDE:
            boxes.append(rect)
    pixels = draw([0], [sample], [placed], size).pixels
    more = {n: draw([0], [sample], [resized(placed, size, n)], n).pixels for n in others if n != size}
    return View(replace(sample, picture=np.zeros((0, 0, 3), np.uint8)), placed, pixels, more, boxes)


@dataclass
class Canvases:
    """A batch of B views. `rows` are positions in the list of pictures; boxes and points are in canvas pixels."""

    number: int
    grid: int
    rows: list[int]
    views: list[View]
    pixels: Tensor  # uint8 [B,size,size,3]
    boxes: Tensor  # [R,4]
    owner: Tensor  # [R] whose box it is
    content: Tensor  # [R,4] where the owner's picture lies
    points: Tensor  # [P,2] middles of the cells that show a picture
    cells: Tensor  # [P] the cells: (canvas · grid + row) · grid + column

    def at(self, size: int) -> Tensor:
        """uint8 [B,size,size,3]"""
        if size == self.pixels.shape[1]:
            return self.pixels
        return torch.from_numpy(np.stack([view.others[size] for view in self.views]))


def collate(number: int, rows: list[int], views: list[View], grid: int) -> Canvases:
    """Several views as one batch."""
    size = len(views[0].pixels)
    owner = torch.tensor([b for b, view in enumerate(views) for _ in view.boxes])
    target = torch.tensor([view.placed.target for view in views], dtype=torch.float32)
    middle = (torch.arange(grid) + 0.5) * (size / grid)
    x, y = middle.repeat(grid), middle.repeat_interleave(grid)
    x0, y0, x1, y1 = (side[:, None] for side in target.unbind(1))
    shown = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)  # [B,grid·grid]
    return Canvases(
        number, grid, rows, views,
        pixels=torch.from_numpy(np.stack([view.pixels for view in views])),
        boxes=torch.tensor([box for view in views for box in view.boxes], dtype=torch.float32),
        owner=owner, content=target[owner],
        points=torch.stack([x, y], 1).repeat(len(views), 1)[shown.flatten()], cells=shown.flatten().nonzero().squeeze(1),
    )  # fmt: skip
