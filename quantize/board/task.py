"""The board's model as a task of the loop: heads over cached sites of a frozen trunk, or heads and trunk on drawn pictures."""

import copy
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from quantize.batches import CachedSites, Drawn, LiveSites
from quantize.data.shards import Shards
from quantize.model.edgeclip import EdgeClip
from quantize.model.trunk import Trunk, load_trunk
from quantize.objective import all_losses, weighted
from quantize.recipe import Recipe
from quantize.sites import Sites
from quantize.supervision import Supervision, load_supervision

TRUNK_WEIGHT_DECAY = 1e-4


def starting_points(model: EdgeClip, image: Tensor, region: Tensor, pixel: Tensor, supervision: Supervision) -> None:
    """What depends on data: standardisation and the text projection's axes."""
    for standardise, vectors in (
        (model.image.standardise, image),
        (model.region.standardise, region),
        (model.dense.standardise, pixel),
    ):
        standardise.measure(vectors[:20000])
    model.projection.start_from(supervision.texts.vectors[:, 0])


def parameter_groups(model: EdgeClip, trunk: nn.Module | None, r: Recipe) -> list[dict[str, Any]]:
    """The classifier's names and NanoDet's layers start trained and move slowly, as does a `trunk`; scales are not decayed."""
    start_trained = (model.image.concepts.classifier, model.region.concepts.classifier, model.anchor)
    started = {id(p) for m in start_trained for p in m.parameters()}
    fresh = [p for p in model.parameters() if p.dim() > 1 and id(p) not in started]
    free = [p for p in model.parameters() if p.dim() <= 1 and id(p) not in started]
    slow = [p for p in model.parameters() if id(p) in started]
    groups: list[dict[str, Any]] = [
        {"params": fresh, "lr": r.learning_rate, "weight_decay": r.weight_decay},
        {"params": free, "lr": r.learning_rate, "weight_decay": 0.0},
        {"params": slow, "lr": r.trunk_learning_rate, "weight_decay": 0.0},
    ]
    if trunk is not None:
        groups.append({"params": list(trunk.parameters()), "lr": r.trunk_learning_rate, "weight_decay": TRUNK_WEIGHT_DECAY})
    return groups


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
            sites = self.cached.sites
            starting_points(model, sites.image, sites.region, sites.pixel, self.supervision)
        else:
            self.live = LiveSites(recipe, self.supervision, list(Shards([Path(p) for p in recipe.shards])), teacher)
            self.modules = nn.ModuleDict({"model": model, "trunk": trunk.requires_grad_()})
            pixels, layouts = self.live.drawing[0]
            with torch.no_grad(), torch.autocast(torch.device(recipe.device).type, torch.bfloat16):
                sites = self.live.sites(trunk, Drawn(0, pixels, layouts))
            starting_points(model, sites.image, sites.region, sites.pixel, self.supervision)

    def groups(self) -> list[dict[str, Any]]:
        trunk = dict(self.modules.items()).get("trunk")
        return parameter_groups(cast(EdgeClip, self.modules["model"]), trunk, self.recipe)

    def batches(self, first: int) -> Iterator[Sites | Drawn]:
        return self.cached.batches(first) if self.recipe.frozen else self.live.batches(first)

    def pictures(self, batch: Sites | Drawn) -> int:
        return sum(len(index) for index, _ in batch.layouts) if isinstance(batch, Drawn) else len(batch.image)

    def losses(self, batch: Sites | Drawn) -> dict[str, Tensor]:
        sites = batch
        if isinstance(batch, Drawn):
            sites = self.live.sites(cast(Trunk, self.modules["trunk"]), batch)
        model = cast(EdgeClip, self.modules["model"])
        return weighted(all_losses(model, cast(Sites, sites), self.supervision, torch.default_generator))

    def describe(self) -> dict[str, Any]:
        return asdict(self.recipe)
