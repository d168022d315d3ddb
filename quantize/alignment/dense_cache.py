"""Dense features that a frozen encoder gives once, kept on disk and read through a memory map."""

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantize.data import canvas as cv
from quantize.data.shards import Sample
from quantize.data.workers import workers
from quantize.model.dense import Dense, Encoder
from quantize.model.preparation import normalise
from quantize.progress import track

CHUNK = 32


@dataclass
class Features:
    """Dense features of all samples in one view: every cell's vector as int8 with a scale of its own (under .4 % off)."""

    cells: NDArray[np.int8]  # [N,h*w,C]
    scale: NDArray[np.float16]  # [N,h*w]
    pooled: NDArray[np.float16]  # [N,P]
    grid: int

    def dense(self, at: NDArray[np.int64]) -> Dense:
        order = np.sort(at)  # a memory map is read in its own order
        back = np.searchsorted(order, at)
        cells = torch.from_numpy(self.cells[order][back]).float() * torch.from_numpy(self.scale[order][back]).float()[..., None]
        maps = cells.transpose(1, 2).reshape(len(at), -1, self.grid, self.grid)
        return Dense(maps, torch.from_numpy(self.pooled[at]).float())


def pack(maps: Tensor) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """[B,C,h,w] → cells [B,h*w,C] int8 and their scales."""
    cells = maps.flatten(2).transpose(1, 2).float()
    scale = (cells.abs().amax(2) / 127).clamp(min=1e-8).half()
    whole = (cells / scale.float()[..., None]).round().clamp(-127, 127).to(torch.int8)
    return whole.cpu().numpy(), scale.cpu().numpy()


@dataclass
class FrozenEncoder:
    """An encoder, by the `name` that the recipe gives it, and how it is used."""

    network: Encoder
    name: str
    size: int  # side of the pictures in pixels
    grid: int  # cells along a side of its map
    device: str


def features(encoder: FrozenEncoder, samples: list[Sample], places: list[cv.Placement], cache: Path) -> Features:
    """The kept features of exactly these canvases, or new ones."""
    told = repr((encoder.name, encoder.size, [s.key for s in samples], places))
    stem = cache / f"dense-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    files = {part: stem.with_suffix(f".{part}.npy") for part in ("cells", "scale", "pooled")}
    if not all(path.exists() for path in files.values()):
        _write(_Work(encoder, samples, places), files)
    cells, scale, pooled = (np.load(path, mmap_mode="r") for path in files.values())
    return Features(cells, scale, pooled, encoder.grid)


@dataclass
class _Work:
    """What worker processes share (by fork)."""

    encoder: FrozenEncoder
    samples: list[Sample]
    places: list[cv.Placement]


_work: _Work


def _part(start: int) -> tuple[NDArray[np.int8], NDArray[np.float16], NDArray[np.float16]]:
    """Cells, scales and pooled vectors of CHUNK canvases."""
    encoder = _work.encoder
    samples, places = _work.samples[start : start + CHUNK], _work.places[start : start + CHUNK]
    pixels = np.full((len(samples), encoder.size, encoder.size, 3), cv.GREY, np.uint8)
    for row, placed, sample in zip(pixels, places, samples, strict=True):
        placed.draw(sample.picture, row)
    with torch.no_grad(), torch.autocast(encoder.device, torch.bfloat16):
        dense = encoder.network(normalise(torch.from_numpy(pixels).to(encoder.device)))
    return *pack(dense.map), dense.pooled.float().half().cpu().numpy()


def _write(work: _Work, files: dict[str, Path]) -> None:
    global _work
    _work = work
    n, cells, network = len(work.samples), work.encoder.grid**2, work.encoder.network
    shapes = {"cells": (cells, network.channels), "scale": (cells,), "pooled": (network.pooled_channels,)}
    kinds = {"cells": np.int8, "scale": np.float16, "pooled": np.float16}
    files["cells"].parent.mkdir(parents=True, exist_ok=True)
    temporary = {part: path.with_suffix(".tmp") for part, path in files.items()}
    out = {
        part: np.lib.format.open_memmap(path, "w+", np.dtype(kinds[part]), (n, *shapes[part])) for part, path in temporary.items()
    }
    starts = range(0, n, CHUNK)
    with workers() if work.encoder.device == "cpu" else nullcontext() as pool:
        parts = pool.map(_part, starts) if pool else map(_part, starts)
        for start, found in zip(starts, track(parts, f"dense features x{CHUNK}", len(starts)), strict=True):
            for array, values in zip(out.values(), found, strict=True):
                array[start : start + CHUNK] = values
    for part, path in temporary.items():
        out[part].flush()
        path.replace(files[part])
