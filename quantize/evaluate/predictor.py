"""The interface of a model under measurement, whichever program runs it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats, Integers

Picture = NDArray[np.uint8]
"""RGB pixels, `[height, width, 3]`."""


class CheckpointError(Exception):
    """A checkpoint is missing or of another model; the message is one line."""


@dataclass(frozen=True)
class Masks:
    """Masks of a picture's things, cell by cell of its letterbox."""

    logits: Floats
    """`[K, h, w]`: above 0 inside."""
    content: Floats
    """`[4]`: the picture's rectangle in the letterbox, as fractions of its side."""
    of: Integers
    """`[N]`: which mask each detection has."""


@dataclass(frozen=True)
class Detections:
    """Named boxes of one picture."""

    boxes: Floats
    """`[N, 4]`: x0, y0, x1, y1 in source pixels."""
    labels: Integers
    """`[N]`: positions in the list of names that was asked for."""
    scores: Floats
    """`[N]`, in 0 to 1, falling."""
    masks: Masks | None = None
    """None of a model that has boxes alone."""


@dataclass(frozen=True)
class DenseEmbeddings:
    """Embeddings of a picture's letterbox, cell by cell."""

    embeddings: Floats
    """`[D, h, w]`, unit norm in each cell."""
    content: Floats
    """`[4]`: the picture's rectangle in the letterbox, as fractions of its side."""


@dataclass(frozen=True)
class Thresholds:
    """From which scores on a model says something unless it is told otherwise."""

    boxes: float = 0.3
    tags: float = 0.3


class Detector(Protocol):
    """Finds names in pictures."""

    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        """Finds `names`: at most `top` boxes per picture (all for None), each with a score of `threshold` or more."""
        ...


class Embedder(Protocol):
    """Puts pictures and texts into one space; embeddings have unit norm."""

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Embeds texts as prompts, through the model's templates: `[N, D]`. Longer ones than the model takes are cut."""
        ...

    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        """Embeds whole pictures: `[N, D]`."""
        ...


class Predictor(Detector, Embedder, Protocol):
    """An open-vocabulary model; embeddings have unit norm.

    Pictures are taken one by one, in order, and results per picture are yielded as soon as they are known: whole
    data sets need not fit into memory.
    """

    thresholds: Thresholds

    def embed_regions(self, pictures: Iterable[tuple[Picture, Floats]]) -> Iterator[Floats]:
        """Embeds the boxes `[n, 4]` of each picture (source pixels): `[n, D]` per picture."""
        ...

    def dense(self, pictures: Iterable[Picture]) -> Iterator[DenseEmbeddings]:
        """Embeds every cell of each picture."""
        ...

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        """Probability that each name is true of each picture as a whole: `[pictures, names]`."""
        ...


@dataclass(frozen=True)
class Look:
    """What a model says of one picture."""

    detections: Detections
    tags: Floats
    """`[names]`: a probability each."""


@runtime_checkable
class AtOnce(Protocol):
    """A predictor that finds boxes and tags in one pass."""

    def look(self, pictures: Iterable[Picture], names: Sequence[str], threshold: float) -> Iterator[Look]:
        """All boxes from `threshold` on, and the tags, of each picture."""
        ...


def look(predictor: Predictor, pictures: Sequence[Picture], names: Sequence[str], threshold: float) -> Iterator[Look]:
    """What `detect` and `tag_scores` give, in one pass where the predictor can."""
    if isinstance(predictor, AtOnce):
        yield from predictor.look(pictures, names, threshold)
        return
    found = predictor.detect(pictures, names, threshold, None)
    for each, tags in zip(found, predictor.tag_scores(pictures, names), strict=True):
        yield Look(each, tags)
