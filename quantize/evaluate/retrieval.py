"""Retrieval of pictures by their captions, and of captions by their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantize.arithmetic.geometry import Floats, Integers
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.samples import Sample
from quantize.progress import track

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Recall:
    """Share of queries with a right answer among the first k, for each k of `RANKS`."""

    text_to_image: dict[int, float]
    image_to_text: dict[int, float]


def recall(similarity: Floats, owner: Integers) -> Recall:
    """From similarities `[pictures, captions]`; caption j belongs to picture `owner[j]`."""
    text_rank, image_rank = both_ranks(similarity, owner)
    return Recall(
        {k: float((text_rank < k).mean()) for k in RANKS},
        {k: float((image_rank < k).mean()) for k in RANKS},
    )


def both_ranks(similarity: Floats, owner: Integers) -> tuple[Floats, Floats]:
    """The rank of each caption's picture `[captions]`, and of each picture's best caption `[pictures]`, from 0.

    A right answer's rank counts everything that is strictly more similar, and half of the rest that is as similar.
    """
    own = owner[None] == np.arange(len(similarity))[:, None]
    of_text = similarity[owner, np.arange(len(owner))]
    best_text = np.where(own, similarity, -np.inf).max(axis=1)
    return ranks(similarity.T, of_text, own.T), ranks(similarity, best_text, own)


def ranks(similarity: Floats, right: Floats, own: Floats) -> Floats:
    """How many wrong answers each row puts before its right one."""
    wrong = np.where(own, -np.inf, similarity)
    ahead = (wrong > right[:, None]).sum(axis=1)
    level = (wrong == right[:, None]).sum(axis=1)
    return np.asarray(ahead + level / 2, np.float32)


def evaluate_retrieval(predictor: Predictor, samples: Sequence[Sample]) -> Recall:
    """Ranks by cosine; every picture has five captions."""
    return recall(*similarities(predictor, samples))


def similarities(predictor: Predictor, samples: Sequence[Sample]) -> tuple[Floats, Integers]:
    """Cosines `[pictures, captions]`, and each caption's picture."""
    captions = [(i, str(caption)) for i, sample in enumerate(samples) for caption in sample.record["captions"]]
    images = predictor.embed_images(sample.picture() for sample in track(samples, "captioned pictures"))
    texts = predictor.embed_texts([caption for _, caption in captions])
    return images @ texts.T, np.array([i for i, _ in captions], np.int64)
