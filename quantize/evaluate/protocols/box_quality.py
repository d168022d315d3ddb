"""Detection of COCO's names in shards: average precision by size, precision and recall at the threshold, names of given boxes."""

from collections.abc import Sequence

import numpy as np

from quantize.arithmetic.geometry import Integers
from quantize.evaluate.average_precision import ANY_SIZE, COCO_SIZES, LabelledBoxes, Precisions, mean_precision, precisions
from quantize.evaluate.boxes import box_labels
from quantize.evaluate.coco_detection import THRESHOLD, TOP, right_detections
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections, Detector, Picture, Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.samples import Sample
from quantize.evaluate.statistics import Doubles, Estimate, bootstrap, class_mean, share
from quantize.progress import track


def labelled(samples: Sequence[Sample]) -> list[LabelledBoxes]:
    """What people say is in the pictures."""
    found = []
    for sample in samples:
        boxes, names = sample.boxes()
        labels = np.array([COCO_NAMES.index(name) for name in names], np.int64)
        found.append(LabelledBoxes(boxes, labels, np.zeros(len(boxes), bool)))
    return found


def detected(detector: Detector, pictures: Sequence[Picture], what: str = "detections") -> list[Detections]:
    """COCO's names in each picture, for average precision."""
    return list(track(detector.detect(pictures, COCO_NAMES, THRESHOLD, TOP), what, len(pictures)))


def measure(detector: Detector, least: float, samples: Sequence[Sample], settings: Settings) -> Outcome:
    """With scores from `least` on for precision and recall."""
    found = detected(detector, [sample.picture() for sample in samples])
    truth = labelled(samples)
    every = {size: precisions(truth, found, len(COCO_NAMES), sizes=COCO_SIZES.get(size, ANY_SIZE)) for size in ("", *COCO_SIZES)}

    def average(weights: Doubles) -> Doubles:
        means = {size: mean_precision(each.table(weights)) for size, each in every.items()}
        return np.array([means[""].ap50, *(mean.ap for mean in means.values())])

    names = ["COCO-80 AP50", *(f"COCO-80 AP {size}".strip() for size in every)]
    metrics = dict(zip(names, bootstrap(average, len(samples), settings.replicates), strict=True))
    metrics |= _at(least, found, samples, settings)
    return Outcome(metrics, {"pictures with boxes": len(samples), "boxes": sum(len(each.boxes) for each in truth)})


def _at(least: float, found: Sequence[Detections], samples: Sequence[Sample], settings: Settings) -> dict[str, Estimate]:
    right = np.array([right_detections(each, s)[each.scores >= least].sum() for each, s in zip(found, samples, strict=True)])
    said = np.array([(each.scores >= least).sum() for each in found])
    there = np.array([len(sample.boxes()[1]) for sample in samples])

    def statistic(weights: Doubles) -> Doubles:
        hits = weights @ right
        return np.array([hits / max(weights @ said, 1e-9), hits / max(weights @ there, 1e-9)])

    names = ("boxes at the threshold: precision", "boxes at the threshold: recall")
    return dict(zip(names, bootstrap(statistic, len(samples), settings.replicates), strict=True))


def given_boxes(predictor: Predictor, samples: Sequence[Sample], settings: Settings) -> Outcome:
    """Which of COCO's names fits each labelled box best."""
    given = ((sample.picture(), sample.boxes()[0]) for sample in track(samples, "given boxes"))
    regions = np.concatenate(list(predictor.embed_regions(given)))
    answers = (regions @ predictor.embed_texts(COCO_NAMES).T).argmax(axis=1).astype(np.int64)
    return named(answers, samples, settings)


def named(answers: Integers, samples: Sequence[Sample], settings: Settings) -> Outcome:
    """From the answered name of every box, picture after picture."""
    truth = box_labels(samples)
    owner = np.repeat(np.arange(len(samples)), [len(sample.boxes()[1]) for sample in samples])
    right = answers == truth

    def statistic(weights: Doubles) -> Doubles:
        each = weights[owner]
        hits, count = (np.bincount(truth, part, len(COCO_NAMES)).astype(np.float64) for part in (each * right, each))
        return np.array([class_mean(hits, count, count > 0)])

    (mean,) = bootstrap(statistic, len(samples), settings.replicates)
    return Outcome({"given boxes, mean class": mean, "given boxes, top-1": share(right)}, {})


def ap50(found: Precisions, weights: Doubles) -> float:
    """At IoU .50."""
    return mean_precision(found.table(weights)).ap50
