"""Which parts of a picture the classifiers look at: all of it, people's boxes, then what the detectors found."""

from collections.abc import Mapping

import numpy as np

from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.data.shards import Sample
from quantize.data.soft_labels import Arrays, unpacked
from quantize.evaluate.predictor import Picture

DETECTORS = ("picodet", "nanodet")
LEAST_SCORE = 0.12
"""From here on a box holds a thing more often than not, whatever its name."""
SAME_BOX = 0.6
LEAST_SIDE = 0.03
"""Of the picture's sides; smaller boxes show a classifier nothing."""
WHOLE = np.array([[0, 0, 1, 1]], np.float32)


def regions(sample: Sample, found: Mapping[str, Arrays], most: int) -> Floats:
    """`[1 + N, 4]` as fractions of the picture's sides, the whole picture first; of boxes alike the first one counts.

    Args:
        sample: its boxes come first, by area.
        found: the detectors' answers about this picture.
        most: boxes beside the whole picture.
    """
    given = np.array([box.rect for box in sample.boxes if box.score == 1.0], np.float32).reshape(-1, 4)
    boxes = [unpacked(found[name]["boxes"]) for name in DETECTORS if name in found]
    scores = [found[name]["scores"].astype(np.float32) for name in DETECTORS if name in found]
    every = np.concatenate([WHOLE[:0], *boxes])
    rank = np.concatenate([np.zeros(0, np.float32), *scores])
    order = np.argsort(-rank, kind="stable")
    every = np.concatenate([given, every[order[rank[order] >= LEAST_SCORE]]])
    every = every[(every[:, 2:] - every[:, :2]).min(axis=1) >= LEAST_SIDE]
    kept: list[Floats] = []
    for box in every:
        if len(kept) < most and (not kept or pairwise_iou(box[None], np.array(kept)).max() <= SAME_BOX):
            kept.append(box)
    return np.concatenate([WHOLE, np.array(kept, np.float32).reshape(-1, 4)])


def in_pixels(rects: Floats, picture: Picture) -> Floats:
    """Fractions of the sides as pixels."""
    height, width = picture.shape[:2]
    return np.asarray(rects * np.array([width, height, width, height], np.float32), np.float32)
