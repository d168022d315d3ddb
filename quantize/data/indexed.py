"""Shards with random access: sample `i` is read by one seek, so that any process can draw any step, after a stop, too.

The members' places are found once and kept beside the cache; 41 million pictures take 3 GB of index.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.data.shards import Sample, decode
from quantize.files import whole_file
from quantize.progress import track

PARTS = ("jpg", "json", "mask.png", "panoptic.png", "pseudo_mask.png")


@dataclass
class Index:
    """Where each sample's parts lie in one shard; size 0 where a part is missing."""

    keys: NDArray[np.bytes_]  # [N]
    sources: NDArray[np.bytes_]  # [N]
    offsets: NDArray[np.int64]  # [N, PARTS]
    sizes: NDArray[np.int64]  # [N, PARTS]


def scan(path: Path) -> Index:
    """Reads all headers and records of a shard; raises ValueError when it is no tar file."""
    places: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(path, "r:") as tar, path.open("rb") as content:
            for member in tar:
                key, _, extension = member.name.partition(".")
                if member.isfile() and extension in PARTS:
                    places.setdefault(key, {})[extension] = member.offset_data, member.size
            keys = [k for k, parts in places.items() if "jpg" in parts and "json" in parts]
            sources = [_source(content.fileno(), *places[k]["json"]) for k in keys]
    except tarfile.TarError as error:
        raise ValueError(f"shard {path}: {error}, expected a tar file of samples") from None
    table = np.array([[places[k].get(p, (0, 0)) for p in PARTS] for k in keys], np.int64).reshape(-1, len(PARTS), 2)
    return Index(np.array(keys, np.bytes_), np.array(sources, np.bytes_), table[..., 0], table[..., 1])


def _source(content: int, offset: int, size: int) -> str:
    try:
        record = json.loads(os.pread(content, size, offset))
        return str(record.get("source", "")) if isinstance(record, dict) else ""
    except ValueError:
        return ""  # said when the sample is decoded


def index_of(path: Path, cache: Path) -> Index:
    """The kept index of exactly this file, or a new one."""
    if not path.is_file():
        raise FileNotFoundError(f"shard {path} is missing; expected a WebDataset .tar (README.md, Train)")
    state = path.stat()
    name = hashlib.sha256(f"{path.resolve()} {state.st_size} {state.st_mtime_ns} {PARTS}".encode()).hexdigest()[:16]
    kept = cache / f"index-{name}.npz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with whole_file(kept) as draft, draft.open("wb") as file:
            np.savez(file, **vars(scan(path)))
    with np.load(kept) as arrays:
        return Index(**{k: arrays[k] for k in arrays.files})


class IndexedShards(Sequence[Sample]):
    """All samples of several shards in order. `[i]` raises what `data.shards.decode` raises for a bad sample."""

    def __init__(self, paths: list[Path], cache: Path) -> None:
        self.paths = paths
        indices = [index_of(p, cache) for p in track(paths, "index of shards")]
        self.first = np.cumsum([0, *(len(i.keys) for i in indices)])
        self.offsets = np.concatenate([i.offsets for i in indices])
        self.sizes = np.concatenate([i.sizes for i in indices])
        self.keys = np.concatenate([i.keys for i in indices]).astype(np.bytes_)
        self.sources = np.concatenate([i.sources for i in indices]).astype(np.bytes_)
        self._open: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return int(self.first[-1])

    def __getitem__(self, i: int) -> Sample:  # type: ignore[override]  # no slices: a sample is megabytes
        shard = int(np.searchsorted(self.first, i, side="right")) - 1
        content = self._file(shard)
        found = zip(PARTS, self.offsets[i].tolist(), self.sizes[i].tolist(), strict=True)
        parts = {part: os.pread(content, size, offset) for part, offset, size in found if size}
        return decode({"__key__": self.keys[i].decode(), "__url__": str(self.paths[shard]), **parts})

    def _file(self, shard: int) -> int:
        """Each process opens its own: a forked one shares descriptors, pread shares no position."""
        name = (os.getpid(), shard)
        if name not in self._open:
            self._open[name] = os.open(self.paths[shard], os.O_RDONLY)
        return self._open[name]
