"""The step's module on several processes: copies that average gradients (DDP), or parts of the weights on each (FSDP2)."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from quantize.settings.loop import LoopSettings
from quantize.training.blocks import repeated
from quantize.training.distributed import average_gradients, world


class Step(nn.Module):
    """From a batch to the task's named losses: one module, because DDP and FSDP begin and end with a module's call."""

    def __init__(self, parts: nn.ModuleDict, losses: Callable[[Any], dict[str, Tensor]], settings: LoopSettings) -> None:
        super().__init__()
        self.parts, self.losses = parts, losses
        self.device, self.bf16 = torch.device(settings.device).type, settings.precision == "bf16"
        self.touches_all = False

    def forward(self, batch: Any) -> dict[str, Tensor]:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            found = self.losses(batch)
        if self.touches_all:
            # those of blocks are DTensors here: blocks are always used as a whole
            here = [p.flatten()[0] for p in self.parameters() if p.requires_grad and p.dim() and not isinstance(p, DTensor)]
            name = next(iter(found))
            found[name] = found[name] + 0 * torch.stack(here).sum()
        return found


def shard(step: Step) -> list[nn.Parameter]:
    """Splits all weights over the processes; returns those that stay whole: FSDP splits no scalars."""
    for t in [*step.parameters(), *step.buffers()]:
        dist.broadcast(t.detach(), 0)
    mesh = init_device_mesh(step.device, (world(),))
    scalars = [p for p in step.parameters() if p.dim() == 0]
    for block in repeated(step.parts):
        fully_shard(block, mesh=mesh, ignored_params=set(scalars))
    fully_shard(step, mesh=mesh, ignored_params=set(scalars))
    # FSDP sends the gradients of the parameters that were used, so all processes have to use the same; what no batch used
    # has a gradient of zero then, and decays
    step.touches_all = True
    return scalars


class Parallel:
    """Calls the step, averages gradients over processes, clips them."""

    def __init__(self, step: Step, settings: LoopSettings) -> None:
        self.settings, self.step = settings, step
        self.sharded = world() > 1 and settings.distributed == "fsdp"
        self.alone: list[nn.Parameter] = []
        # with accumulation DDP would forget parameters that only an earlier batch used, so gradients are averaged afterwards
        self.afterwards = world() > 1 and not self.sharded and settings.accumulate > 1
        call: nn.Module = step
        if self.sharded:
            self.alone = shard(step)
        elif world() > 1:
            call = DistributedDataParallel(step, find_unused_parameters=True)
        self.wrapped = call
        self.call: Callable[[Any], dict[str, Tensor]] = call
        if settings.compile:
            self.call = torch.compile(call, backend=settings.compile)

    def batch(self, last: bool) -> AbstractContextManager[object]:
        """Around forward and backward pass of one batch, the `last` of its step or not."""
        if isinstance(self.wrapped, FSDPModule):
            self.wrapped.set_requires_gradient_sync(last)
        if self.afterwards and isinstance(self.wrapped, DistributedDataParallel):
            return self.wrapped.no_sync()
        return nullcontext()

    def clip(self) -> Tensor:
        """Completes the gradients, scales them to at most `clip_norm`, and returns the norm they had."""
        trained = [p for p in self.step.parameters() if p.requires_grad]
        average_gradients(trained if self.afterwards else [p for p in self.alone if p.requires_grad])
        if not self.sharded:
            return nn.utils.clip_grad_norm_(trained, self.settings.clip_norm)
        gradients = [p.grad for p in trained if p.grad is not None]
        parts = [g.to_local() for g in gradients if isinstance(g, DTensor)]
        whole = [g for g in gradients if not isinstance(g, DTensor)]
        square = nn.utils.get_total_norm(parts).square()
        dist.all_reduce(square)
        norm = (square + nn.utils.get_total_norm(whole).square()).sqrt()
        share = (self.settings.clip_norm / (norm + 1e-6)).clamp(max=1.0)
        for g in [*parts, *whole]:
            g.mul_(share)
        return norm


def whole(state: Any) -> Any:
    """Tensors of all processes put together on the CPU, in nested dicts, lists and tuples; every process must call it."""
    if isinstance(state, dict):
        return {k: whole(v) for k, v in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(whole(v) for v in state)
    if isinstance(state, DTensor):
        return state.full_tensor().cpu()
    return state


def part(tensor: Tensor, like: Tensor) -> Tensor:
    """This process's part of a whole tensor, on the device of `like` and split like it."""
    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
