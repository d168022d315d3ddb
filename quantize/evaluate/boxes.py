"""Which name fits a given box: accuracy over the labelled boxes of COCO."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantize.arithmetic.geometry import Integers
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.samples import Sample
from quantize.progress import track


@dataclass(frozen=True)
class BoxAccuracy:
    """Shares of boxes named right; 0 to 1."""

    top1: float
    mean_class: float
    """Mean of the classes' own accuracies, over the classes that occur: a model that answers
    "person" to everything gains nothing from it."""
    count: int


def box_accuracy(truth: Integers, answers: Integers) -> BoxAccuracy:
    """Compares class indices `[N]` with answered ones; -1 is no answer."""
    right = truth == answers
    per_class = [right[truth == label].mean() for label in np.unique(truth)]
    return BoxAccuracy(float(right.mean()), float(np.mean(per_class)), len(truth))


def box_labels(samples: Sequence[Sample]) -> Integers:
    """Class index of every labelled box, picture after picture."""
    names = [name for sample in samples for name in sample.boxes()[1]]
    return np.array([COCO_NAMES.index(name) for name in names], np.int64)


def evaluate_boxes(predictor: Predictor, samples: Sequence[Sample]) -> BoxAccuracy:
    """Names each labelled box by the prompt of highest cosine, over the 80 COCO names."""
    prompts = predictor.embed_texts(COCO_NAMES)
    given = ((sample.picture(), sample.boxes()[0]) for sample in track(samples, "given boxes"))
    regions = np.concatenate(list(predictor.embed_regions(given)))
    answers = (regions @ prompts.T).argmax(axis=1).astype(np.int64)
    return box_accuracy(box_labels(samples), answers)
