"""The board's model as a task of the loop: heads over cached sites of a frozen trunk, or heads and trunk on drawn pictures."""

import copy
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from quantize.batches import CachedSites, Drawn, LiveSites
from quantize.data.shards import Shards
from quantize.model.edgeclip import EdgeClip
from quantize.model.trunk import load_trunk
from quantize.objective import all_losses, weighted
from quantize.recipe import Recipe
from quantize.sites import Sites
from quantize.supervision import Supervision, load_supervision

TRUNK_WEIGHT_DECAY = 1e-4


def starting_points(model: EdgeClip, sites: Sites, supervision: Supervision) -> None:
    """What depends on data: standardisation and the text projection's axes."""
    model.image.standardise.measure(sites.image[:20000])
    model.region.standardise.measure(sites.region[:20000])
    model.dense.standardise.measure(sites.pixel[:20000])
    model.projection.start_from(supervision.texts.vectors[:, 0])


class Board:
    """Raises FileNotFoundError that says which step to run when the cache is not there."""

    def __init__(self, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.supervision = recipe, load_supervision(recipe)
        trunk = load_trunk(recipe).to(recipe.device)
        teacher = copy.deepcopy(trunk).requires_grad_(False)
        model = EdgeClip(trunk, recipe.dim, recipe.hidden, recipe.drop).to(recipe.device)
        if recipe.frozen:
            self.cached = CachedSites(recipe, self.supervision)
            self.modules = nn.ModuleDict({"model": model})
            starting_points(model, self.cached.sites, self.supervision)
        else:
            self.live = LiveSites(recipe, self.supervision, list(Shards([Path(p) for p in recipe.shards])), teacher)
            self.modules = nn.ModuleDict({"model": model, "trunk": trunk.requires_grad_()})
            pixels, layouts = self.live.drawing[0]
            with torch.no_grad(), torch.autocast(torch.device(recipe.device).type, torch.bfloat16):
                starting_points(model, self.live.sites(trunk, Drawn(0, pixels, layouts)), self.supervision)

    def groups(self) -> list[dict[str, Any]]:
        """The classifier's names and NanoDet's layers start trained and move slowly; scales are not decayed."""
        r, model = self.recipe, self.modules["model"]
        assert isinstance(model, EdgeClip)
        started = {
            id(p)
            for m in (model.image.concepts.classifier, model.region.concepts.classifier, model.anchor)
            for p in m.parameters()
        }
        fresh = [p for p in model.parameters() if p.dim() > 1 and id(p) not in started]
        free = [p for p in model.parameters() if p.dim() <= 1 and id(p) not in started]
        slow = [p for p in model.parameters() if id(p) in started]
        groups: list[dict[str, Any]] = [
            {"params": fresh, "lr": r.learning_rate, "weight_decay": r.weight_decay},
            {"params": free, "lr": r.learning_rate, "weight_decay": 0.0},
            {"params": slow, "lr": r.trunk_learning_rate, "weight_decay": 0.0},
        ]
        if "trunk" in self.modules:
            trunk = list(self.modules["trunk"].parameters())
            groups.append({"params": trunk, "lr": r.trunk_learning_rate, "weight_decay": TRUNK_WEIGHT_DECAY})
        return groups

    def batches(self, first: int) -> Iterator[Sites | Drawn]:
        return self.cached.batches(first) if self.recipe.frozen else self.live.batches(first)

    def pictures(self, batch: Sites | Drawn) -> int:
        return sum(len(index) for index, _ in batch.layouts) if isinstance(batch, Drawn) else len(batch.image)

    def losses(self, batch: Sites | Drawn) -> dict[str, Tensor]:
        sites = self.live.sites(self.modules["trunk"], batch) if isinstance(batch, Drawn) else batch  # type: ignore[arg-type]
        model = self.modules["model"]
        assert isinstance(model, EdgeClip)
        return weighted(all_losses(model, sites, self.supervision, torch.default_generator))

    def describe(self) -> dict[str, Any]:
        return asdict(self.recipe)
