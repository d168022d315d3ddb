"""Whether drawing pictures keeps up with training on them: `python -m quantize.data_bench RECIPE`.

Prints how many pictures/s several numbers of worker processes supply, beside what the model consumes.
"""

import logging
import os
import time
from itertools import islice

import torch
from rich.console import Console
from rich.table import Table

from quantize.command_line import errors_end_it, recipe_path, results_alone
from quantize.settings.loop import LoopSettings
from quantize.tasks import training_of
from quantize.training.parallel import Step
from quantize.training.task import Task, Training

log = logging.getLogger(__name__)
SECONDS = 8.0
STEPS = 5


def supplied(task: Task) -> float:
    """Pictures/s of the batches alone; the first one, for which the workers start, is not counted."""
    batches = task.batches(0)
    next(batches)
    pictures, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        pictures += task.pictures(next(batches))
    return pictures / (time.perf_counter() - begun)


def consumed(task: Task, settings: LoopSettings) -> float:
    """Pictures/s of forward and backward passes over one batch; the first pass is not counted."""
    step = Step(task.modules, task.losses, settings)
    (batch,) = islice(task.batches(0), 1)
    begun = 0.0
    for number in range(STEPS + 1):
        if number == 1:
            begun = time.perf_counter()
        found = step(batch)
        torch.stack([value.float() for value in found.values()]).sum().backward()  # type: ignore[no-untyped-call]
        next(p.grad for p in task.modules.parameters() if p.grad is not None).flatten()[0].item()  # waits for the device
        task.modules.zero_grad(set_to_none=True)
    return task.pictures(batch) * STEPS / (time.perf_counter() - begun)


def bench(training: Training, workers: list[int]) -> tuple[float, dict[int, float]]:
    """What the model consumes, and what is supplied by number of workers, in pictures/s."""
    return consumed(training.build(0), training.settings), {n: supplied(training.build(n)) for n in workers}


def table(model: float, rates: dict[int, float]) -> Table:
    found = Table("workers", "pictures/s", "of what the model consumes")
    for n, rate in rates.items():
        found.add_row(str(n), f"{rate:.0f}", f"{100 * rate / model:.0f} %")
    return found


def main() -> None:
    results_alone()
    path, changes = recipe_path(__doc__)
    cores = os.cpu_count() or 1
    with errors_end_it(FileNotFoundError, ValueError):
        model, rates = bench(training_of(path, changes), sorted({1, 2, max(1, cores // 2), cores}))
    Console().print(f"the model consumes {model:.0f} pictures/s", table(model, rates), sep="\n")
    enough = [n for n, rate in rates.items() if rate > model]
    Console().print(
        f"{enough[0]} workers keep up" if enough else "drawing is the bottleneck: more cores, or smaller pictures in shards"
    )


if __name__ == "__main__":
    main()
