"""Inputs → chunks of pictures: WebDataset shards, folders of shards, folders of pictures and whatever labels they have."""

import hashlib
import json
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from quantize.annotate.errors import AnnotateError
from quantize.annotate.record import Record, earlier
from quantize.labels import beside, recognise
from quantize.labels.labelled import DataSet, LabelError

PICTURES = ("jpg", "jpeg", "png", "webp", "bmp")


@dataclass(frozen=True)
class Part:
    """Where one file of a sample lies; `size` -1 is the whole file. `content` stands for a file that is nowhere."""

    extension: str
    path: str
    offset: int
    size: int
    content: bytes = b""

    def read(self) -> bytes:
        """The bytes; fewer than `size` when the file was cut off."""
        if not self.path:
            return self.content
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


Place = tuple[str, tuple[Part, ...]]
"""A sample's key and its files."""


@dataclass(frozen=True)
class Chunk:
    """The unit of work: some pictures of one output shard."""

    shard: str
    number: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class InputShard:
    """What becomes one output shard; `identity` changes when the input does."""

    name: str
    places: tuple[Place, ...]
    identity: str

    def chunks(self, size: int) -> list[Chunk]:
        """Runs of `size` pictures."""
        return [Chunk(self.name, at // size, self.places[at : at + size]) for at in range(0, len(self.places), size)]


def find(inputs: Iterable[Path], shard_size: int) -> list[InputShard]:
    """All shards of the inputs.

    Raises:
        AnnotateError: an input is missing, of another kind, without pictures, or has another's name.
    """
    found: dict[str, InputShard] = {}
    for path in inputs:
        for shard in _of(path, shard_size):
            if shard.name in found:
                raise AnnotateError(f"{path}: found a second shard named {shard.name}, expected names of their own")
            found[shard.name] = shard
    return list(found.values())


def _of(path: Path, shard_size: int) -> Iterator[InputShard]:
    if path.is_dir():
        tars = sorted(path.glob("*.tar"))
        if tars:
            yield from map(_tar, tars)
        else:
            yield from _folder(path, shard_size)
    elif path.is_file() and tarfile.is_tarfile(path):
        yield _tar(path)
    elif path.is_file() and path.suffix != ".tar":
        yield from _labelled(_said(path), shard_size)
    elif path.is_file():
        raise AnnotateError(f"{path}: found a file that is not a tar, expected a WebDataset shard or a folder of pictures")
    else:
        raise AnnotateError(f"{path}: no such file or folder, expected a WebDataset shard or a folder of pictures")


def _tar(path: Path) -> InputShard:
    samples: dict[str, list[Part]] = {}
    try:
        with tarfile.open(path, "r:") as tar:  # members are read in place, so no compression
            for member in tar:
                key, _, extension = _split(member.name)
                if member.isfile():
                    samples.setdefault(key, []).append(Part(extension, str(path), member.offset_data, member.size))
    except tarfile.TarError as error:
        if not samples:
            raise AnnotateError(f"{path}: {error}, expected an uncompressed tar of samples") from None
    if not samples:
        raise AnnotateError(f"{path}: found no samples, expected KEY.jpg and KEY.json")
    return _shard(path.stem, samples, [path])


def _split(name: str) -> tuple[str, str, str]:
    folder, slash, base = name.rpartition("/")
    stem, dot, extension = base.partition(".")
    return folder + slash + stem, dot, extension.lower()


def _folder(path: Path, shard_size: int) -> Iterator[InputShard]:
    pictures = sorted(p for p in path.rglob("*") if p.suffix.lower().lstrip(".") in PICTURES and p.is_file())
    if not pictures:
        raise AnnotateError(f"{path}: found no pictures, expected some of {', '.join(PICTURES)}, or shards (*.tar)")
    data = _said(path)
    if data.form not in (beside.FORM, beside.BARE):
        yield from _labelled(data, shard_size)
        return
    for at in range(0, len(pictures), shard_size):
        group = pictures[at : at + shard_size]
        samples: dict[str, list[Part]] = {}
        for picture in group:
            key = re.sub(r"[^\w-]+", "_", str(picture.relative_to(path).with_suffix("")))
            if key in samples:
                key = f"{key}_{picture.suffix.lstrip('.').lower()}"
            files = [picture, *(p for p in (picture.with_suffix(".json"), picture.with_suffix(".txt")) if p.is_file())]
            samples[key] = [Part(p.suffix.lstrip(".").lower(), str(p), 0, -1) for p in files]
        yield _shard(f"{path.resolve().name}-{at // shard_size:03}", samples, group)


def _said(path: Path) -> DataSet:
    """What people said of the pictures; one line tells what was read and what was left."""
    try:
        data = recognise.read(path)
    except LabelError as error:
        raise AnnotateError(str(error)) from None
    print(f"annotate: {data}", file=sys.stderr)
    return data


def _labelled(data: DataSet, shard_size: int) -> Iterator[InputShard]:
    name = data.place.resolve().stem if data.place.is_file() else data.place.resolve().name
    for at in range(0, len(data.pictures), shard_size):
        samples: dict[str, list[Part]] = {}
        group = data.pictures[at : at + shard_size]
        for picture in group:
            key = re.sub(r"[^\w-]+", "_", picture.key)
            while key in samples:
                key += "_"
            told = json.dumps({"source": name} | picture.record(), ensure_ascii=False).encode()
            place = picture.content
            jpeg = Part(place.path.suffix.lstrip(".").lower(), str(place.path), place.offset, place.size)
            samples[key] = [jpeg, Part("json", "", 0, len(told), told)]
        yield _shard(f"{name}-{at // shard_size:03}", samples, [picture.content.path for picture in group])


def _shard(name: str, samples: dict[str, list[Part]], files: list[Path]) -> InputShard:
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(f"{file.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    for where in samples.values():
        digest.update(b"".join(part.content for part in where))
    return InputShard(name, tuple((key, tuple(where)) for key, where in samples.items()), digest.hexdigest())


def read(place: Place) -> Record:
    """A sample as it lies there; what is wrong with it is said in `dropped`. `KEY.txt` holds one caption per line."""
    key, where = place
    content = {part.extension: part.read() for part in where}
    jpeg = next((content.pop(e) for e in PICTURES if e in content), b"")
    given: object = {}
    dropped = "" if jpeg else "no picture"
    try:
        given = json.loads(content.pop("json", b"{}"))
        lines = content.pop("txt", b"").decode().splitlines()
    except ValueError:
        lines, dropped = [], "broken JSON or text"
    if not isinstance(given, dict):
        given, dropped = {}, "broken JSON or text"
    if lines:
        given["captions"] = [*given.get("captions", []), *lines]
    kept, removed = earlier(given)
    return Record(key, jpeg, given, content, dropped=dropped, removed=removed, **kept)
