"""The boxes of a picture that training looks at, people's and then the detectors'; classifiers are asked about the same."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.data.shards import Box, Sample
from quantize.data.soft_labels import Arrays, unpacked

DETECTORS = ("picodet", "nanodet")
LEAST_SCORE = 0.12
"""From here on a box holds a thing more often than not, whatever its name."""
SAME_BOX = 0.6
LEAST_SIDE = 0.03
"""Of the picture's sides; smaller boxes show a classifier nothing."""
WHOLE = np.array([[0, 0, 1, 1]], np.float32)


def found_boxes(sample: Sample, found: Mapping[str, Arrays], names: Sequence[str], most: int) -> list[Box]:
    """At most `most` boxes, people's by area and then the detectors' by score; of boxes alike the first one counts.

    Args:
        sample: its boxes that are not people's are left out.
        found: the detectors' answers about this picture, whose labels are positions in `names`.
    """
    people = [box for box in sample.boxes if box.score == 1.0]
    every = [(np.array(box.rect, np.float32), box) for box in people]
    told = []
    for name in DETECTORS:
        if name in found:
            rects, scores = unpacked(found[name]["boxes"]), found[name]["scores"].astype(np.float32)
            labels = found[name]["labels"]
            told += [(rects[i], names[labels[i]], float(scores[i])) for i in np.flatnonzero(scores >= LEAST_SCORE)]
    told.sort(key=lambda box: -box[2])
    every += [(rect, Box((*map(float, rect),), name, score)) for rect, name, score in told]  # type: ignore[arg-type]
    kept: list[Floats] = []
    boxes: list[Box] = []
    for rect, box in every:
        if len(kept) < most and (rect[2:] - rect[:2]).min() >= LEAST_SIDE and not _alike(rect, kept):
            kept.append(rect)
            boxes.append(box)
    return boxes


def _alike(rect: Floats, kept: list[Floats]) -> bool:
    return bool(kept) and bool(pairwise_iou(rect[None], np.array(kept)).max() > SAME_BOX)


def regions(sample: Sample, found: Mapping[str, Arrays], names: Sequence[str], most: int) -> Floats:
    """`[1 + N, 4]` as fractions of the picture's sides: the whole picture, then its `found_boxes`."""
    rects = [box.rect for box in found_boxes(sample, found, names, most)]
    return np.concatenate([WHOLE, np.array(rects, np.float32).reshape(-1, 4)])


def in_pixels(rects: Floats, picture: NDArray[np.uint8]) -> Floats:
    """Fractions of the sides as pixels."""
    height, width = picture.shape[:2]
    return np.asarray(rects * np.array([width, height, width, height], np.float32), np.float32)
