"""Losses of one vector against several tags, or a distribution over names."""

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
