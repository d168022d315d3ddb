"""One file per stage: a function from records to changed copies, in the same order and number."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol

from quantize.annotate.record import Record
from quantize.annotate.settings import Settings


class Stage(Protocol):
    """Takes a batch of records that are not dropped. Models are loaded once, when the stage is made."""

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """The changed copies."""


HEAVY = frozenset({"caption", "detect", "describe", "segment"})
"""Stages with networks: each needs a process of its own, and a GPU if there is one."""


def build(name: str, settings: Settings) -> Stage:
    """Makes one stage; each of the modules here has a `build`.

    Raises:
        AnnotateError: its model cannot be loaded.
    """
    maker: Callable[[Settings], Stage] = import_module(f"{__name__}.{name}").build
    return maker(settings)
