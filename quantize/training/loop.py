"""The loop: one for all trainings. `run` reads from top to bottom; the other functions are its parts."""

import logging
import random
import time
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from quantize.settings.loop import LoopSettings
from quantize.training.average import Average
from quantize.training.blocks import compute_again
from quantize.training.checkpoint import Checkpoints, save_at_once
from quantize.training.distributed import any_process, rank
from quantize.training.ends import Stop, end_without_number, finite, out_of_memory_ends_it
from quantize.training.log import Log
from quantize.training.parallel import Parallel, Step, whole
from quantize.training.schedule import Schedule
from quantize.training.task import Batch, Task
from quantize.training.throughput import counted, report

log = logging.getLogger(__name__)


def run(task: Task, settings: LoopSettings, out: Path) -> Path:
    """Trains to the end, resuming from the newest of `out/checkpoints/`; returns `out/model.pt` with the averaged weights.

    Raises BadCheckpoint if it does not fit this task, and SystemExit when a loss or gradient is not finite (the batch is saved),
    when memory runs out, and after SIGTERM or SIGINT (a checkpoint is saved).
    """
    out.mkdir(parents=True, exist_ok=True)
    if settings.activation_checkpointing:
        log.info("%d blocks are recomputed in the backward pass", compute_again(task.modules))
    parallel = Parallel(Step(task.modules, task.losses, settings), settings)
    optimiser = torch.optim.AdamW(task.groups())
    schedule = Schedule(optimiser, settings.warmup, settings.steps)
    average = Average(task.modules, settings.ema)
    checkpoints = Checkpoints(out / "checkpoints", settings.keep, task.modules, average, optimiser, task.describe())
    seed_everything(settings.seed + rank())
    first = checkpoints.load()
    if first:
        log.info("resuming from step %d", first)
    loader = task.batches(first * settings.accumulate)
    records, stop = Log(settings, out, first), Stop()
    try:
        records.begin()
        for step in range(first, settings.steps):
            with out_of_memory_ends_it(step, task):
                rate = schedule.set(step)
                begun = time.perf_counter()
                batches = list(islice(loader, settings.accumulate))
                waited = time.perf_counter() - begun
                optimiser.zero_grad(set_to_none=True)
                with counted(step == first and not settings.compile) as flops:
                    terms = [backward(parallel, batch, i + 1, settings) for i, batch in enumerate(batches)]
                    norm = parallel.clip()
                if step == first:
                    records.flops = flops()
                flags = [~finite(terms), ~norm.isfinite(), torch.tensor(stop.asked, device=norm.device)]
                wrong_loss, wrong_gradient, stopped = any_process(torch.stack(flags))
                if wrong_loss or wrong_gradient:
                    end_without_number(terms, norm, batches, wrong_loss, step, out)
                optimiser.step()
                average.update()
            values = {"learning_rate": rate, "gradient_norm": norm.item()}
            records.step(step, mean(terms), values, waited, sum(task.pictures(batch) for batch in batches))
            if stopped or (step + 1) % settings.checkpoint_every == 0:
                checkpoints.save(step + 1)
            if stopped and step + 1 < settings.steps:
                log.info("stopped by a signal after step %d; the same command resumes from there", step)
                raise SystemExit(128 + stop.number)
    finally:
        records.close()
        stop.forget()
    report(records, settings)
    weights = whole(average.weights())
    if rank() == 0:
        save_at_once({"recipe": task.describe(), "weights": weights}, out / "model.pt")
    return out / "model.pt"


def seed_everything(seed: int) -> None:
    """All global generators, which tasks draw from and checkpoints hold."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  libraries draw from it
    random.seed(seed)


def backward(parallel: Parallel, batch: Batch, number: int, settings: LoopSettings) -> dict[str, Tensor]:
    """Adds the gradient of a step's batch `number` (from 1); returns its terms."""
    with parallel.batch(last=number == settings.accumulate):
        found = parallel.call(batch)
        loss = torch.stack([value.float() for value in found.values()]).sum()
        (loss / settings.accumulate).backward()  # type: ignore[no-untyped-call]
    return {name: value.detach() for name, value in found.items()}


def mean(terms: list[dict[str, Tensor]]) -> dict[str, float]:
    """Over a step's batches; a term that a batch lacks counts as zero, as it does in the gradient."""
    names = dict.fromkeys(name for found in terms for name in found)
    sums = [torch.stack([found[name].float() for found in terms if name in found]).sum() for name in names]
    return dict(zip(names, (torch.stack(sums) / len(terms)).cpu().tolist(), strict=True))
