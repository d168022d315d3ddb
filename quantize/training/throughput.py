"""How fast a step is, compared with what the device can do."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch.utils.flop_counter import FlopCounterMode

from quantize.settings.loop import LoopSettings
from quantize.training.distributed import rank, world
from quantize.training.log import Log

log = logging.getLogger(__name__)

LONG_SECONDS = 0.1
EDGES: tuple[int, ...] = (512, 1024, 2048, 4096, 8192)


def matmul_ceiling(device: str, dtype: torch.dtype) -> float:
    """The most FLOP/s that square matrix products reach on this device: an upper bound for any training step, roughly."""
    best = 0.0
    for edge in EDGES:
        seconds = products_seconds(edge, 4, device, dtype)
        best = max(best, 2 * edge**3 / seconds)
        if seconds > LONG_SECONDS:
            break
    return best


def products_seconds(edge: int, count: int, device: str, dtype: torch.dtype) -> float:
    """How long one product of `edge` x `edge` matrices takes, the mean of `count`."""
    a = torch.randn(edge, edge, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    out = a @ a
    out[0, 0].item()  # waits for the device
    begun = time.perf_counter()
    for _ in range(count):
        torch.mm(a, a, out=out)
    out[0, 0].item()
    return (time.perf_counter() - begun) / count


def scaled(value: float) -> str:
    """`1.2 T`, with a prefix of the SI."""
    for prefix, size in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g} "


@contextmanager
def counted(this_step: bool) -> Iterator[Callable[[], float]]:
    """Yields the count of floating-point operations in products within, forward and backward, on all processes.

    It is to be asked when the block has ended, and 0 unless `this_step` is to be counted.
    """
    counter = FlopCounterMode(display=False)
    with counter if this_step else nullcontext():
        yield lambda: float(counter.get_total_flops() * world())


def report(records: Log, settings: LoopSettings) -> None:
    """One line at the end: rates, the share of the time that the loop waited for data, and of the ceiling that it reached."""
    if rank() or not records.steps:
        return
    say = f"{records.steps} steps in {records.seconds:.0f} s: {records.pictures / records.seconds:.1f} pictures/s"
    say += f", {100 * records.waited / records.seconds:.1f} % of the time waiting for data"
    if records.flops:
        dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
        reached, most = records.flops * records.steps / records.seconds, world() * matmul_ceiling(settings.device, dtype)
        say += f", {scaled(reached)}FLOP/s, {100 * reached / most:.0f} % of a {settings.precision} product's {scaled(most)}FLOP/s"
    log.info("%s: %s", settings.name, say)
