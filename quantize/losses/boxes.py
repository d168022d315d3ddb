"""Losses of the detector: objectness, boxes, masks."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

DFL_WEIGHT = 0.25


def objectness(logit: Tensor, target: Tensor) -> Tensor:
    """Quality focal loss (arXiv 2006.04388): |target - p|^2 times binary cross-entropy with the soft target."""
    p = logit.sigmoid()
    return (
        (target - p).abs().pow(2) * F.binary_cross_entropy_with_logits(logit, target, reduction="none")
    ).sum() / target.sum().clamp(min=1.0)


def overlap(boxes: Tensor, target: Tensor) -> Tensor:
    """1 - GIoU (arXiv 1902.09630), mean over [N,4] corners x0, y0, x1, y1."""
    loss: Tensor = generalized_box_iou_loss(boxes, target, reduction="sum")
    return loss / max(len(boxes), 1)


def distribution_focal(bins: Tensor, distance: Tensor) -> Tensor:
    """Distribution focal loss (arXiv 2006.04388): cross-entropy of the two bins beside each distance, by nearness.

    `bins` [N,4*B] logits, `distance` [N,4] in bins, cut at B - 1.
    """
    log_p = bins.reshape(len(bins), 4, bins.shape[1] // 4).log_softmax(2)
    last = log_p.shape[2] - 1
    distance = distance.clamp(0, last)
    low = distance.floor().long().clamp(max=last - 1)
    share = distance - low
    picked = log_p.gather(2, torch.stack([low, low + 1], 2))
    return -(picked * torch.stack([1 - share, share], 2)).sum() / max(distance.numel(), 1)


def distance_bins(bins: Tensor, distance: Tensor) -> Tensor:
    """A quarter of the distribution focal loss plus 1 - GIoU of the boxes that the expected distances span (NanoDet's weights).

    `bins` are [N,4*B] logits, `distance` [N,4] in strides: left, top, right, bottom.
    """
    p = bins.reshape(len(bins), 4, bins.shape[1] // 4).softmax(2)
    found = (p * torch.arange(p.shape[2], device=bins.device)).sum(2)
    boxes, target = (torch.cat([-d[:, :2], d[:, 2:]], 1) for d in (found, distance))
    return DFL_WEIGHT * distribution_focal(bins, distance) + overlap(boxes, target)


def masks(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy plus 1 - Dice (arXiv 1606.04797), mean over [N,H,W] masks: Dice = (2 Σ p·y + 1) / (Σ p + Σ y + 1)."""
    x, y = logits.flatten(1), target.flatten(1)
    p = x.sigmoid()
    dice = (2 * (p * y).sum(1) + 1) / (p.sum(1) + y.sum(1) + 1)
    cross_entropy = F.binary_cross_entropy_with_logits(x, y, reduction="none").sum(1) / max(x.shape[1], 1)
    return (cross_entropy + 1 - dice).sum() / max(len(x), 1)
