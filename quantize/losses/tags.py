"""Losses of one vector against several tags, or a distribution over names."""

import torch.nn.functional as F
from torch import Tensor

from quantize.losses.contrastive import similarity


def multi_tag(v: Tensor, tags: Tensor, multi_hot: Tensor, scale: Tensor) -> Tensor:
    """TagAlign (arXiv 2312.14149): softmax cross-entropy against L1-normalised multi-hot targets [N,K] over K tags, objects and
    attributes alike.

    Rows without a tag are left out.
    """
    some = multi_hot.sum(1) > 0
    if not some.any():
        return v.sum() * 0
    target = multi_hot[some] / multi_hot[some].sum(1, keepdim=True)
    return -(target * (scale * similarity(v[some], tags)).log_softmax(1)).sum(1).mean()


def soft_names(v: Tensor, names: Tensor, probability: Tensor, scale: Tensor) -> Tensor:
    """KL from the classifier's distribution [N,K] to the softmax over the same names as texts (up to the target's entropy)."""
    target = probability / probability.sum(1, keepdim=True).clamp(min=1e-6)
    return -(target * (scale * similarity(v, names)).log_softmax(1)).sum() / max(len(v), 1)


def true_names(v: Tensor, names: Tensor, probability: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Binary cross-entropy of `scale v·name + bias` with how likely each of K names is true [N,K], summed over names.

    Several names may be true at once, or none, which a softmax cannot say (SigLIP's sigmoid, arXiv 2303.15343).
    """
    logits = scale * similarity(v, names) + bias
    return F.binary_cross_entropy_with_logits(logits, probability, reduction="sum") / max(len(v), 1)
