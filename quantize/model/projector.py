"""Projections into the joint space."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def projection(features: int, dim: int) -> nn.Linear:
    """A linear layer that starts as the identity, so that a pretrained pair of towers keeps its space, or, where the widths
    differ, as orthogonal axes.
    """
    linear = nn.Linear(features, dim)
    if features == dim:
        nn.init.eye_(linear.weight)
    else:
        nn.init.orthogonal_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


class GatedConv(nn.Module):
    """`x + tanh(gate) * conv(relu(x))`, at first the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.gate.tanh() * self.conv(F.relu(x))
        return out


class Projector(nn.Module):
    """[B,channels,h,w] → [B,dim,h,w], not normalised: a projection, then TagAlign's two gated 3x3 residual convolutions."""

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.projection = projection(channels, dim)
        self.convs = nn.Sequential(GatedConv(dim), GatedConv(dim))

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.convs(self.projection(features.movedim(1, -1)).movedim(-1, 1))
        return out
