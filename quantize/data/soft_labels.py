"""What teachers said about the pictures of shards: one small file per teacher and chunk of a shard.

A file holds the keys of its pictures, how many rows each has (`counts`), and the rows themselves. It is complete or not there,
so that asking may stop at any time and goes on where it was.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.files import whole_file

Arrays = dict[str, NDArray[Any]]
STEPS = 65535
"""Boxes are kept in steps of the picture's sides."""


def packed(rects: NDArray[np.floating[Any]]) -> NDArray[np.uint16]:
    """Boxes `[N, 4]` as fractions of the sides, in two bytes a number."""
    return np.asarray(np.round(np.clip(rects, 0, 1) * STEPS), np.uint16).reshape(-1, 4)


def unpacked(rects: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The reverse of `packed`."""
    return np.asarray(rects / STEPS, np.float32)


@dataclass(frozen=True)
class Chunk:
    """A teacher's answers about some pictures; each array of `rows` has `counts.sum()` rows."""

    keys: list[str]
    counts: NDArray[np.int32]
    rows: Arrays

    @classmethod
    def of(cls, keys: Sequence[str], answers: Sequence[Arrays]) -> "Chunk":
        """From one answer per picture; its arrays have equal lengths."""
        counts = np.array([len(next(iter(each.values()))) for each in answers], np.int32)
        return cls(list(keys), counts, {name: np.concatenate([each[name] for each in answers]) for name in answers[0]})

    def pictures(self) -> Iterator[tuple[str, Arrays]]:
        """Key and rows of each picture."""
        ends = np.cumsum(self.counts)
        for key, start, end in zip(self.keys, ends - self.counts, ends, strict=True):
            yield key, {name: array[start:end] for name, array in self.rows.items()}


class Answers:
    """The folder of one teacher's answers."""

    def __init__(self, folder: Path, teacher: str) -> None:
        """`folder` holds all teachers' answers."""
        self.teacher, self.folder = teacher, folder / teacher

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Notes what the answers depend on.

        Raises:
            ValueError: there are answers of something else.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "teacher.json"
        if path.exists() and (found := json.loads(path.read_text())) != dict(identity):
            differs = [key for key in {*found, *identity} if found.get(key) != identity.get(key)]
            raise ValueError(
                f"{path}: {', '.join(f'{k} is {found.get(k)!r}, expected {identity.get(k)!r}' for k in sorted(differs))};"
                f" remove {self.folder} to ask anew"
            )
        with whole_file(path) as draft:
            draft.write_text(json.dumps(identity, indent=1) + "\n")

    def names(self) -> list[str]:
        """What the indices of its names stand for."""
        names: list[str] = json.loads((self.folder / "teacher.json").read_text())["names"]
        return names

    def path(self, shard: str, number: int) -> Path:
        """The file of a shard's chunk."""
        return self.folder / f"{shard}-{number:04}.npz"

    def keep(self, shard: str, number: int, chunk: Chunk) -> None:
        """Writes one chunk."""
        with whole_file(self.path(shard, number)) as draft, draft.open("wb") as file:
            arrays: Arrays = {"keys": np.array(chunk.keys), "counts": chunk.counts, **chunk.rows}
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    def read(self, path: Path) -> Chunk:
        """One file."""
        with np.load(path) as arrays:
            rows = {name: arrays[name] for name in arrays.files if name not in ("keys", "counts")}
            return Chunk([str(key) for key in arrays["keys"]], arrays["counts"], rows)

    def pictures(self) -> Iterator[tuple[str, Arrays]]:
        """Every picture that was asked about so far."""
        for path in sorted(self.folder.glob("*.npz")):
            yield from self.read(path).pictures()
