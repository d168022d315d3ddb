"""One picture on one canvas with all that is said of it: by the picture, by region and by pixel."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quantize.data.canvas import Placement, Rect
from quantize.data.shards import IGNORED_MASK_NAMES, Sample

SAMPLES = 4
"""A cell's share of a segment is counted on SAMPLES x SAMPLES points."""
LEAST_CELLS = 0.5
"""A segment that covers less of the grid than this says nothing of any cell."""
PHOTO = "a photo of a {}"


@dataclass
class Region:
    """`box` as fractions of the canvas; `text` is a noun phrase or caption, or the name when nothing more is said."""

    box: Rect
    name: str
    text: str


@dataclass
class Segment:
    """`share` [h,w]: how much of each cell the segment covers, 0 to 1."""

    name: str
    share: NDArray[np.float32]


@dataclass
class Example:
    """What one canvas shows."""

    captions: list[str]
    objects: list[str]
    attributes: list[str]
    regions: list[Region] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)


def example(sample: Sample, placed: Placement, size: int, grid: int) -> Example:
    """Texts, boxes and masks of a sample where its placement puts them. A picture with labels alone is captioned by them."""
    regions = []
    for box in sample.boxes:
        rect = placed.box(box.rect)
        if rect is not None:
            at = (rect[0] / size, rect[1] / size, rect[2] / size, rect[3] / size)
            regions.append(Region(at, box.name, box.text or PHOTO.format(box.name)))
    segments = _segments(sample, placed, size, grid) if sample.mask is not None else []
    named = [*sample.labels, *(r.name for r in regions), *(s.name for s in segments)]
    objects = list(dict.fromkeys([*(t.name for t in sample.tags if t.kind == "object"), *named]))
    attributes = list(dict.fromkeys(t.name for t in sample.tags if t.kind == "attribute"))
    captions = sample.captions or [PHOTO.format(label) for label in sample.labels]
    return Example(captions, objects, attributes, regions, segments)


def _segments(sample: Sample, placed: Placement, size: int, grid: int) -> list[Segment]:
    assert sample.mask is not None
    n = grid * SAMPLES
    at = (np.arange(n) + 0.5) * size / n
    x, y = np.meshgrid(at, at)
    u, v = placed.point(x.ravel(), y.ravel())
    h, w = sample.mask.shape
    shown = u >= 0
    ids = np.full(n * n, -1, np.int64)
    ids[shown] = sample.mask[
        np.clip((v[shown] * h).astype(np.int64), 0, h - 1), np.clip((u[shown] * w).astype(np.int64), 0, w - 1)
    ]
    cells = ids.reshape(grid, SAMPLES, grid, SAMPLES)
    found = []
    for i in np.unique(ids[shown]).tolist():
        name = sample.mask_names[i] if i < len(sample.mask_names) else ""
        share = (cells == i).mean((1, 3)).astype(np.float32)
        if name and name not in IGNORED_MASK_NAMES and share.sum() >= LEAST_CELLS:
            found.append(Segment(name, share))
    return found
