"""Losses: small pure functions, one a formula. `v` are unit vision vectors, `t` unit text vectors."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

SAME_TEXT = 0.9


def info_nce(v: Tensor, t: Tensor, scale: Tensor, same: float = SAME_TEXT) -> Tensor:
    """Symmetric InfoNCE (CLIP, arXiv 2103.00020) over N pairs.

    Texts more alike than `same` are no negatives (CLOC, arXiv 2410.02746).
    """
    logits = scale * v @ t.T
    alike = (t @ t.T > same) & ~torch.eye(len(t), dtype=torch.bool, device=t.device)
    logits = logits.masked_fill(alike, float("-inf"))
    target = torch.arange(len(v), device=v.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def names_cross_entropy(
    v: Tensor, names: Tensor, target: Tensor, scale: Tensor, alike: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Softmax cross-entropy of N vectors against all K names.

    `alike` [K,K] marks names too close to a target to count against it.
    """
    logits = (scale * v @ names.T).masked_fill(alike[target], float("-inf"))
    loss = F.cross_entropy(logits, target, reduction="none")
    return loss.mean() if weight is None else (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def multi_tag(v: Tensor, tags: Tensor, multi_hot: Tensor, scale: Tensor) -> Tensor:
    """TagAlign (arXiv 2312.14149): softmax cross-entropy against L1-normalised multi-hot targets [N,K].

    Rows without a tag are left out.
    """
    some = multi_hot.sum(1) > 0
    if not some.any():
        return v.sum() * 0
    target = multi_hot[some] / multi_hot[some].sum(1, keepdim=True)
    return -(target * (scale * v[some] @ tags.T).log_softmax(1)).sum(1).mean()


def soft_names(v: Tensor, names: Tensor, probability: Tensor, scale: Tensor) -> Tensor:
    """KL from the classifier's distribution [N,K] to the softmax over the same names as texts (up to the target's entropy)."""
    target = probability / probability.sum(1, keepdim=True).clamp(min=1e-6)
    return -(target * (scale * v @ names.T).log_softmax(1)).sum(1).mean()


def relational(t: Tensor, reference: Tensor, scale: float = 10.0) -> Tensor:
    """KL between the rows of two similarity matrices, the diagonal left out: `t` takes over the reference's neighbourhoods."""
    n = len(t)
    off = ~torch.eye(n, dtype=torch.bool, device=t.device)
    mine = (scale * t @ t.T)[off].reshape(n, n - 1).log_softmax(1)
    theirs = (scale * reference @ reference.T)[off].reshape(n, n - 1).log_softmax(1)
    return F.kl_div(mine, theirs, log_target=True, reduction="batchmean")


def objectness(logit: Tensor, target: Tensor) -> Tensor:
    """Quality focal loss (arXiv 2006.04388): |target - p|^2 times binary cross-entropy with the soft target."""
    p = logit.sigmoid()
    return (
        (target - p).abs().pow(2) * F.binary_cross_entropy_with_logits(logit, target, reduction="none")
    ).sum() / target.sum().clamp(min=1.0)


def distance_bins(bins: Tensor, distance: Tensor) -> Tensor:
    """Distribution focal loss (arXiv 2006.04388) plus 1 - GIoU (arXiv 1902.09630).

    `bins` are [N,4*B] logits, `distance` [N,4] in strides.
    """
    count = bins.shape[1] // 4
    logits = bins.reshape(-1, 4, count)
    low = distance.floor().long().clamp(0, count - 2)
    share = distance - low
    log_p = logits.log_softmax(2)
    picked = log_p.gather(2, torch.stack([low, low + 1], 2))
    dfl = -(picked * torch.stack([1 - share, share], 2)).sum(2).mean()
    found = (log_p.exp() * torch.arange(count, device=bins.device)).sum(2)
    sides = torch.cat([-found[:, :2], found[:, 2:]], 1), torch.cat([-distance[:, :2], distance[:, 2:]], 1)
    giou: Tensor = generalized_box_iou_loss(*sides, reduction="mean")
    return 0.25 * dfl + giou
