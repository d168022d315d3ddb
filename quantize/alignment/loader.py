"""Where a step's pictures come from: drawn anew by worker processes, or dense features that a frozen encoder gave once."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from quantize.alignment.batches import Batch, Collator
from quantize.alignment.dense_cache import Features
from quantize.alignment.examples import Example, example
from quantize.data import canvas as cv
from quantize.data.indexed import IndexedShards
from quantize.data.shards import Sample
from quantize.model.dense import Dense

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slice:
    """The part of every global batch that one rank draws."""

    batch: int  # pictures of all ranks together
    rank: int = 0
    world: int = 1

    def of(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        return chosen[self.rank :: self.world]


def chosen(seed: int, step: int, share: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The samples of one step's global batch, without repeats; the same on every rank."""
    rng = np.random.default_rng([seed, step, 0])
    return rng.choice(len(share), min(count, int((share > 0).sum())), replace=False, p=share / share.sum())


def place(sample: Sample, view: int, size: int, rng: Generator) -> cv.Placement:
    """View 0 is what the board sees; others are random crops, aspects, mirrors and colours."""
    if view == 0:
        return cv.plain(sample.picture, size)
    return cv.augmented(sample.picture, sample.source, (0, 0, size, size), rng)


class Loader(Protocol):
    """Batches by step."""

    def batches(self, first: int, part: Slice) -> Iterator[Batch]:
        """One rank's batches from number `first` on, without end."""
        ...


class _Steps(Dataset[Batch]):
    def __init__(self, live: "LiveLoader", part: Slice) -> None:
        self.live, self.part = live, part

    def __getitem__(self, step: int) -> Batch:
        return self.live.draw(step, self.part)


class LiveLoader:
    """Canvases drawn in every step by worker processes. A sample that cannot be read is named and another drawn in its place."""

    def __init__(
        self, samples: IndexedShards, share: NDArray[np.float64], size: int, collate: Collator, seed: int, workers: int
    ) -> None:
        self.samples, self.share, self.size = samples, share, size
        self.collate, self.seed, self.workers = collate, seed, workers

    def batches(self, first: int, part: Slice) -> Iterator[Batch]:
        loader = DataLoader(
            _Steps(self, part), batch_size=None, sampler=count(first), num_workers=self.workers,
            prefetch_factor=4 if self.workers else None, multiprocessing_context="fork" if self.workers else None,
            generator=torch.Generator(),  # its own, so that a resumed run finds the global one as it was
        )  # fmt: skip
        yield from loader

    def draw(self, step: int, part: Slice) -> Batch:
        """One rank's batch of one step."""
        rng = np.random.default_rng([self.seed, step, 1, part.rank])
        found, pictures = [], []
        for i in part.of(chosen(self.seed, step, self.share, part.batch)).tolist():
            sample = self._readable(i, rng)
            placed = place(sample, int(rng.random() < 0.5), self.size, rng)
            pixels = np.full((self.size, self.size, 3), cv.GREY, np.uint8)
            placed.draw(sample.picture, pixels)
            found.append(example(sample, placed, self.size, self.collate.grid))
            pictures.append(pixels)
        return replace(self.collate(found, rng), pictures=torch.from_numpy(np.stack(pictures)))

    def _readable(self, i: int, rng: Generator) -> Sample:
        while True:
            try:
                return self.samples[i]
            except Exception as error:  # Pillow alone raises half a dozen types for a broken file
                log.warning("sample %s skipped: %s: %s", self.samples.keys[i].decode(), type(error).__name__, error)
                i = int(rng.integers(len(self.samples)))


@dataclass
class CachedLoader:
    """Batches of cached features: every drawn sample in one of the views at random."""

    views: list[Features]
    examples: list[list[Example]]  # one list per view
    share: NDArray[np.float64]
    collate: Collator
    seed: int

    def batches(self, first: int, part: Slice) -> Iterator[Batch]:
        for step in count(first):
            rng = np.random.default_rng([self.seed, step, 1, part.rank])
            at = part.of(chosen(self.seed, step, self.share, part.batch))
            view = rng.integers(len(self.views), size=len(at))
            batch = self.collate([self.examples[v][i] for v, i in zip(view.tolist(), at.tolist(), strict=True)], rng)
            yield replace(batch, dense=self._dense(view, at))

    def _dense(self, view: NDArray[np.int64], at: NDArray[np.int64]) -> Dense:
        order = np.argsort(view, kind="stable")
        parts = [self.views[v].dense(at[view == v]) for v in np.unique(view)]
        back = torch.from_numpy(np.argsort(order))
        return Dense(torch.cat([p.map for p in parts])[back], torch.cat([p.pooled for p in parts])[back])
