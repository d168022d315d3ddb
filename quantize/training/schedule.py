"""The learning rate over the steps."""

import math

from torch.optim import Optimizer


def factor(step: int, warmup: int, steps: int) -> float:
    """Linear warm-up, then a cosine to zero (arXiv 1608.03983, without restarts); 1 at step `warmup`."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


class Schedule:
    """Sets each group's rate to a share of the one it began with."""

    def __init__(self, optimiser: Optimizer, warmup: int, steps: int) -> None:
        self.optimiser, self.warmup, self.steps = optimiser, warmup, steps
        self.top = [float(group["lr"]) for group in optimiser.param_groups]

    def set(self, step: int) -> float:
        """Returns the first group's rate."""
        share = factor(step, self.warmup, self.steps)
        for group, top in zip(self.optimiser.param_groups, self.top, strict=True):
            group["lr"] = top * share
        return self.top[0] * share
