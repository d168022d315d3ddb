"""What a class counts beside words, fitted on a teacher's boxes in pictures that neither has seen."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic import reference
from quantize.arithmetic.classes import ClassHead
from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.bundle.manifest import Score
from quantize.data.shards import Sample, Shards
from quantize.data.soft_labels import Answers, unpacked
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.onnx import OnnxPredictor
from quantize.progress import track
from quantize.settings.board import BoardRecipe

TEACHER = "picodet"
SOURCE = "flickr8k"
"""Pictures of which neither the detector nor the teacher was trained."""
PICTURES = 450
SAME_BOX = 0.5
"""IoU from which on a candidate is what the teacher's box is."""
DOUBT = 0.25
"""Taken from the constant: the teacher learned from the same pictures as the detector and shares some of its errors."""
RIDGE = 1e-3
STEPS = 50
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """A bundle with a class head that its manifest need not have yet."""

    predictor: OnnxPredictor
    head: ClassHead
    maps: tuple[str, ...]


def fitted(recipe: BoardRecipe, detector: Detector) -> tuple[float, ...]:
    """Weights of a constant, the margin, objectness and the logit of the class.

    Raises:
        FileNotFoundError: the teacher was not asked.
        ValueError: it said nothing about pictures of the source.
    """
    answers = Answers(Path(recipe.soft.folder), TEACHER)
    names = answers.names()
    told = {key: (unpacked(rows["boxes"]), rows["scores"].astype(np.float64), rows["labels"]) for key, rows in answers.pictures()}
    columns = [COCO_NAMES.index(name) for name in names]
    values, targets = [], []
    for sample in track(list(chosen(recipe, told)), "candidates"):
        rects, scores, labels = told[sample.key]
        boxes, seen = look(detector, sample)
        share = np.zeros(seen.shape[:2])
        overlap = pairwise_iou(boxes, rects) >= SAME_BOX
        for at, (score, label) in enumerate(zip(scores, labels.tolist(), strict=True)):
            column = columns[label]
            share[:, column] = np.maximum(share[:, column], overlap[:, at] * score)
        values.append(seen.reshape(-1, seen.shape[2]))
        targets.append(share.ravel())
    if not values:
        raise ValueError(f"{answers.folder}: found no answers about pictures of {SOURCE}, expected them (quantize.teachers)")
    weights = logistic(np.concatenate(values), np.concatenate(targets))
    weights[0] -= DOUBT
    return tuple(round(float(weight), 3) for weight in weights)


def chosen(recipe: BoardRecipe, told: Container[str]) -> Iterator[Sample]:
    """The first pictures of the source that the teacher was asked about."""
    shards = Shards([Path(shard) for shard in recipe.data.shards])
    return islice((sample for sample in shards if sample.source == SOURCE and sample.key in told), PICTURES)


def look(detector: Detector, sample: Sample) -> tuple[Floats, Doubles]:
    """Boxes `[M, 4]` of a picture as fractions, and of each and each class what is weighed: `[M, C, 4]`."""
    predictor, head = detector.predictor, detector.head
    manifest = predictor.manifest
    outputs, placed = predictor.run_vision(sample.picture)
    content = np.array(placed.content, np.float32)
    boxes, objectness, cells = reference.proposals(outputs, manifest.detection, content)
    negatives = reference.negatives_for(head.embeddings, predictor.bank, manifest.max_similarity)
    regions = predictor.embed_boxes(outputs, placed, boxes)
    score = Score(manifest.region.scale, (0.0, 1.0, 0.0))
    margins, _ = reference.prompt_margins(regions, head.embeddings, negatives, score)
    logits = head.logits(outputs, detector.maps, cells)
    parts = [np.ones_like(margins), margins, np.broadcast_to(objectness[:, None], margins.shape), logits]
    offset, extent = content[:2], content[2:] - content[:2]
    fractions = (boxes - np.tile(offset, 2)) / np.tile(extent, 2)
    return np.asarray(fractions, np.float32), np.stack(parts, axis=2).astype(np.float64)


def logistic(values: Doubles, targets: Doubles) -> Doubles:
    """Newton's method for the weights whose logistic fits the `targets`, 0 to 1, of the rows of `values`."""
    weights = np.zeros(values.shape[1])
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-values @ weights))
        slope = values.T @ (expected - targets) + RIDGE * weights
        curvature = (values * (expected * (1 - expected))[:, None]).T @ values + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curvature, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights
