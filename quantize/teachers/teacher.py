"""What a teacher does, whatever its network."""

from typing import Protocol

from quantize.data.shards import Sample
from quantize.data.soft_labels import Arrays


class Teacher(Protocol):
    """Answers about one picture at a time."""

    @property
    def version(self) -> str:
        """What its answers depend on: weights and settings."""
        ...

    @property
    def names(self) -> list[str]:
        """What the indices in its answers stand for."""
        ...

    def __call__(self, sample: Sample) -> Arrays:
        """Arrays of equal length: one row per box, per region, or one for the picture."""
        ...
