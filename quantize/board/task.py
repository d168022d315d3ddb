"""The board's model as a task of the loop: heads over cached points of a frozen trunk, or heads and trunk on drawn pictures."""

import copy
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from quantize.board.batches import CachedPoints, Drawn, LivePoints
from quantize.board.objective import all_losses, weighted
from quantize.board.points import Points
from quantize.board.supervision import Supervision, load_supervision
from quantize.data.shards import Shards
from quantize.model.edgeclip import EdgeClip
from quantize.model.trunk import Trunk, load_trunk
from quantize.settings.board import BoardRecipe

TRUNK_WEIGHT_DECAY = 1e-4


def start_from_data(model: EdgeClip, image: Tensor, region: Tensor, pixel: Tensor, supervision: Supervision) -> None:
    """What depends on data: standardisation and the text projection's axes."""
    for standardise, vectors in (
        (model.image.standardise, image),
        (model.region.standardise, region),
        (model.dense.standardise, pixel),
    ):
        standardise.measure(vectors[:20000])
    model.projection.start_from(supervision.texts.vectors[:, 0])


def parameter_groups(model: EdgeClip, trunk: nn.Module | None, r: BoardRecipe) -> list[dict[str, Any]]:
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

    def __init__(self, recipe: BoardRecipe) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.supervision = recipe, load_supervision(recipe)
        trunk = load_trunk(recipe.model).to(recipe.device)
        teacher = copy.deepcopy(trunk).requires_grad_(False)
        model = EdgeClip(trunk, recipe.model.dim, recipe.model.hidden, recipe.model.drop).to(recipe.device)
        if recipe.model.frozen:
            self.cached = CachedPoints(recipe, self.supervision)
            self.modules = nn.ModuleDict({"model": model})
            points = self.cached.points
            start_from_data(model, points.image, points.region, points.pixel, self.supervision)
        else:
            self.live = LivePoints(recipe, self.supervision, list(Shards([Path(p) for p in recipe.data.shards])), teacher)
            self.modules = nn.ModuleDict({"model": model, "trunk": trunk.requires_grad_()})
            pixels, layouts = self.live.drawing[0]
            with torch.no_grad(), torch.autocast(torch.device(recipe.device).type, torch.bfloat16):
                points = self.live.points(trunk, Drawn(0, pixels, layouts))
            start_from_data(model, points.image, points.region, points.pixel, self.supervision)

    def groups(self) -> list[dict[str, Any]]:
        trunk = dict(self.modules.items()).get("trunk")
        return parameter_groups(cast(EdgeClip, self.modules["model"]), trunk, self.recipe)

    def batches(self, first: int) -> Iterator[Points | Drawn]:
        return self.cached.batches(first) if self.recipe.model.frozen else self.live.batches(first)

    def pictures(self, batch: Points | Drawn) -> int:
        return sum(len(index) for index, _ in batch.layouts) if isinstance(batch, Drawn) else len(batch.image)

    def losses(self, batch: Points | Drawn) -> dict[str, Tensor]:
        points = batch
        if isinstance(batch, Drawn):
            points = self.live.points(cast(Trunk, self.modules["trunk"]), batch)
        model = cast(EdgeClip, self.modules["model"])
        return weighted(all_losses(model, cast(Points, points), self.supervision, torch.default_generator))

    def describe(self) -> dict[str, Any]:
        return asdict(self.recipe)
