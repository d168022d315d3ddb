"""What two processes do for `test_distributed.py`: all of it in one start, because starting takes seconds."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from quantize.settings.board import load_board_recipe
from quantize.settings.loop import LoopSettings
from quantize.tests.synthetic import changed
from quantize.tests.toy import Toy
from quantize.train import train
from quantize.training import throughput
from quantize.training.distributed import gather, processes, rank
from quantize.training.loop import run
from torch import Tensor

SETTINGS = LoopSettings(steps=5, ema=0.0, precision="float32", checkpoint_every=100)
WAYS = ("ddp", "fsdp")


class PowerCut(Exception):
    pass


class Cut(Toy):
    """Ends in the fourth step."""

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        if torch.equal(batch, next(self.batches(3))):
            raise PowerCut
        return super().losses(batch)


class Faulty(Toy):
    """No number on the second process in the third step."""

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        found = super().losses(batch)
        if rank() == 1 and torch.equal(batch, next(self.batches(2))):
            found["near"] = found["near"] * float("nan")
        return found


def gathered(dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Rows of both processes (three and none), and the gradient of a loss over all of them, averaged as DDP does."""
    rows = torch.arange(6, dtype=dtype).reshape(3, 2)[: 3 if rank() == 0 else 0]
    weight = torch.tensor([2.0, 3.0], dtype=dtype, requires_grad=True)
    every = gather(rows * weight)
    loss = (every @ every.T).square().sum()
    (gradient,) = torch.autograd.grad(loss, weight)
    dist.all_reduce(gradient)
    return {"rows": every.detach(), "gradient": gradient / 2, "flags": gather(rows[:, 0] > 1)}


def work(number: int, port: int, folder: Path, recipe: Path) -> None:
    """One of the two processes; results are files in `folder`."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "RANK": str(number)}
    torch.set_num_threads(1)
    throughput.EDGES = (64,)
    with processes("cpu"):
        found = gathered()
        if rank() == 0:
            torch.save(found, folder / "gathered.pt")
        for way in WAYS:
            settings = replace(SETTINGS, distributed=way)
            run(Toy(4), settings, folder / way)
            run(Toy(4, ragged=True), settings, folder / f"{way}-ragged")
            run(Toy(4, contrastive=False), replace(settings, accumulate=2), folder / f"{way}-accumulated")
            averaged = replace(settings, ema=0.5, checkpoint_every=2)
            run(Toy(4, drop=0.2), averaged, folder / f"{way}-unbroken")
            with suppress(PowerCut):
                run(Cut(4, drop=0.2), averaged, folder / f"{way}-broken")
            run(Toy(4, drop=0.2), averaged, folder / f"{way}-broken")
            try:
                run(Faulty(4), settings, folder / f"{way}-faulty")
            except SystemExit as end:
                (folder / f"{way}-faulty/said-{rank()}.txt").write_text(str(end))
            small = load_board_recipe(recipe)
            train(changed(small, steps=3, out=str(folder / f"board-{way}"), distributed=way))
            live = changed(small, steps=2, frozen=False, views=[], workers=1)
            train(changed(live, out=str(folder / f"live-{way}"), ema=0.0, precision="float32", distributed=way))
