"""Distillation against plain loops in float64, and what a perfect student pays."""

import math

import pytest
import torch
from quantize import losses
from quantize.tests.test_losses import DIM, SCALE, K, N, dots, log_softmax, unit
from torch import Tensor

SHARPER = torch.tensor(30.0, dtype=torch.float64)
WIDE = 9  # of the teacher


def divergence(mine: list[list[float]], theirs: list[list[float]]) -> float:
    total = 0.0
    for m, t in zip(mine, theirs, strict=True):
        q, p = log_softmax(m, [True] * len(m)), log_softmax(t, [True] * len(t))
        total += sum(math.exp(a) * (a - b) for a, b in zip(p, q, strict=True))
    return total / len(mine)


def transposed(rows: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def test_affinity_both_ways_over_the_batch() -> None:
    v, t = unit(N, DIM), unit(N, DIM, seed=1)
    teacher_v, teacher_t = unit(N, WIDE, seed=2), unit(N, WIDE, seed=3)
    mine, theirs = dots(v, t, SCALE.item()), dots(teacher_v, teacher_t, SHARPER.item())
    expected = (divergence(mine, theirs) + divergence(transposed(mine), transposed(theirs))) / 2
    found = losses.affinity(v, t, SCALE, teacher_v, teacher_t, SHARPER)
    assert found.item() == pytest.approx(expected, abs=1e-12)
    assert losses.affinity(v, t, SCALE, v, t, SCALE).item() == pytest.approx(0.0, abs=1e-12)


def test_prompted_regions_over_the_same_texts() -> None:
    v, texts = unit(N, DIM), unit(K, DIM, seed=1)
    teacher, teacher_texts = unit(N, WIDE, seed=2), unit(K, WIDE, seed=3)
    expected = divergence(dots(v, texts, SCALE.item()), dots(teacher, teacher_texts, SHARPER.item()))
    found = losses.prompted_regions(v, texts, SCALE, teacher, teacher_texts, SHARPER)
    assert found.item() == pytest.approx(expected, abs=1e-12)
    assert losses.prompted_regions(v, texts, SCALE, v, texts, SCALE).item() == pytest.approx(0.0, abs=1e-12)


def test_fixed_weights() -> None:
    found = losses.fixed_weights(torch.tensor([3.0, 1.0]), 4)
    assert found.tolist() == [[0.75] * 4, [0.25] * 4]


def entropy(p: list[float]) -> float:
    return -sum(x * math.log(x) for x in p if x > 0)


def spread(values: list[float], temperature: float) -> list[float]:
    whole = [math.exp(-v / temperature) for v in values]
    return [w / sum(whole) for w in whole]


def teachers() -> Tensor:
    logits = unit(3 * N, K, seed=8).reshape(3, N, K) * 4
    probability = logits.softmax(2)
    probability[0, 0] = torch.eye(K, dtype=torch.float64)[2]  # quite sure, with zeros
    return probability


def test_certainty_weights() -> None:
    p = teachers()
    found = losses.certainty_weights(p, 0.5)
    for i in range(N):
        assert found[:, i].tolist() == pytest.approx(spread([entropy(p[t, i].tolist()) for t in range(3)], 0.5), abs=1e-12)
    assert found[0, 0] > 0.9


def test_agreement_weights() -> None:
    p = teachers()
    found = losses.agreement_weights(p, 0.5)
    for i in range(N):
        mean = [sum(p[t, i, k].item() for t in range(3)) / 3 for k in range(K)]
        away = [sum(x * math.log(x / m) for x, m in zip(p[t, i].tolist(), mean, strict=True) if x > 0) for t in range(3)]
        assert found[:, i].tolist() == pytest.approx(spread(away, 0.5), abs=1e-12)
    same = losses.agreement_weights(p[1:2].expand(3, -1, -1))
    assert torch.allclose(same, torch.full_like(same, 1 / 3))
    outlier = torch.stack([p[1], p[1], p[1].roll(5, 1)])
    assert (losses.agreement_weights(outlier)[2] < 1 / 3).all()


def test_weighted_losses() -> None:
    each = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    weights = torch.tensor([[0.25, 1.0], [0.75, 0.0]])
    assert losses.weighted(each, weights).item() == pytest.approx((0.25 + 2.25 + 2.0) / 2)
    assert losses.weighted(each[:, :0], weights[:, :0]).item() == 0.0
