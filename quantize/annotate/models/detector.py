"""What a detector does, whatever its network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from quantize.annotate.models import adapter
from quantize.annotate.record import Picture, Rect

KINDS = {"nanodet": "nanodet.NanoDetector", "owlv2": "owlv2.Owlv2", "grounding_dino": "grounding_dino.GroundingDino"}


@dataclass(frozen=True)
class Detection:
    """A box in fractions of the picture, and the query or class that it is."""

    box: Rect
    name: str
    score: float


class Detector(Protocol):
    """`open`: finds what it is asked for; otherwise queries are ignored and names are its classes."""

    name: str
    version: str
    open: bool

    def __call__(self, pictures: Sequence[Picture], queries: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The boxes of each picture at the detector's least score or above."""


def load_detector(spec: str, device: str, min_scores: dict[str, float]) -> Detector:
    """Raises AnnotateError when the kind is unknown or its weights are missing."""
    made, where = adapter(spec, KINDS, "detectors")
    kind = spec.partition(":")[0]
    options: dict[str, Any] = {"min_score": min_scores[kind]} if kind in min_scores else {}
    detector: Detector = made.load(where, device, **options)
    return detector
