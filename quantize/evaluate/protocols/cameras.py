"""What is left of detection in what cameras see: ten conditions (`evaluate.conditions`)."""

from collections.abc import Sequence

import numpy as np

from quantize.evaluate.average_precision import precisions
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.conditions import CONDITIONS, seen_in
from quantize.evaluate.predictor import Detector, Predictor
from quantize.evaluate.protocols.box_quality import ap50, detected, labelled
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.samples import Sample
from quantize.evaluate.statistics import Doubles, bootstrap, share
from quantize.progress import track


def measure(detector: Detector, samples: Sequence[Sample], settings: Settings) -> Outcome:
    """AP50 of COCO's names in each condition, their mean, and that as a share of the clean pictures'."""
    truth, pictures = labelled(samples), [sample.picture() for sample in samples]
    clean = precisions(truth, detected(detector, pictures), len(COCO_NAMES))
    each = []
    for name, condition in CONDITIONS.items():
        worse = [seen_in(condition, picture, i) for i, picture in enumerate(pictures)]
        each.append(precisions(truth, detected(detector, worse, name), len(COCO_NAMES)))

    def statistic(weights: Doubles) -> Doubles:
        found = [ap50(one, weights) for one in each]
        whole = ap50(clean, weights)
        return np.array([*found, np.mean(found), np.mean(found) / whole if whole else np.nan])

    names = [f"AP50, {name}" for name in CONDITIONS]
    names += ["AP50, mean of the ten conditions", "AP50, mean of the ten conditions against clean"]
    return Outcome(dict(zip(names, bootstrap(statistic, len(samples), settings.replicates), strict=True)), {})


def given_boxes(predictor: Predictor, samples: Sequence[Sample]) -> Outcome:
    """Top-1 of given boxes over all conditions together."""
    prompts = predictor.embed_texts(COCO_NAMES)
    right = []
    for condition in track(CONDITIONS.values(), "given boxes in ten conditions"):
        given = ((seen_in(condition, sample.picture(), i), sample.boxes()[0]) for i, sample in enumerate(samples))
        for sample, regions in zip(samples, predictor.embed_regions(given), strict=True):
            labels = np.array([COCO_NAMES.index(name) for name in sample.boxes()[1]], np.int64)
            right.append((regions @ prompts.T).argmax(axis=1) == labels)
    return Outcome({"given boxes, top-1, mean of the ten conditions": share(np.concatenate(right))}, {})
