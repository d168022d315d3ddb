"""How well a bundle finds a set's things: average precision, what is right, wrong and missed at its threshold, given boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.evaluate.average_precision import LabelledBoxes, mean_precision, precisions
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.predictor import Detections
from quantize.labels.labelled import Labelled
from quantize.progress import track
from quantize.tune.plan import as_typed

THRESHOLD, TOP = 0.001, 100
"""Least score and most boxes of a picture for average precision, as COCO's."""
MATCH_IOU = 0.5


@dataclass(frozen=True)
class Verdict:
    """What a bundle says of a picture at its threshold; boxes in pixels."""

    right: list[tuple[Floats, str, float]] = field(default_factory=list)
    """Box, name and score."""
    wrong: list[tuple[Floats, str, float]] = field(default_factory=list)
    missed: list[tuple[Floats, str]] = field(default_factory=list)

    @property
    def mistakes(self) -> int:
        """How many boxes are wrong or missed."""
        return len(self.wrong) + len(self.missed)


@dataclass(frozen=True)
class Measured:
    """Of one bundle on one set of pictures."""

    figures: dict[str, float]
    each: dict[str, float]
    """AP50 of each name that occurs."""
    verdicts: list[Verdict]


def truth_of(picture: Labelled, names: Sequence[str]) -> LabelledBoxes:
    """People's boxes in pixels."""
    w, h = picture.size
    boxes = np.array([t.rect for t in picture.things], np.float32).reshape(-1, 4) * np.array([w, h, w, h], np.float32)
    labels = np.array([names.index(as_typed(t.name)) for t in picture.things], np.int64)
    return LabelledBoxes(boxes, labels, np.array([t.crowd for t in picture.things], bool))


def judged(found: Detections, truth: LabelledBoxes, names: Sequence[str], threshold: float) -> Verdict:
    """Each detection takes the free box of its name that it fits best; what fits a crowd counts neither way."""
    verdict, free = Verdict(), ~truth.crowd
    overlap = pairwise_iou(found.boxes, truth.boxes)
    for i in np.flatnonzero(found.scores >= threshold).tolist():
        same = truth.labels == found.labels[i]
        fits = np.where(same & free, overlap[i], 0) if len(truth.boxes) else np.zeros(0)
        told = found.boxes[i], names[int(found.labels[i])], float(found.scores[i])
        if fits.max(initial=0) >= MATCH_IOU:
            free[int(fits.argmax())] = False
            verdict.right.append(told)
        elif not (same & truth.crowd & (overlap[i] > 0)).any():
            verdict.wrong.append(told)
    verdict.missed.extend((truth.boxes[i], names[int(truth.labels[i])]) for i in np.flatnonzero(free))
    return verdict


def measure(predictor: OnnxPredictor, pictures: Sequence[Labelled], names: Sequence[str], what: str) -> Measured:
    """On the int8 files themselves."""
    truths = [truth_of(p, names) for p in pictures]
    found = list(
        track(predictor.detect((p.picture() for p in pictures), names, THRESHOLD, TOP), f"measuring {what}", len(pictures))
    )
    table = precisions(truths, found, len(names)).table(np.ones(len(truths)))
    average = mean_precision(table)
    verdicts = [judged(f, t, names, predictor.thresholds.boxes) for f, t in zip(found, truths, strict=True)]
    right, wrong, missed = (sum(len(getattr(v, kind)) for v in verdicts) for kind in ("right", "wrong", "missed"))
    named = _given(predictor, pictures, truths, names)
    figures = {
        "AP50": average.ap50, "AP": average.ap, "precision": right / max(right + wrong, 1),
        "recall": right / max(right + missed, 1), "given boxes": named, "right": right, "wrong": wrong, "missed": missed,
    }  # fmt: skip
    each = {name: float(row[0]) for name, row in zip(names, table, strict=True) if not np.isnan(row[0])}
    return Measured(figures, each, verdicts)


def _given(
    predictor: OnnxPredictor, pictures: Sequence[Labelled], truths: Sequence[LabelledBoxes], names: Sequence[str]
) -> float:
    """Share of people's boxes whose name fits best among the set's."""
    prompts = predictor.embed_texts(names)
    right: list[bool] = []
    given = ((p.picture(), t.boxes) for p, t in zip(pictures, truths, strict=True))
    for regions, truth in zip(predictor.embed_regions(given), truths, strict=True):
        answers = (regions @ prompts.T).argmax(axis=1) if len(regions) else np.zeros(0, np.int64)
        right += ((answers == truth.labels) & ~truth.crowd)[~truth.crowd].tolist()
    return float(np.mean(right)) if right else 0.0
