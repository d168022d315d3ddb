"""What the loop needs to know of a training: everything else is the task's own business."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from quantize.settings.loop import LoopSettings

Batch = Any


class Task(Protocol):
    """Networks, batches and losses of one training. Built on every process; with the same weights on each.

    Parameters are to be read through `modules` in every call: FSDP replaces them after construction.
    """

    modules: nn.ModuleDict
    """Trained, averaged and saved, under these names."""

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups with `params`, `lr` (at the top of the schedule) and `weight_decay`."""
        ...

    def batches(self, first: int) -> Iterator[Batch]:
        """This process's batches from number `first` on, without end; a step takes `LoopSettings.accumulate` of them.

        A batch depends on seed, number and rank alone, so that a resumed run takes those that an unbroken one would.
        """
        ...

    def pictures(self, batch: Batch) -> int:
        """How many pictures a batch holds, for rates."""
        ...

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Weighted terms by name; their sum is minimised.

        Runs under autocast if the precision is bf16: what must be float32 leaves it by `torch.autocast(device, enabled=False)`.
        Terms over pairs take all processes' embeddings by `distributed.gather`, on every process in the same order; gradients are
        averaged over processes. Randomness comes from the global generators, which checkpoints hold.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """Plain values that are saved with the weights."""
        ...


@dataclass
class Training:
    """What a recipe asks for; `build` makes the task, with that many processes that draw pictures (0: as the recipe says)."""

    build: Callable[[int], Task]
    settings: LoopSettings
    out: Path
