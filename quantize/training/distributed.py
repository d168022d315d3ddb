"""Several processes as torchrun starts them; with one process everything here does nothing."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

# embeddings travel in a group of their own: DDP sends gradients in the default one while the backward pass of `gather` runs
_group: Any = None


@contextmanager
def processes(device: str) -> Iterator[None]:
    """Joins the processes that torchrun started, by nccl on CUDA and gloo elsewhere, and leaves them at the end."""
    global _group
    if "RANK" not in os.environ or dist.is_initialized():
        yield
        return
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    _group = dist.new_group()
    if dist.get_rank():  # one process logs
        logging.getLogger("quantize").setLevel(logging.WARNING)
    try:
        yield
    finally:
        _group = None
        dist.destroy_process_group()


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


class _Gather(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, lengths: list[int]) -> Tensor:
        padded = x.new_zeros(max(lengths), *x.shape[1:])
        padded[: len(x)] = x
        parts = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(parts, padded, group=_group)
        ctx.lengths = lengths  # type: ignore[attr-defined]
        return torch.cat([part[:n] for part, n in zip(parts, lengths, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        whole = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(whole, group=_group)
        return torch.split(whole, ctx.lengths)[rank()], None


def gather(x: Tensor) -> Tensor:
    """Concatenates the rows of all processes, in their order; their numbers of rows may differ.

    Every process must call it, with no rows if it has none. A row's gradient is the sum of what all processes' losses ask of it:
    with the same loss on every process, and gradients averaged over processes, the result is that of one process with all rows.
    """
    if world() == 1:
        return x
    if x.dtype == torch.bool:
        return gather(x.byte()).bool()
    mine = torch.tensor([len(x), int(x.requires_grad and torch.is_grad_enabled())], device=x.device)
    every = [torch.empty_like(mine) for _ in range(world())]
    dist.all_gather(every, mine, group=_group)
    lengths, differentiable = zip(*(each.tolist() for each in every), strict=True)
    if any(differentiable) and not x.requires_grad:
        x = x.detach().requires_grad_()  # a process without rows takes part in the backward pass, too
    out: Tensor = _Gather.apply(x, list(lengths))
    return out


def any_process(flags: Tensor) -> list[bool]:
    """Whether each of the flags is set on at least one process."""
    if world() > 1:
        flags = flags.to(torch.int32)
        dist.all_reduce(flags, op=dist.ReduceOp.MAX)
    return [bool(flag) for flag in flags.cpu().tolist()]


def average_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Replaces gradients by their means over processes; a process that did not use a parameter counts as zero if others did."""
    if world() == 1 or not parameters:
        return
    used = any_process(torch.tensor([p.grad is not None for p in parameters], device=parameters[0].device))
    parameters = [p for p, some in zip(parameters, used, strict=True) if some]
    if not parameters:
        return
    flat = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in parameters])
    dist.all_reduce(flat)
    flat /= world()
    for p, mean in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
        p.grad = mean.view_as(p).clone()


def every_process(value: Any) -> list[Any]:
    """One picklable value from each process, on all of them."""
    found: list[Any] = [value]
    if world() > 1:
        found = [None] * world()
        dist.all_gather_object(found, value)
    return found
