"""What of a set is learned, what calibrates scores, and what is held out and only measured; and what its names are called."""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from quantize.labels.labelled import DataSet, LabelError, Labelled, wrong

HELD_OUT = 0.25
CALIBRATION = 0.15
"""Of what is not held out."""
LEAST_PICTURES = 10


@dataclass(frozen=True)
class Split:
    """Three parts without a picture in common."""

    learned: list[Labelled]
    calibration: list[Labelled]
    held_out: list[Labelled]


def as_typed(name: str) -> str:
    """A class's name as its user would type it: `traffic_light` → `traffic light`."""
    return " ".join(name.replace("_", " ").replace("-", " ").split()).lower()


def check_names(data: DataSet) -> list[str]:
    """The names that are learned, as typed, the most frequent first.

    Raises:
        LabelError: there are none, or they are no words.
    """
    counts = Counter(as_typed(t.name) for p in data.pictures for t in p.things if not t.crowd)
    if not counts:
        found = "names of whole pictures alone" if data.names() else "no labels"
        raise wrong(data.place, found, "pictures with boxes (quantize.annotate and quantize.renew learn from names and captions)")
    numbers = [name for name in counts if name.isdigit()]
    if len(numbers) == len(counts):
        raise wrong(
            data.place, f"names that are numbers ({', '.join(sorted(numbers)[:5])})", "words: the model knows things by them"
        )
    return [name for name, _ in counts.most_common()]


def split(pictures: Sequence[Labelled], seed: int, share: float = HELD_OUT) -> Split:
    """By the set's own parts where it has them, else by the hash of each key; every name keeps a picture to be learned from.

    Raises:
        LabelError: there are too few pictures.
    """
    if len(pictures) < LEAST_PICTURES:
        raise LabelError(f"found {len(pictures)} usable pictures, expected at least {LEAST_PICTURES}")
    order = sorted(pictures, key=lambda p: zlib.crc32(f"{seed} {p.key}".encode()))
    own = [p for p in order if p.part == "test"] or [p for p in order if p.part == "val"]
    held = own if 0 < len(own) < len(order) else _some(order, round(share * len(order)))
    taken = {id(p) for p in held}
    rest = [p for p in order if id(p) not in taken]
    calibration = [p for p in rest if p.part == "val"] or _some(rest, round(CALIBRATION * len(rest)))
    taken = {id(p) for p in calibration}
    return Split([p for p in rest if id(p) not in taken], calibration, held)


def _some(order: Sequence[Labelled], count: int) -> list[Labelled]:
    """The first `count` that leave every name a picture."""
    left = Counter(name for p in order for name in _names(p))
    found: list[Labelled] = []
    for picture in order:
        if len(found) < count and all(left[name] > 1 for name in _names(picture)):
            found.append(picture)
            left.subtract(_names(picture))
    return found


def _names(picture: Labelled) -> set[str]:
    return {as_typed(t.name) for t in picture.things}
