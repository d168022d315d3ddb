"""COCO's average precision (Lin et al., 2014), from matches that are kept, so that pictures can be resampled.

pycocotools and lvis match and sum up in one go over one fixed set of pictures; here matching is done once and summing up takes
a weight for each picture. The tests hold both to those packages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask

from quantize.arithmetic.geometry import Floats, Integers, area
from quantize.evaluate.predictor import Detections
from quantize.evaluate.statistics import Doubles

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_OF_A_CLASS = 100
"""Detections of a class in one picture that COCO's evaluation looks at."""
Flags = NDArray[np.bool_]
Sizes = tuple[float, float]
"""Least and largest area of boxes in square pixels."""
ANY_SIZE: Sizes = (0.0, float("inf"))
COCO_SIZES: dict[str, Sizes] = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, float("inf"))}


@dataclass(frozen=True)
class LabelledBoxes:
    """What is known about one picture."""

    boxes: Floats
    """`[N, 4]`: x0, y0, x1, y1 in pixels."""
    labels: Integers
    """`[N]`: positions in the data set's names."""
    crowd: Flags
    """`[N]`: boxes around many things; what lies in them counts neither way."""
    judged: frozenset[int] | None = None
    """Classes that were looked for; detections of others do not count. All of them for None. LVIS is annotated so."""
    incomplete: frozenset[int] = frozenset()
    """Classes of which not every thing has a box: a detection without one does not count."""


@dataclass
class ClassMatches:
    """All detections of one class, and how many things of it each picture has."""

    pictures: list[int] = field(default_factory=list)
    scores: list[Floats] = field(default_factory=list)
    """One `[n]` for each of `pictures`."""
    hits: list[Flags] = field(default_factory=list)
    """One `[n, T]` each: at which IoU thresholds they found a thing that no better one has."""
    ignored: list[Flags] = field(default_factory=list)
    """One `[n, T]` each: at which thresholds they do not count."""
    things: dict[int, int] = field(default_factory=dict)

    def add(
        self, picture: int, found: Floats, scores: Floats, boxes: Floats, crowd: Flags, incomplete: bool, sizes: Sizes = ANY_SIZE
    ) -> None:
        """Matches detections with boxes of the same class."""
        outside = ~within(boxes, sizes) & ~crowd
        if len(boxes):
            self.things[picture] = int((~crowd & ~outside).sum())
        order = np.argsort(-scores, kind="stable")
        hits, ignored = match(found[order], boxes, crowd, outside)
        self.pictures.append(picture)
        self.scores.append(scores[order])
        self.hits.append(hits)
        self.ignored.append(ignored | (~hits & (incomplete | ~within(found[order], sizes)[:, None])))

    def sealed(self, pictures: int) -> "Curve | None":
        """Ready to be summed up; None for a class without things."""
        things = np.zeros(pictures)
        for owner, count in self.things.items():
            things[owner] = count
        if things.sum() == 0:
            return None
        order = np.argsort(-np.concatenate(self.scores), kind="stable")
        picture = np.repeat(np.array(self.pictures, np.int64), [len(scores) for scores in self.scores])
        hits, ignored = (np.concatenate(flags)[order].T for flags in (self.hits, self.ignored))
        return Curve(picture[order], hits & ~ignored, ~hits & ~ignored, things)


@dataclass(frozen=True)
class Curve:
    """Detections of one class by falling score, `[M]`; true and false ones `[T, M]`; things a picture `[P]`."""

    picture: Integers
    true: Flags
    false: Flags
    things: Doubles

    def precision(self, weights: Doubles) -> Doubles:
        """Average precision at each IoU threshold `[T]`; NaN where the weighted pictures hold nothing of the class."""
        total = float(weights @ self.things)
        if total == 0:
            return np.full(len(IOU_THRESHOLDS), np.nan)
        each = weights[self.picture]
        true, false = np.cumsum(self.true * each, axis=1), np.cumsum(self.false * each, axis=1)
        precision = true / (true + false + np.spacing(1))
        best_from_here = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        padded = np.pad(best_from_here, ((0, 0), (0, 1)))
        recall = true / total
        return np.array([row[np.searchsorted(at, RECALLS)].mean() for row, at in zip(padded, recall, strict=True)])


def within(boxes: Floats, sizes: Sizes) -> Flags:
    """Which boxes `[N, 4]` have an area of these sizes."""
    return np.asarray((area(boxes) >= sizes[0]) & (area(boxes) <= sizes[1]))


def match(found: Floats, boxes: Floats, crowd: Flags, outside: Flags | None = None) -> tuple[Flags, Flags]:
    """Which detections `[M, 4]`, best first, are hits, and which do not count, at each IoU threshold: twice `[M, T]`.

    Each takes the free box of highest IoU, one `outside` the sizes looked at only where no other fits; such a one, and one whose
    only partner is a crowd, does not count, and crowds are never full.
    """
    outside = np.zeros(len(boxes), bool) if outside is None else outside
    thresholds = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
    hits, ignored = np.zeros((2, len(found), len(thresholds)), bool)
    if len(found) == 0 or len(boxes) == 0:
        return hits, ignored
    overlaps = mask.iou(xywh(found), xywh(boxes), crowd.astype(np.uint8))
    free = np.repeat(~crowd[None], len(thresholds), axis=0)
    steps = np.arange(len(thresholds))
    for i, overlap in enumerate(overlaps):
        if overlap.max() < thresholds[0]:
            continue
        for counted, flags in ((~outside, hits), (outside, ignored)):
            candidates = np.where(free & counted, overlap, -1.0)
            # Of equal ones the last, as in pycocotools.
            partner = len(boxes) - 1 - candidates[:, ::-1].argmax(axis=1)
            flags[i] = (candidates[steps, partner] >= thresholds) & ~hits[i]
            free[steps[flags[i]], partner[flags[i]]] = False
        in_crowd = overlap[crowd].max(initial=-1.0)
        ignored[i] |= ~hits[i] & (in_crowd >= thresholds)
    return hits, ignored


def xywh(boxes: Floats) -> Doubles:
    """COCO's box format, left, top, width, height, of boxes `[N, 4]`."""
    corners = boxes.astype(np.float64).reshape(-1, 4)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


@dataclass(frozen=True)
class Precisions:
    """The matches of a data set, class by class; None for classes without things."""

    curves: Sequence[Curve | None]
    pictures: int

    def table(self, weights: Doubles) -> Doubles:
        """Average precision of each class at each IoU threshold: `[C, T]`, NaN for classes without things."""
        nothing = np.full(len(IOU_THRESHOLDS), np.nan)
        return np.array([curve.precision(weights) if curve else nothing for curve in self.curves])


def precisions(
    truth: Sequence[LabelledBoxes],
    found: Sequence[Detections],
    classes: int,
    most: int | None = MOST_OF_A_CLASS,
    sizes: Sizes = ANY_SIZE,
) -> Precisions:
    """Matches the detections of each picture with its boxes of these `sizes`; `most` detections of a class in a picture count."""
    matches = [ClassMatches() for _ in range(classes)]
    for picture, (known, detections) in enumerate(zip(truth, found, strict=True)):
        judged = set(range(classes)) if known.judged is None else known.judged
        for label in judged & (set(known.labels.tolist()) | set(detections.labels.tolist())):
            of_truth, of_found = known.labels == label, detections.labels == label
            boxes, scores = detections.boxes[of_found], detections.scores[of_found]
            best = np.argsort(-scores, kind="stable")[:most]
            matches[label].add(
                picture, boxes[best], scores[best], known.boxes[of_truth], known.crowd[of_truth], label in known.incomplete, sizes
            )
    return Precisions([each.sealed(len(truth)) for each in matches], len(truth))


@dataclass(frozen=True)
class AveragePrecision:
    """Means over the classes that occur in the ground truth; 0 to 1."""

    ap: float
    """Mean over IoU thresholds .50 to .95."""
    ap50: float
    """At IoU .50."""


def mean_precision(table: Doubles) -> AveragePrecision:
    """Of a table `[C, T]`; 0 if nothing occurs."""
    known = table[~np.isnan(table).any(axis=1)]
    return AveragePrecision(float(known.mean()), float(known[:, 0].mean())) if len(known) else AveragePrecision(0.0, 0.0)


def average_precision(
    truth: Sequence[tuple[Floats, Sequence[str]]],
    found: Sequence[Detections],
    names: Sequence[str],
) -> AveragePrecision:
    """Compares detections with labelled boxes, picture by picture.

    Args:
        truth: for each picture its boxes `[N, 4]` (source pixels) and their names.
        found: the detections in the same pictures; labels index `names`.
        names: the classes.
    """
    index = {name: i for i, name in enumerate(names)}
    known = [
        LabelledBoxes(boxes, np.array([index[name] for name in labels], np.int64), np.zeros(len(labels), bool))
        for boxes, labels in truth
    ]
    return mean_precision(precisions(known, found, len(names)).table(np.ones(len(known))))
