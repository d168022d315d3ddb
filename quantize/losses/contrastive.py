"""Losses over pairs of vision and text vectors."""

import torch
import torch.nn.functional as F
from torch import Tensor

SAME_TEXT = 0.9


def similarity(v: Tensor, t: Tensor) -> Tensor:
    """[N,K] products, in float32 under autocast, too: bf16's steps of .004 would be .4 of a logit at a scale of 100."""
    with torch.autocast(v.device.type, enabled=False):
        return v.to(torch.promote_types(v.dtype, torch.float32)) @ t.to(torch.promote_types(t.dtype, torch.float32)).T


def symmetric(logits: Tensor, dropped: Tensor) -> Tensor:
    """Mean cross-entropy of both directions of [N,N] logits with the pairs on the diagonal; `dropped` [N,N] are left out."""
    logits = logits.masked_fill(dropped & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device), float("-inf"))
    if not len(logits):
        return logits.sum()
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def info_nce(v: Tensor, t: Tensor, scale: Tensor, same: float = SAME_TEXT) -> Tensor:
    """Symmetric InfoNCE (CLIP, arXiv 2103.00020) over N pairs: -log softmax_j(scale v_i·t_j) at j = i, and the same over i.

    Texts more alike than `same` do not count as negatives (CLOC, arXiv 2410.02746).
    """
    return symmetric(scale * similarity(v, t), similarity(t, t) > same)


def sigmoid_pairs(v: Tensor, t: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """SigLIP (arXiv 2303.15343): -1/N Σ_ij log σ(z_ij (scale v_i·t_j + bias)), z = 1 for i = j, else -1."""
    sign = 2 * torch.eye(len(v), dtype=v.dtype, device=v.device) - 1
    return -F.logsigmoid(sign * (scale * similarity(v, t) + bias)).sum() / max(len(v), 1)


def names_cross_entropy(
    v: Tensor, names: Tensor, target: Tensor, scale: Tensor, alike: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Softmax cross-entropy of N vectors against all K names.

    `alike` [K,K] marks names too close to a target to count against it.
    """
    logits = (scale * similarity(v, names)).masked_fill(alike[target], float("-inf"))
    loss = F.cross_entropy(logits, target, reduction="none")
    return loss.sum() / max(len(v), 1) if weight is None else (loss * weight).sum() / weight.sum().clamp(min=1e-6)
