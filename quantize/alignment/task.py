"""RegionClip as a task of the training loop."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quantize.alignment.batches import Batch, Collator
from quantize.alignment.dense_cache import Features, FrozenEncoder, features
from quantize.alignment.examples import example
from quantize.alignment.loader import CachedLoader, LiveLoader, Loader, Slice, place
from quantize.alignment.objective import Objective
from quantize.alignment.texts import Texts
from quantize.alignment.vocabulary import Vocabulary
from quantize.data.indexed import IndexedShards
from quantize.data.shards import Sample
from quantize.files import whole_file
from quantize.model.dense import Encoder
from quantize.model.preparation import normalise
from quantize.model.region_clip import RegionClip
from quantize.progress import track
from quantize.settings.region_clip import RegionClipRecipe
from quantize.training.distributed import rank, world

log = logging.getLogger(__name__)
TOWER_SHARE = 0.1
"""Learning rate of pretrained towers beside that of new layers."""


def readable(samples: IndexedShards) -> Iterator[Sample | None]:
    """Every sample in order; None, and a warning, for one that cannot be read."""
    for i in range(len(samples)):
        try:
            yield samples[i]
        except Exception as error:  # Pillow alone raises half a dozen types for a broken file
            log.warning("sample %s skipped: %s: %s", samples.keys[i].decode(), type(error).__name__, error)
            yield None


class AlignmentTask:
    """Model, batches and losses of one recipe; see `training.task.Task`."""

    def __init__(self, recipe: RegionClipRecipe, loader: Loader, vocabulary: Vocabulary, kept: dict[str, Tensor]) -> None:
        """`kept` are a frozen text tower's vectors, see `texts.Texts`."""
        self.recipe, self.loader = recipe, loader
        torch.manual_seed(recipe.seed)
        self.model = RegionClip(recipe.model).to(recipe.device)
        self.modules = nn.ModuleDict({"model": self.model})
        self.objective = Objective(self.model, Texts(self.model, kept), vocabulary, recipe.losses, recipe.data.tags_a_step)

    def groups(self) -> list[dict[str, Any]]:
        """Pretrained towers move slowly; vectors and scalars are not decayed."""
        recipe = self.recipe
        found: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, p in self.model.named_parameters():
            if p.requires_grad:
                found.setdefault((name.startswith(("encoder.", "text_tower.")), p.dim() > 1), []).append(p)
        return [
            {
                "params": params,
                "lr": recipe.learning_rate * (TOWER_SHARE if tower else 1.0),
                "weight_decay": recipe.weight_decay if matrix else 0.0,
            }
            for (tower, matrix), params in found.items()
        ]

    def batches(self, first: int) -> Iterator[Batch]:
        part = Slice(self.recipe.data.batch, rank(), world())
        for batch in self.loader.batches(first, part):
            yield batch.to(self.recipe.device)

    def pictures(self, batch: Batch) -> int:
        return len(batch.tags)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        dense = batch.dense
        if dense is None:
            if batch.pictures is None:
                raise ValueError("batch: found neither pictures nor dense features, expected either")
            dense = self.model.encode(normalise(batch.pictures))
        return self.objective(batch, dense)

    def describe(self) -> dict[str, Any]:
        return asdict(self.recipe)


def weight_of(sources: list[str], recipe: RegionClipRecipe) -> NDArray[np.float64]:
    return np.array([recipe.data.source_weights.get(source, 1.0) for source in sources], np.float64)


def live(recipe: RegionClipRecipe, samples: IndexedShards, vocabulary: Vocabulary) -> LiveLoader:
    """Pictures drawn anew in every step."""
    share = weight_of([s.decode() for s in samples.sources.tolist()], recipe)
    collate = Collator(vocabulary, recipe.data.regions, recipe.data.grid)
    return LiveLoader(samples, share, recipe.model.size, collate, recipe.seed, recipe.data.workers)


def vocabulary_of(recipe: RegionClipRecipe, samples: IndexedShards) -> Vocabulary:
    """The kept vocabulary of exactly these shards, or a new one."""
    data = recipe.data
    told = repr((samples.keys.tolist(), data.shards, data.least_tag_pictures, data.most_tags))
    path = Path(data.cache) / f"vocabulary-{hashlib.sha256(told.encode()).hexdigest()[:16]}.json"
    if not path.exists():
        each = (s for s in track(readable(samples), "vocabulary", len(samples)) if s is not None)
        with whole_file(path) as draft:
            draft.write_text(json.dumps(Vocabulary.of(each, data.least_tag_pictures, data.most_tags).names))
    return Vocabulary(json.loads(path.read_text()))


def cached(recipe: RegionClipRecipe, samples: list[Sample], vocabulary: Vocabulary) -> CachedLoader:
    """Dense features of the recipe's frozen encoder, computed where they are not kept yet."""
    data, size = recipe.data, recipe.model.size
    network = RegionClip(recipe.model).to(recipe.device).eval().encoder
    if network is None:
        raise ValueError(f"encoder is {recipe.model.encoder}: it encodes no pictures, expected one by name")
    encoder = FrozenEncoder(cast(Encoder, network), recipe.model.encoder, size, data.grid, recipe.device)
    views: list[Features] = []
    examples = []
    for view in range(data.views):
        places = [place(s, view, size, np.random.default_rng([view, i])) for i, s in enumerate(samples)]
        views.append(features(encoder, samples, places, Path(data.cache)))
        examples.append([example(s, p, size, data.grid) for s, p in zip(samples, places, strict=True)])
    collate = Collator(vocabulary, data.regions, data.grid)
    return CachedLoader(views, examples, weight_of([s.source for s in samples], recipe), collate, recipe.seed)


def load_parts(recipe: RegionClipRecipe) -> tuple[Loader, Vocabulary]:
    """Batches and vocabulary of a recipe; raises FileNotFoundError or ValueError that says what is missing or wrong."""
    samples = IndexedShards([Path(p) for p in recipe.data.shards], Path(recipe.data.cache))
    if not len(samples):
        raise ValueError(f"found no sample in {', '.join(recipe.data.shards)}, expected pictures (.jpg) with records (.json)")
    vocabulary = vocabulary_of(recipe, samples)
    if recipe.data.cached:
        return cached(recipe, [s for s in readable(samples) if s is not None], vocabulary), vocabulary
    return live(recipe, samples, vocabulary), vocabulary


def load_task(recipe: RegionClipRecipe, workers: int = 0) -> AlignmentTask:
    """Everything that a recipe names; `workers` draw pictures instead of as many as it says, if not 0."""
    if workers:
        recipe = replace(recipe, data=replace(recipe.data, workers=workers))
    return AlignmentTask(recipe, *load_parts(recipe), {})
