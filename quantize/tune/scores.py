"""Scores fitted on pictures of the set that were not learned, starting from the shipped ones: few boxes move them little."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats, pairwise_iou
from quantize.bundle.manifest import Manifest, Score
from quantize.evaluate.onnx import OnnxPredictor
from quantize.labels.labelled import Labelled
from quantize.progress import track
from quantize.tune.plan import as_typed

MATCH_IOU = 0.5
PRIOR = 3.0
"""Strength of the shipped weights, in boxes that were found: with as many the fit meets them half way."""
STEPS = 200
THRESHOLDS = (0.1, 0.6)
LISTS = 3
"""Vocabularies a picture: all names, and some of them."""


@dataclass(frozen=True)
class Rows:
    """Margin and objectness `[N, 2]` of boxes and names, whether the name is right `[N]`, and how much a row counts `[N]`."""

    features: Floats
    right: Floats
    weight: Floats
    every: NDArray[np.bool_]
    """Which rows are of the vocabulary of all names."""

    def probability(self, weights: Sequence[float]) -> Floats:
        """Of each row, with weights of one, margin and objectness."""
        logits = weights[0] + self.features @ np.array(weights[1:], np.float32)
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def rows(predictor: OnnxPredictor, pictures: Sequence[Labelled], names: Sequence[str], seed: int) -> Rows:
    """Of every proposed box and every name of the set, in vocabularies of all names and of some."""
    rng, prompts, m = np.random.default_rng(seed), predictor.embed_texts(names), predictor.manifest
    features, right, weight = [np.zeros((0, 2), np.float32)], [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    every = [np.zeros(0, bool)]
    for picture in track(pictures, "scores"):
        pixels = picture.picture()
        outputs, placed = predictor.run_vision(pixels)
        found, objectness = reference.candidates(outputs, m.detection, np.array(placed.content, np.float32))
        if not len(found):
            continue
        regions = predictor.embed_boxes(outputs, placed, found)
        h, w = pixels.shape[:2]
        things = [t for t in picture.things if not t.crowd]
        boxes = [placed.to_input((t.rect[0] * w, t.rect[1] * h, t.rect[2] * w, t.rect[3] * h)) for t in things]
        overlap = pairwise_iou(found, np.array(boxes, np.float32).reshape(-1, 4)) >= MATCH_IOU
        called = [as_typed(t.name) for t in things]
        for number in range(LISTS):
            size = len(names) if number == 0 else int(rng.integers(1, len(names) + 1))
            chosen = rng.permutation(len(names))[:size]
            vectors = prompts[chosen]
            negatives = reference.negatives_for(vectors, predictor.bank, m.max_similarity)
            # a sigmoid with weights (0, 1, 0) is undone to get at the margin
            p = reference.region_scores(regions, objectness, vectors, negatives, Score(m.region.scale, (0.0, 1.0, 0.0)))
            margin = np.log(p.clip(1e-7, 1 - 1e-7) / (1 - p.clip(1e-7, 1 - 1e-7)))
            for column, name in enumerate(chosen.tolist()):
                mine = np.array([each == names[name] for each in called], bool)
                features.append(np.stack([margin[:, column], objectness], 1).astype(np.float32))
                right.append(np.asarray(overlap[:, mine].any(1), np.float32))
                weight.append(np.full(len(found), 1 / size, np.float32))
                every.append(np.full(len(found), number == 0))
    return Rows(np.concatenate(features), np.concatenate(right), np.concatenate(weight), np.concatenate(every))


def fit(found: Rows, start: Sequence[float]) -> tuple[float, ...]:
    """Weights (bias first) of a logistic regression that is held to `start`; `start` itself where nothing was found."""
    if not found.right.any():
        return tuple(start)
    features = torch.tensor(np.concatenate([np.ones((len(found.features), 1)), found.features], 1), dtype=torch.float64)
    target, weight = torch.tensor(found.right, dtype=torch.float64), torch.tensor(found.weight, dtype=torch.float64)
    right = float((weight * target).sum())
    first = torch.tensor(start, dtype=torch.float64)
    w = first.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([w], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = binary_cross_entropy_with_logits(features @ w, target, weight, reduction="sum")
        value = (value + PRIOR * ((w - first) ** 2).sum()) / max(right, 1e-6)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return tuple(round(v, 4) for v in w.tolist())


def fitted(manifest: Manifest, before: Rows, after: Rows) -> Manifest:
    """With the scores of boxes fitted to rows of the tuned bundle; `before` are the shipped one's of the same pictures.

    The threshold moves with them, so that as many boxes are said as before: better ones, not more.
    """
    weights = fit(after, manifest.region.weights)
    said = int((before.probability(manifest.region.weights)[before.every] >= manifest.threshold).sum())
    threshold = matched(after.probability(weights)[after.every], said, manifest.threshold)
    return replace(manifest, threshold=threshold, region=Score(manifest.region.scale, weights))


def matched(scores: Floats, count: int, otherwise: float) -> float:
    """The threshold that `count` of the scores reach, within `THRESHOLDS`."""
    if not 0 < count < len(scores):
        return otherwise
    low, high = THRESHOLDS
    return round(float(np.clip(np.sort(scores)[-count], low, high)), 3)
