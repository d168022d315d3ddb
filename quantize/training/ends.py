"""How a run ends early: a loss that is not finite, no memory left, a signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from quantize.training.distributed import rank, world
from quantize.training.log import described
from quantize.training.task import Batch, Task


def finite(terms: list[dict[str, Tensor]]) -> Tensor:
    """Whether all terms are numbers."""
    return torch.stack([value.float() for found in terms for value in found.values()]).isfinite().all()


def end_without_number(
    terms: list[dict[str, Tensor]], norm: Tensor, batches: list[Batch], some_loss: bool, step: int, out: Path
) -> None:
    """Saves the bad batch and names its terms; `some_loss`: some process has such a loss, not only such a gradient."""
    bad = [i for i, found in enumerate(terms) if not finite([found])]
    if some_loss and not bad:
        raise SystemExit(f"another process's loss is not finite at step {step}")
    at = bad[0] if bad else 0
    path = out / ("bad-batch.pt" if world() == 1 else f"bad-batch-{rank()}.pt")
    torch.save(batches[at], path)
    found = {name: value.item() for name, value in terms[at].items()}
    what = f"loss is {sum(found.values())}" if bad else f"the gradient's norm is {norm.item()}"
    raise SystemExit(f"{what} at step {step} ({described(found)}); the batch is in {path}")


def _settings(described: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values, of tables, too."""
    for key, value in described.items():
        if isinstance(value, dict):
            yield from _settings(value)
        else:
            yield key, value


@contextmanager
def out_of_memory_ends_it(step: int, task: Task) -> Iterator[None]:
    """Ends the run with one line that says what to change in the recipe."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error):
            sizes = [f"{k} ({v})" for k, v in _settings(task.describe()) if k.startswith("batch")] or ["the batch"]
            raise SystemExit(
                f"out of memory at step {step}: lower {', '.join(sizes)} and raise accumulate in [loop] by as much, or set "
                'activation_checkpointing = true or precision = "bf16" there; with several GPUs distributed = "fsdp" needs less'
            ) from error
        raise


class Stop:
    """SIGTERM (from a cluster or service manager) and SIGINT set `asked`; a second one ends the process at once."""

    def __init__(self) -> None:
        self.asked, self.number = False, 0
        self.before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self.before = {n: signal.signal(n, self._note) for n in (signal.SIGTERM, signal.SIGINT)}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked, self.number = True, number
        self.forget()

    def forget(self) -> None:
        """Restores the previous handlers."""
        for number, handler in self.before.items():
            signal.signal(number, handler)
