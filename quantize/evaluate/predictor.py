"""What a protocol may ask of a model, whichever program runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quantize.geometry import Floats, Integers

Picture = NDArray[np.uint8]
"""RGB pixels, `[height, width, 3]`."""


@dataclass(frozen=True)
class Detections:
    """Named boxes of one picture."""

    boxes: Floats
    """`[N, 4]`: x0, y0, x1, y1 in source pixels."""
    labels: Integers
    """`[N]`: positions in the list of names that was asked for."""
    scores: Floats
    """`[N]`, in 0 to 1."""


@dataclass(frozen=True)
class DenseEmbeddings:
    """Embeddings of a picture's letterbox, cell by cell."""

    embeddings: Floats
    """`[D, h, w]`, unit norm in each cell."""
    content: Floats
    """`[4]`: the picture's rectangle in the letterbox, as fractions of its side."""


class Detector(Protocol):
    """Finds names in pictures."""

    def detect(self, pictures: Sequence[Picture], names: Sequence[str], threshold: float, top: int) -> list[Detections]:
        """Finds `names`: at most `top` boxes a picture, each with a score of `threshold` or more."""
        ...


class Predictor(Detector, Protocol):
    """An open-vocabulary model; embeddings come back with unit norm."""

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Embeds texts as prompts, through the bundle's templates: `[N, D]`."""
        ...

    def embed_images(self, pictures: Sequence[Picture]) -> Floats:
        """Embeds whole pictures: `[N, D]`."""
        ...

    def embed_regions(self, pictures: Sequence[Picture], boxes: Sequence[Floats]) -> Floats:
        """Embeds the boxes of each picture (source pixels), in order, all in one array `[M, D]`."""
        ...

    def dense(self, pictures: Sequence[Picture]) -> list[DenseEmbeddings]:
        """Embeds every cell of each picture."""
        ...

    def tag_scores(self, pictures: Sequence[Picture], names: Sequence[str]) -> Floats:
        """Probability that each name is true of each picture as a whole: `[pictures, names]`."""
        ...
