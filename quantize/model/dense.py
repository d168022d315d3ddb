"""An encoder's output: the map of features before pooling, and its own pooled vector."""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass
class Dense:
    """`map` [B,C,h,w], `pooled` [B,P]."""

    map: Tensor
    pooled: Tensor


class Encoder(Protocol):
    """`channels` and `pooled_channels` are C and P of its `Dense`."""

    channels: int
    pooled_channels: int

    def __call__(self, pictures: Tensor) -> Dense:
        """[B,3,S,S] pictures as `(pixel - 128) / 127.5`; the encoder applies its own normalisation."""
        ...


def wide(x: Tensor) -> Tensor:
    """Float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def unit(x: Tensor, dim: int = -1) -> Tensor:
    """Unit vectors along `dim`; in float32 under autocast, too, since their products are scaled up to a hundredfold."""
    return F.normalize(wide(x), dim=dim)


class Slots:
    """Places of R rows in a table [B,M,...] that has one line per picture: prompts of one picture share its products.

    `owner` [R] names the picture of each row.
    """

    def __init__(self, owner: Tensor, pictures: int) -> None:
        self.owner = owner
        self.pictures = pictures
        order = torch.argsort(owner, stable=True)
        count = torch.bincount(owner, minlength=pictures)
        first = count.cumsum(0) - count
        self.slot = torch.empty_like(owner)
        self.slot[order] = torch.arange(len(owner), device=owner.device) - first[owner[order]]
        self.most = int(count.max()) if len(owner) else 0

    def spread(self, rows: Tensor) -> Tensor:
        """[R,...] → [B,M,...], zeros where a picture has fewer rows."""
        table = rows.new_zeros(self.pictures, self.most, *rows.shape[1:])
        return table.index_put((self.owner, self.slot), rows)

    def collect(self, table: Tensor) -> Tensor:
        """[B,M,...] → [R,...]"""
        return table[self.owner, self.slot]
