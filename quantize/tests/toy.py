"""A small task for the loop: pairs of points, with terms over single pairs and over all pairs of a batch, in shuffled epochs."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import torch
import torch.nn.functional as F
from quantize.losses import info_nce
from quantize.training.distributed import gather, rank, world
from torch import Tensor, nn

POINTS, FEATURES, DIM = 48, 6, 4
RARE = 6


class Block(nn.Module):
    """What FSDP and activation checkpointing find as a repeated block."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.layer, self.drop = nn.Linear(FEATURES, FEATURES), nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.drop(torch.tanh(self.layer(x)))
        return out


class Toy:
    """`batch` pairs on each process; process r of w takes the r-th part of what one process with `batch * w` would take.

    `ragged`: few points enter the term over pairs, so that processes have different counts of them, often none.
    """

    def __init__(self, batch: int = 8, contrastive: bool = True, ragged: bool = False, drop: float = 0.0) -> None:
        g = torch.Generator().manual_seed(5)
        self.a, self.b = torch.randn(POINTS, FEATURES, generator=g), torch.randn(POINTS, FEATURES, generator=g)
        self.batch, self.contrastive, self.ragged = batch, contrastive, ragged
        torch.manual_seed(1)
        self.modules = nn.ModuleDict(
            {
                "tower": nn.Sequential(nn.Sequential(Block(drop), Block(drop)), nn.Linear(FEATURES, DIM)),
                "other": nn.Linear(FEATURES, DIM),
                "scale": nn.ParameterDict({"pairs": nn.Parameter(torch.tensor(1.5))}),
            }
        )

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.modules.parameters()), "lr": 0.02, "weight_decay": 0.01}]

    def batches(self, first: int) -> Iterator[Tensor]:
        for number in count(first):
            at = torch.arange(self.batch) + (number * world() + rank()) * self.batch
            order = [torch.randperm(POINTS, generator=torch.Generator().manual_seed(100 + int(e))) for e in at // POINTS]
            yield torch.stack([o[i % POINTS] for o, i in zip(order, at, strict=True)])

    def pictures(self, batch: Tensor) -> int:
        return len(batch)

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        v, t = self.modules["tower"](self.a[batch]), self.modules["other"](self.b[batch])
        found = {"near": (v - t).square().sum(1).mean()}
        if self.contrastive:
            kept = batch % RARE == 0 if self.ragged else batch >= 0
            v, t = gather(F.normalize(v[kept].float(), dim=1)), gather(F.normalize(t[kept].float(), dim=1))
            scale = self.modules["scale"]
            assert isinstance(scale, nn.ParameterDict)
            if len(v) > 1:
                found["pairs"] = info_nce(v, t, scale["pairs"].exp())
        return found

    def describe(self) -> dict[str, Any]:
        return {"batch": self.batch}
