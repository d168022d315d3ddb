"""Zero-shot label maps: mean intersection over union over all pixels of all pictures together."""

import numpy as np

from quantize.evaluate.datasets.files import DatasetError, Reading, label_map
from quantize.evaluate.datasets.kinds import MapSet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.label_maps import label, views
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.segmentation import confusion
from quantize.evaluate.statistics import Doubles, bootstrap, class_mean


def measure(predictor: Predictor, data: MapSet, settings: Settings) -> Outcome:
    """Mean IoU over the classes that occur, the background among them where there is one, and the share of right pixels."""
    prompts = predictor.embed_texts(data.names)
    classes = len(data.names) + data.background
    reading = Reading(data.items, data.problems, "label maps")
    counts = []
    for item, (size, seen) in reading.joined(views(predictor, iter(reading), settings.sliding)):
        truth = label_map(item.labels, dict(data.classes), data.problems)
        if truth is None:
            continue
        if truth.shape != size:
            data.problems.unreadable.append(
                f"{item.labels}: {truth.shape[1]}x{truth.shape[0]} pixels, expected {size[1]}x{size[0]}"
            )
            continue
        matrix = confusion(truth, label(seen, prompts, size, data.background), classes)
        counts.append([np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)])
    if not counts:
        raise DatasetError(f"{data.problems.unreadable[0]}, expected at least one label map that can be read (--data)")
    table = np.array(counts, np.float64)

    def statistic(weights: Doubles) -> Doubles:
        right, truth, answers = np.tensordot(weights, table, 1)
        pixels = truth.sum()
        return np.array([class_mean(right, truth + answers - right, truth > 0), right.sum() / pixels if pixels else np.nan])

    names = ("mIoU", "pixel accuracy")
    estimates = bootstrap(statistic, len(table), settings.replicates)
    return Outcome(dict(zip(names, estimates, strict=True)), {"pictures": len(table), "classes": classes})
