"""Captioners of the BLIP family (arXiv 2201.12086, 2301.12597) through transformers."""

from collections.abc import Sequence
from typing import Protocol

from quantize.annotate.models import adapter
from quantize.annotate.record import Picture

KINDS = {"blip": "blip.Blip"}


class Captioner(Protocol):
    """Says what a picture shows."""

    name: str
    version: str

    def __call__(self, pictures: Sequence[Picture]) -> list[tuple[str, float]]:
        """A caption and its mean token probability each; an empty one when the model had nothing to say."""


def load_captioner(spec: str, device: str) -> Captioner:
    """Raises AnnotateError when the kind is unknown or its weights are missing."""
    made, where = adapter(spec, KINDS, "captioner")
    captioner: Captioner = made.load(where, device)
    return captioner
