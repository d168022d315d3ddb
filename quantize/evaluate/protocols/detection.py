"""Detection with a set's names as prompts: COCO's average precision, and LVIS's fixed one.

Fixed AP (Dave et al., Evaluating Large-Vocabulary Object Detectors, 2021) has no limit of detections per picture, which would set
classes against each other, but one of 10,000 per class over all pictures.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from quantize.arithmetic.geometry import Floats, Integers
from quantize.evaluate.average_precision import MOST_OF_A_CLASS, Precisions, mean_precision, precisions
from quantize.evaluate.datasets.files import Reading
from quantize.evaluate.datasets.kinds import BoxSet
from quantize.evaluate.predictor import Detections, Detector
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.statistics import Doubles, bootstrap

THRESHOLD = 0.001
TOP = 100
FIXED_THRESHOLD = 0.0
FIXED_TOP_OF_A_CLASS = 10_000


def measure_coco(detector: Detector, data: BoxSet, settings: Settings) -> Outcome:
    """AP, AP50 and AP75 with at most 100 detections per picture."""
    reading = Reading(data.items, data.problems, "detections")
    results = list(reading.joined(detector.detect(reading, data.names, THRESHOLD, TOP)))
    truth = [item.truth for item, _ in results]
    found = precisions(truth, [each for _, each in results], len(data.names), MOST_OF_A_CLASS)
    return _outcome(found, data, settings)


def measure_lvis(detector: Detector, data: BoxSet, settings: Settings) -> Outcome:
    """Fixed AP, also of rare, common and frequent classes."""
    reading = Reading(data.items, data.problems, "detections")
    best = TopDetections(len(data.names), FIXED_TOP_OF_A_CLASS)
    for picture, (_, each) in enumerate(reading.joined(detector.detect(reading, data.names, FIXED_THRESHOLD, None))):
        best.add(picture, each)
    truth = [item.truth for item in reading.kept]
    found = precisions(truth, list(best.by_picture(len(truth))), len(data.names), most=None)
    return _outcome(found, data, settings)


class TopDetections:
    """The best detections of each class over many pictures."""

    def __init__(self, classes: int, most: int) -> None:
        """Keeps `most` of each class."""
        self.most = most
        self.rows: list[list[Floats]] = [[] for _ in range(classes)]
        self.held = [0] * classes

    def add(self, picture: int, found: Detections) -> None:
        """Adds a picture's detections."""
        number = np.full(len(found.scores), picture, np.float64)
        rows = np.column_stack([found.scores, number, found.boxes]).astype(np.float64)
        for label in np.unique(found.labels).tolist():
            chosen = rows[found.labels == label]
            self.rows[label].append(chosen)
            self.held[label] += len(chosen)
            if self.held[label] > 2 * self.most:
                self._prune(label)

    def _prune(self, label: int) -> None:
        if not self.rows[label]:
            return
        rows = np.concatenate(self.rows[label])
        rows = rows[np.argsort(-rows[:, 0], kind="stable")[: self.most]]
        self.rows[label], self.held[label] = [rows], len(rows)

    def by_picture(self, pictures: int) -> Iterator[Detections]:
        """What is left, picture after picture."""
        for label in range(len(self.rows)):
            self._prune(label)
        labels = np.repeat(np.arange(len(self.rows)), self.held)
        rows = np.concatenate([np.zeros((0, 6)), *(part for each in self.rows for part in each)])
        order = np.argsort(rows[:, 1], kind="stable")
        ends = np.searchsorted(rows[order, 1], np.arange(pictures + 1))
        for start, end in pairwise(ends):
            chosen = order[start:end]
            yield Detections(*_columns(rows[chosen], labels[chosen]))


def _columns(rows: Floats, labels: Integers) -> tuple[Floats, Integers, Floats]:
    return rows[:, 2:].astype(np.float32), labels, rows[:, 0].astype(np.float32)


def _outcome(found: Precisions, data: BoxSet, settings: Settings) -> Outcome:
    groups = [frozenset(range(len(data.names))), *data.groups.values()]

    def statistic(weights: Doubles) -> Doubles:
        table = found.table(weights)
        parts = [table[sorted(group)] for group in groups]
        means = [mean_precision(part) if _any(part) else None for part in parts]
        ap75 = np.nanmean(table[:, 5]) if _any(table) else np.nan
        whole = [means[0].ap, means[0].ap50, float(ap75)] if means[0] else [np.nan] * 3
        return np.array([*whole, *(mean.ap if mean else np.nan for mean in means[1:])])

    names = ["AP", "AP50", "AP75", *(f"AP {group}" for group in data.groups)]
    estimates = bootstrap(statistic, found.pictures, settings.replicates)
    boxes = int(sum(curve.things.sum() for curve in found.curves if curve))
    return Outcome(dict(zip(names, estimates, strict=True)), {"pictures": found.pictures, "boxes": boxes})


def _any(table: Doubles) -> bool:
    return bool((~np.isnan(table)).any())
