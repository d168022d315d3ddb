"""How far scores are from being probabilities, of boxes and of tags apart (expected calibration error)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.coco_detection import CALIBRATION_THRESHOLD, right_detections
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.grocery import names_of
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.box_quality import detected
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.shard_sets import ShardSets
from quantize.evaluate.statistics import Doubles, Estimate, bootstrap, calibration_error


def measure(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Boxes and tags of COCO's names where they are said at all; the best tag of groceries and of pictures of one thing."""
    coco = list(data.validation.coco)
    pictures = [sample.picture() for sample in coco]
    found = detected(predictor, pictures, "boxes for calibration")
    boxes = [(each.scores, right_detections(each, sample)) for each, sample in zip(found, coco, strict=True)]
    tags = predictor.tag_scores(pictures, COCO_NAMES)
    there = [np.array([name in set(sample.boxes()[1]) for name in COCO_NAMES]) for sample in coco]
    groceries, kinds = names_of(data.validation.grocery, "coarse")
    single = [data.unseen_names.index(one.name) for one in data.unseen]
    metrics = {
        "calibration error, boxes of COCO's names": error([_spoken(*each) for each in boxes], settings),
        "calibration error, tags of COCO's names": error([_spoken(*e) for e in zip(tags, there, strict=True)], settings),
        "calibration error, best tag of groceries": error(
            _best(predictor.tag_scores([s.picture() for s in data.validation.grocery], groceries), kinds), settings
        ),
        "calibration error, best tag of single things": error(
            _best(predictor.tag_scores([one.sample.picture() for one in data.unseen], data.unseen_names), single), settings
        ),
    }
    return Outcome(metrics, {})


Scored = tuple[Floats, NDArray[np.bool_]]
"""One picture's scores, and which are right."""


def _spoken(scores: Floats, right: NDArray[np.bool_]) -> Scored:
    said = scores >= CALIBRATION_THRESHOLD
    return scores[said], right[said]


def _best(scores: Floats, truth: Sequence[int]) -> list[Scored]:
    best = scores.argmax(axis=1)
    return [(scores[i, k : k + 1], np.array([k == truth[i]])) for i, k in enumerate(best.tolist())]


def error(pictures: Sequence[Scored], settings: Settings) -> Estimate:
    """Over the scores of all pictures; resampled by picture."""
    scores, right = (np.concatenate([each[part] for each in pictures]) for part in (0, 1))
    owner = np.repeat(np.arange(len(pictures)), [len(each[0]) for each in pictures])

    def statistic(weights: Doubles) -> Doubles:
        times = weights[owner].astype(np.int64)
        return np.array([calibration_error(np.repeat(scores, times), np.repeat(right, times))])

    (estimate,) = bootstrap(statistic, len(pictures), settings.replicates)
    return estimate
