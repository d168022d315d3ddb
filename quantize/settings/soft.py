"""The recipe's table `[soft]`: which teachers are asked about every training picture, once."""

from dataclasses import dataclass, field

from quantize.settings.toml import at_least_one

TEACHERS = ("picodet", "nanodet", "labeler", "classifier", "deeplab", "mosaic")
"""In the order in which they are asked: the classifiers look at the detectors' boxes."""


@dataclass
class SoftSettings:
    """Where the answers are kept, and how much of them."""

    folder: str = ""  # of the answers; empty: none are made or used
    teachers: list[str] = field(default_factory=lambda: list(TEACHERS))  # who is asked
    shards: list[str] = field(default_factory=list)  # file names of shards whose pictures come first, before the others
    chunk: int = 96  # pictures in one file of answers: what is done again after a crash
    boxes: int = 12  # most regions of a picture, beside the whole of it, that the classifiers look at
    names: int = 16  # best names of a classifier that are kept

    def __post_init__(self) -> None:
        at_least_one(self, "chunk", "boxes", "names")
        for name in self.teachers:
            if name not in TEACHERS:
                raise ValueError(f"teachers has {name!r}, expected some of {', '.join(TEACHERS)}")
