"""How fast a step is, beside what the device can do."""

import logging
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

from quantize.training.distributed import rank, world
from quantize.training.settings import LoopSettings

if TYPE_CHECKING:
    from quantize.training.log import Log

log = logging.getLogger(__name__)

MEASURED_SECONDS = 0.3
EDGE = {"cpu": 1024, "cuda": 8192}


def matmul_ceiling(device: str, dtype: torch.dtype) -> float:
    """FLOP/s of a square matrix product in a loop on this device: what no training step can exceed by much."""
    kind = torch.device(device).type
    edge = EDGE.get(kind, 1024)
    a = torch.randn(edge, edge, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    out = torch.empty_like(a)

    def wait() -> None:
        if kind == "cuda":
            torch.cuda.synchronize()

    for _ in range(2):
        torch.mm(a, a, out=out)
    wait()
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < MEASURED_SECONDS:
        for _ in range(4):
            torch.mm(a, a, out=out)
        wait()
        count += 4
    return 2 * edge**3 * count / (time.perf_counter() - begun)


def memory_gib(device: str) -> float:
    """The most that was in use so far: of the device's memory on CUDA, of this process's elsewhere."""
    if torch.device(device).type == "cuda" and torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def scaled(value: float) -> str:
    """`1.2 T`, with a prefix of the SI."""
    for prefix, size in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g} "


@contextmanager
def counted(records: "Log", only: bool) -> Iterator[None]:
    """Counts the floating-point operations of the products within, forward and backward, if `only` this step is to be."""
    if not only:
        yield
        return
    with FlopCounterMode(display=False) as counter:
        yield
    records.flops = float(counter.get_total_flops() * world())


def report(records: "Log", settings: LoopSettings) -> None:
    """One line in the end: rates, the share of the time that the loop waited for data, and of the ceiling that it reached."""
    if rank() or not records.steps:
        return
    say = f"{records.steps} steps in {records.seconds:.0f} s: {records.pictures / records.seconds:.1f} pictures/s"
    say += f", {100 * records.waited / records.seconds:.1f} % of the time waiting for data"
    if records.flops:
        dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
        reached, most = records.flops * records.steps / records.seconds, world() * matmul_ceiling(settings.device, dtype)
        say += f", {scaled(reached)}FLOP/s, {100 * reached / most:.0f} % of a {settings.precision} product's {scaled(most)}FLOP/s"
    log.info("%s: %s", settings.name, say)
