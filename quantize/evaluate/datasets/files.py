"""What all sets share: files that must be there, pictures one by one, and a record of what was unusable."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from PIL import Image

from quantize.arithmetic.geometry import Floats, Integers, clip
from quantize.evaluate.predictor import Picture
from quantize.evaluate.segmentation import IGNORED
from quantize.progress import track

R = TypeVar("R")
SHOWN = 5


class DatasetError(Exception):
    """A set is missing, or not what it should be; the message is one line."""


class Item(Protocol):
    """A picture of a set."""

    @property
    def path(self) -> Path:
        """The picture file."""
        ...


I = TypeVar("I", bound=Item)  # noqa: E741


@dataclass
class Problems:
    """What was unusable in a set, and left out."""

    unreadable: list[str] = field(default_factory=list)
    """Files."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Label ids and names that the set should not have, and how often."""
    dropped: int = 0
    """Boxes without an area inside their picture."""

    def counts(self) -> dict[str, int]:
        """How many of each kind; nothing where there are none."""
        every = {"unreadable": len(self.unreadable), "unknown": self.unknown.total(), "dropped boxes": self.dropped}
        return {name: count for name, count in every.items() if count}

    def report(self) -> None:
        """Prints them on standard error, one line per kind."""
        if self.unreadable:
            print(f"evaluate: {len(self.unreadable)} left out: {_some(self.unreadable)}", file=sys.stderr)
        if self.unknown:
            some = _some([f"{name} ({count} times)" for name, count in self.unknown.items()])
            print(f"evaluate: unknown labels do not count: {some}", file=sys.stderr)
        if self.dropped:
            print(f"evaluate: {self.dropped} boxes without an area inside their picture do not count", file=sys.stderr)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


class Reading(Generic[I]):
    """The pictures of items, one by one; those that cannot be read are noted and skipped."""

    def __init__(self, items: Sequence[I], problems: Problems, description: str) -> None:
        """To be iterated once."""
        self.items, self.problems, self.description = items, problems, description
        self.kept: list[I] = []

    def __iter__(self) -> Iterator[Picture]:
        for _, picture in self.with_items():
            yield picture

    def with_items(self) -> Iterator[tuple[I, Picture]]:
        """Items and their pictures."""
        for item in track(self.items, self.description):
            try:
                picture = np.asarray(Image.open(item.path).convert("RGB"))
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                self.problems.unreadable.append(f"{item.path}: {_reason(error)}")
                continue
            self.kept.append(item)
            yield item, picture

    def joined(self, results: Iterable[R]) -> Iterator[tuple[I, R]]:
        """Each result, made from these pictures in order, with its item.

        Raises:
            DatasetError: not one picture could be read.
        """
        for i, result in enumerate(results):
            yield self.kept[i], result
        self._check()

    def checked(self) -> Iterator[Picture]:
        """The pictures; raises DatasetError at the end if there was none that could be read."""
        yield from self
        self._check()

    def _check(self) -> None:
        if not self.kept:
            first = self.problems.unreadable[0] if self.problems.unreadable else "no pictures"
            raise DatasetError(f"{first}, expected at least one picture that can be read (--data)")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return "no picture that can be read" if str(error).startswith("cannot identify") else str(error).splitlines()[0]


def inside(boxes: Floats, picture: Picture) -> Floats:
    """Boxes `[N, 4]` cut at the picture's edges."""
    return clip(boxes, np.array([0, 0, picture.shape[1], picture.shape[0]], np.float32))


def existing(path: Path, expected: str) -> Path:
    """`path`, if it is there.

    Raises:
        DatasetError: with what should be there.
    """
    if not path.exists():
        raise DatasetError(f"{path}: nothing there, expected {expected} (--data, --list)")
    return path


@contextmanager
def expecting(path: Path, expected: str) -> Iterator[None]:
    """Turns errors while `path` is read into a DatasetError that says what was expected."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}, expected {expected}") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        message = str(error).splitlines()[0] if str(error) else ""
        raise DatasetError(f"{path}: found {type(error).__name__} {message}, expected {expected}") from error


def read_json(path: Path, expected: str) -> Any:
    """The content of a JSON file; raises DatasetError."""
    existing(path, expected)
    with expecting(path, expected):
        return json.loads(path.read_bytes())


def read_lines(path: Path, expected: str) -> list[str]:
    """The lines of a text file that are not blank; raises DatasetError."""
    existing(path, expected)
    with expecting(path, expected):
        return [line for line in path.read_text("utf-8").splitlines() if line.strip()]


def label_map(path: Path, classes: dict[int, int], problems: Problems) -> Integers | None:
    """A PNG of label ids as classes `[height, width]`; None, and noted, if it cannot be read.

    Args:
        path: the file; of a palette picture the indices count.
        classes: from id to class or `IGNORED`; other ids are noted and ignored.
        problems: where that is noted.
    """
    try:
        ids = np.asarray(Image.open(path))
        if ids.ndim != 2:
            raise ValueError(f"{ids.shape[2]} channels, expected one of label ids")
    except (OSError, SyntaxError, ValueError) as error:
        problems.unreadable.append(f"{path}: {_reason(error)}")
        return None
    table = np.full(max(int(ids.max()), *classes) + 1, IGNORED, np.int64)
    table[list(classes)] = list(classes.values())
    present, counts = np.unique(ids, return_counts=True)
    for label, count in zip(present.tolist(), counts.tolist(), strict=True):
        if label not in classes:
            problems.unknown[f"id {label}"] += count
    return np.asarray(table[ids], np.int64)


def first_of(options: Sequence[tuple[Path, Callable[[Path], R]]], expected: str) -> R:
    """Reads the first of some files that is there.

    Raises:
        DatasetError: none is.
    """
    for path, read in options:
        if path.exists():
            return read(path)
    raise DatasetError(f"{options[0][0].parent}: nothing of {', '.join(path.name for path, _ in options)}, expected {expected}")
