"""The repeated blocks of a network: what activation checkpointing computes again, and what FSDP fetches at a time."""

from collections import Counter
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint


def repeated(module: nn.Module) -> list[nn.Module]:
    """Outermost members of lists and sequences with a sibling of the same class, trained weights, and layers inside."""
    found: list[nn.Module] = []
    alike: Counter[type] = Counter()
    if isinstance(module, nn.ModuleList | nn.Sequential):
        alike.update(type(child) for child in module.children())
    for child in module.children():
        parts = any(True for _ in child.children())
        trained = any(p.requires_grad for p in child.parameters())
        if alike[type(child)] > 1 and parts and trained and not isinstance(child, nn.ModuleList | nn.Sequential):
            found.append(child)
        else:
            found += repeated(child)
    return found


def compute_again(module: nn.Module) -> int:
    """Keeps only the inputs of repeated blocks for the backward pass, which runs them again; returns how many there are."""
    blocks = repeated(module)
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    return len(blocks)
