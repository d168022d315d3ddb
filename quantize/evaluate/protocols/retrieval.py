"""Pictures by their captions, captions by their pictures."""

import numpy as np

from quantize.arithmetic.geometry import Floats, Integers
from quantize.evaluate.datasets.files import Reading
from quantize.evaluate.datasets.kinds import CaptionSet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.retrieval import RANKS, ranks
from quantize.evaluate.statistics import Doubles, bootstrap, share

BLOCK = 512
"""Queries that are compared at once."""


def measure(predictor: Predictor, data: CaptionSet, settings: Settings) -> Outcome:
    """Recall among the first 1, 5 and 10: of a caption's picture, and of any of a picture's captions, by cosine."""
    reading = Reading(data.items, data.problems, "pictures")
    images = predictor.embed_images(reading.checked())
    captions = [(i, caption) for i, item in enumerate(reading.kept) for caption in item.captions]
    owner = np.array([i for i, _ in captions], np.int64)
    texts = predictor.embed_texts([caption for _, caption in captions])
    to_image, to_text = rank_all(images, texts, owner)
    each = np.bincount(owner).astype(np.float64)

    def statistic(weights: Doubles) -> Doubles:
        # Captions of one picture are not independent, so pictures are drawn.
        found = [np.bincount(owner, to_image < k) for k in RANKS]
        return np.array([weights @ right / (weights @ each) for right in found])

    by_text = bootstrap(statistic, len(images), settings.replicates)
    metrics = {f"text to image R@{k}": value for k, value in zip(RANKS, by_text, strict=True)}
    metrics |= {f"image to text R@{k}": share(to_text < k) for k in RANKS}
    return Outcome(metrics, {"pictures": len(images), "captions": len(captions)})


def rank_all(images: Floats, texts: Floats, owner: Integers) -> tuple[Floats, Floats]:
    """How many wrong answers come before the right one: for each text `[T]`, for each image `[I]`."""
    to_image = []
    for start in range(0, len(texts), BLOCK):
        mine = owner[start : start + BLOCK]
        similarity = texts[start : start + BLOCK] @ images.T
        own = mine[:, None] == np.arange(len(images))
        to_image.append(ranks(similarity, similarity[np.arange(len(mine)), mine], own))
    to_text = []
    for start in range(0, len(images), BLOCK):
        similarity = images[start : start + BLOCK] @ texts.T
        own = np.arange(start, start + len(similarity))[:, None] == owner
        to_text.append(ranks(similarity, np.where(own, similarity, -np.inf).max(axis=1), own))
    return np.concatenate(to_image), np.concatenate(to_text)
