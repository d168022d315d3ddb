"""The result of a protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

from quantize.evaluate.statistics import Estimate


@dataclass(frozen=True)
class Settings:
    """What a measurement may vary."""

    replicates: int = 200
    """Resampled data sets of the bootstrap."""
    sliding: bool = False
    """Label maps from square windows that overlap by half, instead of from the whole picture."""
    templates: tuple[str, ...] = ("{}",)
    """Sentences around the names of ImageNet, on top of the model's own."""


@dataclass(frozen=True)
class Outcome:
    """Numbers by name, and how much they were measured on."""

    metrics: Mapping[str, Estimate]
    counts: Mapping[str, int]
