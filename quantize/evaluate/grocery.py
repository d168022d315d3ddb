"""Zero-shot names for pictures of groceries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.samples import Sample
from quantize.evaluate.statistics import calibration_error, wilson_interval
from quantize.progress import track


@dataclass(frozen=True)
class Accuracy:
    """Share of pictures named right, with its 95 % interval (Wilson)."""

    top1: float
    low: float
    high: float


def names_of(samples: Sequence[Sample], field: str) -> tuple[list[str], Sequence[int]]:
    """The names that occur in `field` (`coarse` or `label`), as prompts, and each sample's position among them."""
    values = [str(sample.record[field]).replace("-", " ") for sample in samples]
    names = sorted(set(values))
    return names, [names.index(value) for value in values]


def accuracy(scores: Floats, truth: Sequence[int]) -> Accuracy:
    """From scores `[pictures, names]`; the highest is the answer."""
    right = int((scores.argmax(axis=1) == np.array(truth)).sum())
    return Accuracy(right / len(truth), *wilson_interval(right, len(truth)))


@dataclass(frozen=True)
class GroceryResult:
    """Accuracy over the coarse and the fine names, and the calibration error of the best coarse tag."""

    coarse: Accuracy
    fine: Accuracy
    calibration_error: float


def evaluate_grocery(predictor: Predictor, samples: Sequence[Sample]) -> GroceryResult:
    """Names each picture by the prompt of highest cosine."""
    pictures = [sample.picture() for sample in samples]
    images = predictor.embed_images(track(pictures, "groceries"))

    def named(names: list[str], truth: Sequence[int]) -> Accuracy:
        return accuracy(images @ predictor.embed_texts(names).T, truth)

    coarse, truth = names_of(samples, "coarse")
    tags = predictor.tag_scores(track(pictures, "tags"), coarse)
    error = calibration_error(tags.max(axis=1), tags.argmax(axis=1) == np.array(truth))
    return GroceryResult(named(coarse, truth), named(*names_of(samples, "label")), error)
