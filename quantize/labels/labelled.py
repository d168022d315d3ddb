"""Labelled pictures, whatever form their labels had, and what of a data set was left and why."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Rect = tuple[float, float, float, float]
PARTS = ("train", "val", "test")
DECIMALS = 6


class LabelError(ValueError):
    """A data set cannot be used; the message is one line."""


def wrong(place: object, found: str, expected: str) -> LabelError:
    """Names the file, what was found in it, and what was expected."""
    return LabelError(f"{place}: found {found}, expected {expected}")


@dataclass(frozen=True)
class Thing:
    """`rect` = x0, y0, x1, y1 as fractions of the upright picture; a `crowd`'s box holds many."""

    name: str
    rect: Rect
    crowd: bool = False


@dataclass(frozen=True)
class Content:
    """Where a picture's bytes lie; `size` -1 is the whole file."""

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """The bytes."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)

    def upright_size(self) -> tuple[int, int]:
        """Width and height as shown, from the header alone. Raises what Pillow raises for a broken file."""
        with Image.open(io.BytesIO(self.read()) if self.size >= 0 else self.path) as image:
            width, height = image.size
            turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations 5 to 8 lie on their side
        return (height, width) if turned else (width, height)


@dataclass
class Labelled:
    """One picture and what people said of it."""

    key: str
    """Its path in the set without the extension, or its key in a shard."""
    content: Content
    size: tuple[int, int]
    """Width and height, upright."""
    part: str = ""
    """The part of the set that it belongs to, one of `PARTS`; empty if the set is not split."""
    things: list[Thing] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """Names of the picture as a whole."""
    captions: list[str] = field(default_factory=list)

    def picture(self) -> NDArray[np.uint8]:
        """Upright RGB pixels `[height, width, 3]`."""
        with Image.open(io.BytesIO(self.content.read())) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))

    def record(self) -> dict[str, Any]:
        """What a shard's JSON says of it."""
        boxes = [{"box": [round(v, DECIMALS) for v in t.rect], "name": t.name} for t in self.things if not t.crowd]
        said = {"boxes": boxes, "labels": self.labels, "captions": self.captions}
        return {name: value for name, value in said.items() if value}


class Left:
    """What was left, by reason: how many, and the first of each."""

    def __init__(self) -> None:
        self.reasons: dict[str, tuple[int, str]] = {}

    def add(self, reason: str, which: object) -> None:
        """`reason` in the plural: "pictures that are not there"."""
        count, first = self.reasons.get(reason, (0, str(which)))
        self.reasons[reason] = count + 1, first

    def __str__(self) -> str:
        return "; ".join(f"{count} {reason} (first: {first})" for reason, (count, first) in self.reasons.items())


@dataclass
class DataSet:
    """All usable pictures of a data set."""

    place: Path
    form: str
    """The form of its labels, as messages name it."""
    pictures: list[Labelled]
    left: Left

    def names(self) -> list[str]:
        """Names of things and pictures, sorted."""
        return sorted({name for p in self.pictures for name in (*(t.name for t in p.things), *p.labels)})

    def __str__(self) -> str:
        """One line: what was read, and what was left and why."""
        boxes = [t for p in self.pictures for t in p.things]
        labels = [name for p in self.pictures for name in p.labels]
        captions = sum(len(p.captions) for p in self.pictures)
        said = [_counted(len(self.pictures), "picture")]
        if boxes:
            said.append(f"{_counted(len(boxes), 'box')} of {_counted(len({t.name for t in boxes}), 'name')}")
        if labels:
            said.append(f"{_counted(len(labels), 'label')} of {_counted(len(set(labels)), 'name')}")
        if captions:
            said.append(_counted(captions, "caption"))
        parts = [f"{n} {part}" for part in PARTS if (n := sum(p.part == part for p in self.pictures))]
        split = f" ({', '.join(parts)})" if parts else ""
        left = f"; left: {self.left}" if self.left.reasons else ""
        return f"{self.place}: {self.form}: {said[0]}{split}{''.join(f', {each}' for each in said[1:])}{left}"


def _counted(count: int, what: str) -> str:
    plural = f"{what}es" if what.endswith("x") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def part_of(words: Sequence[str]) -> str:
    """The part that the words of a path or name speak of: the last that does."""
    meant = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
    for word in reversed(words):
        bare = word.lower().rstrip("0123456789")
        if bare in meant:
            return meant[bare]
    return ""


def read_text(path: Path) -> str:
    """Raises LabelError if it cannot be read as text."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(path, str(error), "a text file with annotations") from None


def read_json(path: Path, expected: str) -> Any:
    """Raises LabelError if it is no JSON."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        if isinstance(error, LabelError):
            raise
        raise wrong(path, str(error), expected) from None
