"""What a model says of names that are not in the picture, and how much of what is there it still says beside them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Predictor, look
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.samples import Sample
from quantize.evaluate.shard_sets import ShardSets
from quantize.evaluate.statistics import Doubles, Estimate, bootstrap
from quantize.progress import track

LISTS = {1: 8, 20: 2, 80: 1, 200: 1, 500: 1}
"""Absent names in a vocabulary, and how many vocabularies of that size."""
PICTURES = 200
"""Most pictures that are asked so many times."""
BESIDE = 500


def measure(predictor: Predictor, data: ShardSets, settings: Settings) -> Outcome:
    """Wrong tags and boxes a picture by the size of the vocabulary; precision and recall of tags at the model's threshold."""
    samples = [*data.validation.coco, *data.validation.flickr][:PICTURES]
    metrics: dict[str, Estimate] = {}
    for size, lists in LISTS.items():
        vocabularies = [data.absent[i * size : (i + 1) * size] for i in range(lists)]
        wrong = np.mean([said(predictor, samples, names) for names in vocabularies if names], axis=0)
        of = "1 absent name alone" if size == 1 else f"{size} absent names"
        for column, what in enumerate(("tags", "boxes")):
            (number,) = bootstrap(_mean(wrong[:, column]), len(samples), settings.replicates)
            metrics[f"{of}: wrong {what} a picture"] = Estimate(number.value, number.low, number.high, share=False)
    metrics |= _present(predictor, data, settings)
    return Outcome(metrics, {"pictures without the absent names": len(samples), "absent names": len(data.absent)})


def said(predictor: Predictor, samples: Sequence[Sample], names: Sequence[str]) -> Doubles:
    """`[pictures, 2]`: how many of the names get a tag and how many boxes there are, at the model's thresholds."""
    least = predictor.thresholds
    pictures = [sample.picture() for sample in samples]
    found = look(predictor, pictures, names, least.boxes)
    rows = [((seen.tags >= least.tags).sum(), len(seen.detections.scores)) for seen in track(found, f"{len(names)} absent names")]
    return np.array(rows, np.float64)


def _mean(values: Doubles) -> Callable[[Doubles], Doubles]:
    return lambda weights: np.array([weights @ values / weights.sum()])


def _present(predictor: Predictor, data: ShardSets, settings: Settings) -> dict[str, Estimate]:
    """Tags of what is there: COCO's names alone and beside absent ones, and what captions mention."""
    boxed = list(data.validation.coco)
    truth = np.array([[name in set(sample.boxes()[1]) for name in COCO_NAMES] for sample in boxed])
    pictures = [sample.picture() for sample in boxed]
    alone = predictor.tag_scores(pictures, COCO_NAMES)
    beside = predictor.tag_scores(pictures, [*COCO_NAMES, *data.absent[:BESIDE]])[:, : len(COCO_NAMES)]
    captioned = list(data.captioned())
    mentioned = np.array([[name in names for name in data.common] for _, names in captioned])
    scores = predictor.tag_scores([sample.picture() for sample, _ in captioned], data.common)
    least = predictor.thresholds.tags
    return {
        **precision_recall("tags, COCO's 80 names", alone, truth, least, settings),
        **precision_recall(f"tags, COCO's 80 beside {BESIDE} absent names", beside, truth, least, settings),
        **precision_recall(f"tags, captions' {len(data.common)} common names", scores, mentioned, least, settings),
    }


def precision_recall(
    what: str, scores: Floats, truth: NDArray[np.bool_], least: float, settings: Settings
) -> dict[str, Estimate]:
    """Of names said from a score on, `[pictures, names]`, over all pictures together."""
    says = scores >= least
    right, spoken, present = (says & truth).sum(axis=1), says.sum(axis=1), truth.sum(axis=1)

    def statistic(weights: Doubles) -> Doubles:
        hits = weights @ right
        return np.array([hits / max(weights @ spoken, 1e-9), hits / max(weights @ present, 1e-9)])

    estimates = bootstrap(statistic, len(scores), settings.replicates)
    return dict(zip((f"{what}: precision", f"{what}: recall"), estimates, strict=True))
