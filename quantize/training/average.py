"""Exponential moving average of the weights; the average is the result of a training."""

from typing import Any

import torch
from torch import Tensor, nn


class Average:
    """a ← decay·a + (1 − decay)·w after each step, for trained parameters and float buffers; the first step sets a = w."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        saved = module.state_dict(keep_vars=True)
        self.decay, self.count = decay, 0
        self.live = {
            k: t for k, t in saved.items() if t.is_floating_point() and (t.requires_grad or not isinstance(t, nn.Parameter))
        }
        self.rest = {k: t for k, t in saved.items() if k not in self.live}
        self.average: dict[str, Tensor] = {k: t.detach().clone() for k, t in self.live.items()}

    @torch.no_grad()
    def update(self) -> None:
        """After a step of the optimiser."""
        for name, average in self.average.items():
            if self.count:
                average.lerp_(self.live[name].detach(), 1 - self.decay)
            else:
                average.copy_(self.live[name].detach())
        self.count += 1

    def weights(self) -> dict[str, Tensor]:
        """All that the module saves, averaged where it is averaged."""
        return {k: t.detach() for k, t in self.rest.items()} | self.average

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count, "average": self.average}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.count = int(state["count"])
        for name, average in self.average.items():
            average.copy_(state["average"][name])
