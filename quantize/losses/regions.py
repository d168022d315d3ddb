"""Losses of regions and their texts."""

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.losses.contrastive import SAME_TEXT, similarity, symmetric


def region_text(v: Tensor, t: Tensor, scale: Tensor, vectors: Tensor, same: float = SAME_TEXT) -> Tensor:
    """CLOC's L_region (arXiv 2410.02746): InfoNCE both ways over all regions of the batch and their texts.

    A pair i ≠ j leaves the denominators when its texts are more alike than `same`: `vectors` [N,W] are those texts by a
    frozen tower, so that the filter stays as it is while the joint space is learned.
    """
    unit = F.normalize(vectors, dim=1)
    return symmetric(scale * similarity(v, t), similarity(unit, unit) > same)


def region_share(owner: Tensor, pictures: int) -> Tensor:
    """CLOC's λ: the share of the batch's pictures that carry regions; `owner` [R] names each region's picture."""
    return torch.tensor(len(owner.unique()) / max(pictures, 1), device=owner.device)  # type: ignore[no-untyped-call]


def grounding(boxes: Tensor, target: Tensor) -> Tensor:
    """CLOC's L_ground: mean squared error of [R,4] corners as fractions of the canvas."""
    return (boxes - target).square().sum() / max(boxes.numel(), 1)
