"""What a segmenter does, whatever its network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quantize.annotate.models import adapter
from quantize.annotate.record import Picture, PseudoBox

KINDS = {"sam": "sam.Sam", "mask2former": "mask2former.Mask2Former", "deeplab": "deeplab.DeepLab"}


@dataclass(frozen=True)
class Segment:
    """`mask` [h, w] of the picture's pixels."""

    mask: NDArray[np.bool_]
    name: str
    score: float


class Segmenter(Protocol):
    """Finds the segments of pictures; boxes are prompts for those that take some."""

    name: str
    version: str

    def __call__(self, pictures: Sequence[Picture], boxes: Sequence[Sequence[PseudoBox]]) -> list[list[Segment]]:
        """The segments of each picture."""


def load_segmenter(spec: str, device: str) -> Segmenter:
    """Raises AnnotateError when the kind is unknown or its weights are missing."""
    made, where = adapter(spec, KINDS, "segmenter")
    segmenter: Segmenter = made.load(where, device)
    return segmenter
