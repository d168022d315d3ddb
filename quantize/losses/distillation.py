"""A student learns the outputs of one or several frozen teachers. Teachers' vectors come without a gradient."""

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.losses.contrastive import similarity


def _divergence(logits: Tensor, teacher: Tensor) -> Tensor:
    """Mean over rows of KL(softmax(teacher) ‖ softmax(logits))."""
    p = F.log_softmax(teacher, 1)
    return (p.exp() * (p - F.log_softmax(logits, 1))).sum() / max(len(logits), 1)


def relational(t: Tensor, reference: Tensor, scale: float = 10.0) -> Tensor:
    """KL between the rows of two similarity matrices, the diagonal left out: `t` takes over the reference's neighbourhoods.

    The widths may differ (relational distillation, arXiv 1904.05068, on similarities).
    """
    n = len(t)
    if n < 2:
        return t.sum() * 0
    off = ~torch.eye(n, dtype=torch.bool, device=t.device)
    mine, theirs = ((scale * similarity(x, x))[off].reshape(n, n - 1) for x in (t, reference))
    return _divergence(mine, theirs)


def affinity(v: Tensor, t: Tensor, scale: Tensor, teacher_v: Tensor, teacher_t: Tensor, teacher_scale: Tensor) -> Tensor:
    """TinyCLIP's affinity mimicking (arXiv 2309.12314): KL from the teacher's picture-to-text distributions over the batch to the
    student's, and the same from text to picture, halved. The widths may differ.
    """
    mine, theirs = scale * similarity(v, t), teacher_scale * similarity(teacher_v, teacher_t)
    return (_divergence(mine, theirs) + _divergence(mine.T, theirs.T)) / 2


def prompted_regions(
    v: Tensor, texts: Tensor, scale: Tensor, teacher: Tensor, teacher_texts: Tensor, teacher_scale: Tensor
) -> Tensor:
    """What both answer to the same prompts: KL from the teacher's softmax over K texts to the student's, mean over [R] regions.

    The texts [K,D] and [K,E] are the same ones in either space.
    """
    return _divergence(scale * similarity(v, texts), teacher_scale * similarity(teacher, teacher_texts))


def fixed_weights(weights: Tensor, rows: int) -> Tensor:
    """[T] → [T,N] shares that sum to one over the teachers."""
    return (weights / weights.sum())[:, None].expand(-1, rows)


def certainty_weights(probability: Tensor, temperature: float = 1.0) -> Tensor:
    """[T,N,K] teachers' distributions → [T,N]: softmax over the teachers of -entropy / temperature, so the sure count."""
    entropy = -torch.special.xlogy(probability, probability).sum(2)
    weights: Tensor = (-entropy / temperature).softmax(0)
    return weights


def agreement_weights(probability: Tensor, temperature: float = 1.0) -> Tensor:
    """[T,N,K] → [T,N]: softmax over the teachers of -KL(teacher ‖ mean of the teachers) / temperature, so outliers fade."""
    mean = probability.mean(0, keepdim=True)
    divergence = (torch.special.xlogy(probability, probability) - torch.special.xlogy(probability, mean)).sum(2)
    weights: Tensor = (-divergence / temperature).softmax(0)
    return weights


def weighted(losses: Tensor, weights: Tensor) -> Tensor:
    """[T,N] losses per teacher and row, [T,N] weights → Σ_t w_tn loss_tn, mean over rows."""
    return (losses * weights).sum() / max(losses.shape[1], 1)
