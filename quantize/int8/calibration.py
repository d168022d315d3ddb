"""What calibrates ranges: a thin slice of the training pictures, and the region vectors of their boxes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from quantize.data import canvas as cv
from quantize.data.indexed import index_of
from quantize.data.layouts import draw
from quantize.data.shards import Sample, Shards
from quantize.model.pooling import region_vectors
from quantize.model.preparation import to_input
from quantize.model.trunk import Maps
from quantize.settings.board import BoardRecipe

Array = NDArray[np.float32]
STEP = 309  # of the default set every so manieth; more change nothing
LEAST = 40  # pictures, however small the set: a range that few pictures fill is too narrow for the others
TOWERS = ("tower8", "tower16", "tower32")


def calibration_samples(recipe: BoardRecipe, step: int = STEP) -> list[Sample]:
    """Every `step`-th picture through all shards, which hold all sources, or more often, so that there are `LEAST`.

    Of a smaller set all are taken, and mirrored ones beside them.

    Raises:
        ValueError: there is no usable picture.
    """
    paths = [Path(p) for p in recipe.data.shards]
    count = sum(len(index_of(path, Path(recipe.data.cache)).keys) for path in paths)
    found = list(Shards(paths, every=max(1, min(step, count // LEAST))))
    if not found:
        raise ValueError(f"calibration: found no usable picture in {', '.join(recipe.data.shards)}, expected at least one")
    return [*found, *map(mirrored, found)][: max(LEAST, len(found))]


def mirrored(sample: Sample) -> Sample:
    """The same picture the other way round."""
    boxes = [replace(b, rect=(1 - b.rect[2], b.rect[1], 1 - b.rect[0], b.rect[3])) for b in sample.boxes]
    mask = None if sample.mask is None else sample.mask[:, ::-1]
    return replace(sample, picture=np.ascontiguousarray(sample.picture[:, ::-1]), boxes=boxes, mask=mask)


def calibration_inputs(samples: list[Sample], size: int) -> list[Array]:
    """`[1,3,size,size]` each, drawn as on the board."""
    drawn = [draw([0], [s], [cv.plain(s.picture, size)], size) for s in samples]
    return [to_input([d.pixels]).contiguous().numpy() for d in drawn]


def picture_regions(sample: Sample, maps: Maps, size: int) -> Array:
    """Region vectors of the boxes of a picture drawn plainly (of the whole picture where it has none)."""
    placed = cv.plain(sample.picture, size)
    rects: list[cv.Rect] = [r for b in sample.boxes if (r := placed.box(b.rect)) is not None] or [placed.target]
    boxes = torch.tensor(rects, dtype=torch.float32)
    content = torch.tensor([placed.target], dtype=torch.float32).expand(len(boxes), 4)
    found: Array = region_vectors(maps, torch.zeros(len(boxes), dtype=torch.long), boxes, content, size).numpy()
    return found


def maps_of(outputs: dict[str, Array]) -> Maps:
    """The maps that regions are pooled from, among a vision graph's outputs."""
    semantic, *towers = (torch.from_numpy(outputs[name]) for name in ("semantic", *TOWERS))
    return Maps(semantic, semantic.new_zeros(0), towers)
