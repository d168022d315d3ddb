"""Quantised tensors and sums in PyTorch: the arithmetic of `arithmetic/integers.py`, with gradients straight through rounding.

Values are whole numbers in float tensors, held less their zero point. A rounded and clamped number passes its gradient on where
it was not clamped (straight-through estimator, arXiv 1308.3432). Scales are tensors, too, and their gradients are then those of
learned step sizes (LSQ, arXiv 1902.08153).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


class _RoundClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        rounded = x.round()  # ties to even
        ctx.save_for_backward((rounded >= low) & (rounded <= high))
        return rounded.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (inside,) = ctx.saved_tensors
        return grad * inside, None, None


def round_clamp(x: Tensor, low: float = float("-inf"), high: float = float("inf")) -> Tensor:
    """`clamp(round_half_even(x), low, high)`, gradient 1 inside and 0 outside."""
    out: Tensor = _RoundClamp.apply(x, low, high)
    return out


@dataclass
class Type:
    """What a QuantizeLinear makes: `scale`, zero point, and how far below and above that a value may lie."""

    scale: Tensor
    zero: int
    low: int
    high: int

    def of(self, x: Tensor) -> "Quantised":
        """Real values in this type."""
        return Quantised(round_clamp(x / self.scale, self.low, self.high), self)


@dataclass
class Quantised:
    """`value = q · scale`; `q` is what is stored less the zero point."""

    q: Tensor
    type: Type

    @property
    def value(self) -> Tensor:
        """In float32."""
        return self.q.float() * self.type.scale


@dataclass
class Sums:
    """Terms `sum · unit`, each a whole number times its channel's unit; divided by `count`, and clipped to real `bounds`."""

    terms: list[tuple[Tensor, Tensor]]
    count: Tensor | None = None
    bounds: tuple[float, float] = (float("-inf"), float("inf"))

    @property
    def value(self) -> Tensor:
        """In float32, without the bounds."""
        total = sum((s.float() * unit for s, unit in self.terms[1:]), self.terms[0][0].float() * self.terms[0][1])
        return total if self.count is None else total / self.count

    def of(self, type_: Type) -> Quantised:
        """In float32 throughout, in the order of the board: multipliers first, then one rounding."""
        parts = []
        for s, unit in self.terms:
            multiplier = unit / type_.scale
            parts.append(s.float() * (multiplier if self.count is None else multiplier / self.count))
        low, high = (
            float(torch.tensor(b).div(type_.scale.detach().cpu()).round().clamp(type_.low, type_.high)) for b in self.bounds
        )
        return Quantised(round_clamp(sum(parts[1:], parts[0]), low, high), type_)

    def within(self, low: float, high: float) -> "Sums":
        """The same, clipped."""
        return Sums(self.terms, self.count, (max(low, self.bounds[0]), min(max(high, self.bounds[0]), self.bounds[1])))
