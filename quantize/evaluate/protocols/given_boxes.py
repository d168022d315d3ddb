"""Which name fits a given box: the mean of the classes' accuracies, as CLOC measures regions (Chen et al., 2024)."""

import numpy as np

from quantize.evaluate.datasets.files import Reading, inside
from quantize.evaluate.datasets.kinds import BoxSet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.statistics import Doubles, bootstrap, class_mean, share


def measure(predictor: Predictor, data: BoxSet, settings: Settings) -> Outcome:
    """Names each labelled box, crowds apart, by the prompt of highest cosine."""
    prompts = predictor.embed_texts(data.names)
    reading = Reading([item for item in data.items if not item.truth.crowd.all()], data.problems, "given boxes")
    given = ((picture, inside(item.truth.boxes[~item.truth.crowd], picture)) for item, picture in reading.with_items())
    right, of_class = [], []
    hits = []
    for item, embeddings in reading.joined(predictor.embed_regions(given)):
        labels = item.truth.labels[~item.truth.crowd]
        hit = (embeddings @ prompts.T).argmax(axis=1) == labels
        hits.append(hit)
        right.append(np.bincount(labels[hit], minlength=len(data.names)))
        of_class.append(np.bincount(labels, minlength=len(data.names)))
    rights, counts = np.array(right, np.float64), np.array(of_class, np.float64)

    def statistic(weights: Doubles) -> Doubles:
        seen = weights @ counts
        return np.array([class_mean(weights @ rights, seen, seen > 0)])

    (mean_class,) = bootstrap(statistic, len(counts), settings.replicates)
    every = np.concatenate(hits)
    metrics = {"mean class accuracy": mean_class, "top-1": share(every)}
    return Outcome(metrics, {"pictures": len(counts), "boxes": len(every)})
