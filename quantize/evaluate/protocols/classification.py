"""Zero-shot classification (Radford et al., 2021): a class is the mean of its name's sentences."""

from collections.abc import Sequence

import numpy as np

from quantize.arithmetic.geometry import Floats
from quantize.arithmetic.reference import unit
from quantize.evaluate.datasets.files import Reading
from quantize.evaluate.datasets.kinds import LabelSet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.statistics import share

FIRST = 5


def measure(predictor: Predictor, data: LabelSet, settings: Settings) -> Outcome:
    """Whether the right class is the most similar one, and whether it is among the first five."""
    classes = embed_classes(predictor, data.names, settings.templates)
    reading = Reading(data.items, data.problems, "pictures")
    images = predictor.embed_images(reading.checked())
    truth = np.array([item.label for item in reading.kept], np.int64)
    cosines = images @ classes.T
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :FIRST]
    right = best == truth[:, None]
    metrics = {"top-1": share(right[:, 0]), "top-5": share(right.any(axis=1))}
    return Outcome(metrics, {"pictures": len(images), "classes": len(data.names)})


def embed_classes(predictor: Predictor, names: Sequence[str], templates: Sequence[str]) -> Floats:
    """`[N, D]`: for each name the unit mean of the unit embeddings of its sentences."""
    sentences = [template.replace("{}", name) for template in templates for name in names]
    vectors = predictor.embed_texts(sentences).reshape(len(templates), len(names), -1)
    return unit(vectors.mean(axis=0))
