"""Detection on COCO pictures, with the 80 names as prompts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import pairwise_iou
from quantize.evaluate.average_precision import AveragePrecision, average_precision
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections, Detector
from quantize.evaluate.samples import Sample
from quantize.evaluate.statistics import calibration_error
from quantize.progress import track

THRESHOLD = 0.001
TOP = 100
CALIBRATION_THRESHOLD = 0.05
"""Detections below it do not count for the calibration error: they are many, and nobody is shown them."""


@dataclass(frozen=True)
class DetectionResult:
    """Average precision, and how far scores are from being probabilities."""

    precision: AveragePrecision
    calibration_error: float


def right_detections(found: Detections, truth: Sample, min_iou: float = 0.5) -> NDArray[np.bool_]:
    """Which detections match a labelled box of their name that no better detection has taken; best score first."""
    boxes, names = truth.boxes()
    labels = np.array([COCO_NAMES.index(name) for name in names], np.int64)
    iou = pairwise_iou(found.boxes, boxes) * (found.labels[:, None] == labels)
    right = np.zeros(len(found.labels), bool)
    for i in np.argsort(-found.scores, kind="stable"):
        if len(labels) > 0 and iou[i].max() >= min_iou:
            right[i] = True
            iou[:, iou[i].argmax()] = 0.0
    return right


def evaluate_detection(detector: Detector, samples: Sequence[Sample]) -> DetectionResult:
    """Detects the 80 names and compares with the labelled boxes."""
    pictures = (sample.picture() for sample in track(samples, "detections"))
    found = list(detector.detect(pictures, COCO_NAMES, THRESHOLD, TOP))
    precision = average_precision([sample.boxes() for sample in samples], found, COCO_NAMES)
    right = np.concatenate([right_detections(each, sample) for each, sample in zip(found, samples, strict=True)])
    scores = np.concatenate([each.scores for each in found])
    shown = scores >= CALIBRATION_THRESHOLD
    return DetectionResult(precision, calibration_error(scores[shown], right[shown]))
