"""Boxes in numpy: x0, y0, x1, y1 in pixels, the far edges exclusive."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


def pairwise_iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union of every pair of boxes: `[N, 4]`, `[M, 4]` to `[N, M]`."""
    intersection = intersections(first, second)
    union = area(first)[:, None] + area(second)[None] - intersection
    return np.asarray(intersection / np.maximum(union, 1e-9), np.float32)


def intersections(first: Floats, second: Floats) -> Floats:
    """The area that every pair of boxes has in common: `[N, 4]`, `[M, 4]` to `[N, M]`."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(high - low, 0.0, None)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def area(boxes: Floats) -> Floats:
    """Areas `[N]` of boxes `[N, 4]`; empty ones have 0."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def clip(boxes: Floats, limits: Floats) -> Floats:
    """Boxes `[N, 4]` cut to the rectangle `limits` `[4]`."""
    return np.clip(boxes, np.tile(limits[:2], 2), np.tile(limits[2:], 2))


def nms(boxes: Floats, scores: Floats, max_iou: float) -> Integers:
    """Greedy non-maximum suppression: indices of the boxes kept, best score first.

    A box goes when its IoU with a better one that stays is above `max_iou`; equal scores keep their order.
    """
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while len(rest) > 0:
        best, rest = rest[0], rest[1:]
        kept.append(best)
        rest = rest[pairwise_iou(boxes[best, None], boxes[rest])[0] <= max_iou]
    return np.array(kept, np.int64)


def sample_grid(maps: Floats, rows: Floats, columns: Floats) -> Floats:
    """Bilinear samples of `[C, h, w]` at every crossing of `rows` and `columns`: `[C, rows, columns]`.

    Coordinates count cells from the centre of the first one; beyond the outermost centres the border value holds.
    """
    return np.asarray(_weights(rows, maps.shape[1]) @ maps @ _weights(columns, maps.shape[2]).T, np.float32)


def _weights(at: Floats, cells: int) -> Floats:
    """Share of each cell in a linear interpolation at each coordinate: `[len(at), cells]`."""
    distance = np.abs(np.clip(at, 0, cells - 1)[:, None] - np.arange(cells, dtype=np.float32))
    return np.asarray(np.clip(1 - distance, 0, None), np.float32)
