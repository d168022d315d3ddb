"""Losses of pairs, regions, boxes and masks against plain loops in float64."""

import math

import pytest
import torch
import torch.nn.functional as F
from quantize import losses
from quantize.tests.test_losses import DIM, SCALE, K, N, dots, giou, log_softmax, unit
from torch import Tensor

BIAS = torch.tensor(-4.0, dtype=torch.float64)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_sigmoid_pairs_sum_over_all_pairs() -> None:
    v, t = unit(N, DIM), unit(N, DIM, seed=1)
    logits = dots(v, t, SCALE.item())
    total = 0.0
    for i in range(N):
        for j in range(N):
            x = logits[i][j] + BIAS.item()
            total -= math.log(sigmoid(x if i == j else -x)) / N
    assert losses.sigmoid_pairs(v, t, SCALE, BIAS).item() == pytest.approx(total, abs=1e-12)


def test_region_text_filters_by_the_frozen_towers_texts() -> None:
    v, t = unit(N, DIM), unit(N, DIM, seed=1)
    vectors = 7 * unit(N, 6, seed=2)  # of any length
    vectors[4], vectors[6] = vectors[1] * 2, vectors[2] + 0.3 * vectors[3]
    texts, logits = dots(F.normalize(vectors, dim=1), F.normalize(vectors, dim=1), 1.0), dots(v, t, SCALE.item())
    total, dropped = 0.0, 0
    for i in range(N):
        kept = [j == i or texts[i][j] <= 0.9 for j in range(N)]
        dropped += kept.count(False)
        total -= log_softmax(logits[i], kept)[i] / (2 * N)
        total -= log_softmax([logits[j][i] for j in range(N)], kept)[i] / (2 * N)
    assert dropped == 4
    assert losses.region_text(v, t, SCALE, vectors).item() == pytest.approx(total, abs=1e-12)
    stricter = losses.region_text(v, t, SCALE, vectors, same=0.99).item()
    assert stricter > total  # one pair fewer is let off


def test_region_share_counts_pictures_not_regions() -> None:
    assert losses.region_share(torch.tensor([3, 0, 3, 3]), 5).item() == pytest.approx(0.4)
    assert losses.region_share(torch.zeros(0, dtype=torch.long), 5).item() == 0.0


def test_grounding_is_the_mean_square_of_the_corners() -> None:
    boxes, target = unit(N, 4), unit(N, 4, seed=1)
    total = sum((a - b) ** 2 for r, s in zip(boxes.tolist(), target.tolist(), strict=True) for a, b in zip(r, s, strict=True))
    assert losses.grounding(boxes, target).item() == pytest.approx(total / (4 * N), abs=1e-12)


def test_overlap_is_one_minus_giou() -> None:
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.1, 0.2, 0.4, 0.9], [0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
    b = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.1, 0.2, 0.4, 0.9], [2.0, 3.0, 4.0, 4.0]], dtype=torch.float64)
    total = sum(1 - giou(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)) / 3
    assert losses.overlap(a, b).item() == pytest.approx(total, abs=1e-6)


def test_distribution_focal_shares_between_the_two_bins() -> None:
    bins, distance = unit(2, 12, seed=4) * 5, torch.tensor([[0.25, 1.0, 1.75, 2.0], [0.0, 9.0, 0.5, 1.5]], dtype=torch.float64)
    total = 0.0
    for i in range(2):
        for side in range(4):
            log_p = log_softmax(bins[i, 3 * side : 3 * side + 3].tolist(), [True] * 3)
            d = min(distance[i, side].item(), 2.0)
            low = min(int(d), 1)
            total -= ((low + 1 - d) * log_p[low] + (d - low) * log_p[low + 1]) / 8
    assert losses.distribution_focal(bins, distance).item() == pytest.approx(total, abs=1e-12)


def test_masks_are_dice_and_cross_entropy() -> None:
    logits = unit(3, 4 * 5, seed=5).reshape(3, 4, 5) * 6
    target = (unit(3, 4 * 5, seed=6).reshape(3, 4, 5) > 0.05).double()
    total = 0.0
    for x, y in zip(logits.flatten(1).tolist(), target.flatten(1).tolist(), strict=True):
        p = [sigmoid(z) for z in x]
        total -= sum(math.log(a) if b else math.log(1 - a) for a, b in zip(p, y, strict=True)) / 20
        total += 1 - (2 * sum(a * b for a, b in zip(p, y, strict=True)) + 1) / (sum(p) + sum(y) + 1)
    assert losses.masks(logits, target).item() == pytest.approx(total / 3, abs=1e-12)


def test_similarities_stay_float32_under_autocast() -> None:
    v, t = unit(N, DIM).float(), unit(N, DIM, seed=1).float()
    with torch.autocast("cpu", torch.bfloat16):
        assert (v @ t.T).dtype == torch.bfloat16
        found = losses.info_nce(v, t, SCALE.float())
        from_half = losses.info_nce(v.bfloat16(), t.bfloat16(), SCALE.float())
    assert torch.equal(found, losses.info_nce(v, t, SCALE.float()))
    assert from_half.dtype == torch.float32


NONE = torch.zeros(0, DIM, dtype=torch.float64)
EMPTY = {
    "info_nce": lambda v: losses.info_nce(v, NONE, SCALE),
    "sigmoid_pairs": lambda v: losses.sigmoid_pairs(v, NONE, SCALE, BIAS),
    "region_text": lambda v: losses.region_text(v, NONE, SCALE, NONE),
    "names": lambda v: losses.names_cross_entropy(
        v, unit(K, DIM), torch.zeros(0, dtype=torch.long), SCALE, torch.eye(K, dtype=torch.bool)
    ),
    "soft_names": lambda v: losses.soft_names(v, unit(K, DIM), torch.zeros(0, K), SCALE),
    "multi_tag": lambda v: losses.multi_tag(v, unit(K, DIM), torch.zeros(0, K), SCALE),
    "grounding": lambda v: losses.grounding(v[:, :4], NONE[:, :4]),
    "overlap": lambda v: losses.overlap(v[:, :4], NONE[:, :4]),
    "distribution_focal": lambda v: losses.distribution_focal(v.repeat(1, 4), NONE[:, :4]),
    "distance_bins": lambda v: losses.distance_bins(v.repeat(1, 4), NONE[:, :4]),
    "masks": lambda v: losses.masks(v[:, :, None], NONE[:, :, None]),
    "affinity": lambda v: losses.affinity(v, NONE, SCALE, NONE, NONE, SCALE),
    "prompted_regions": lambda v: losses.prompted_regions(v, unit(K, DIM), SCALE, NONE, unit(K, DIM), SCALE),
    "relational": lambda v: losses.relational(v, NONE),
}


@pytest.mark.parametrize("name", EMPTY)
def test_no_rows_give_zero_with_a_gradient(name: str) -> None:
    v = NONE.clone().requires_grad_()
    loss: Tensor = EMPTY[name](v)
    assert loss.item() == 0.0
    (gradient,) = torch.autograd.grad(loss, v)
    assert gradient.shape == v.shape


ONE, OTHER = unit(1, DIM), unit(1, DIM, seed=1)
ALIKE = unit(1, DIM, seed=1).expand(N, -1)
EDGES = {
    "one pair": lambda v: losses.info_nce(v[:1], OTHER, SCALE),
    "one sigmoid pair": lambda v: losses.sigmoid_pairs(v[:1], OTHER, SCALE, BIAS),
    "one region": lambda v: losses.region_text(v[:1], OTHER, SCALE, OTHER),
    "all texts alike": lambda v: losses.info_nce(v, ALIKE, SCALE),
    "all region texts alike": lambda v: losses.region_text(v, unit(N, DIM, seed=1), SCALE, ALIKE),
    "one relation": lambda v: losses.relational(v[:1], OTHER),
    "one affinity": lambda v: losses.affinity(v[:1], OTHER, SCALE, ONE, OTHER, SCALE),
    "no tag": lambda v: losses.multi_tag(v, unit(K, DIM), torch.zeros(N, K), SCALE),
    "flat boxes": lambda v: losses.overlap(torch.cat([v[:, :2], v[:, :2]], 1), torch.zeros(N, 4, dtype=torch.float64)),
    "sure masks": lambda v: losses.masks(800 * v[:, :, None], (v[:, :, None] < 0).double()),
    "sure pairs": lambda v: losses.sigmoid_pairs(v, v.detach(), SCALE * 100, BIAS),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_are_finite(name: str) -> None:
    v = unit(N, DIM).requires_grad_()
    loss: Tensor = EDGES[name](v)
    assert loss.isfinite()
    (gradient,) = torch.autograd.grad(loss, v)
    assert gradient.isfinite().all()
    if name.startswith("all"):
        assert loss.item() == pytest.approx(0.0, abs=1e-12)


MASK = (unit(N, DIM, seed=7) > 0)[:, :, None].double()
SMOOTH = {
    "info_nce": lambda v: losses.info_nce(v, unit(N, DIM, seed=1), SCALE),
    "sigmoid_pairs": lambda v: losses.sigmoid_pairs(v, unit(N, DIM, seed=1), SCALE, BIAS),
    "region_text": lambda v: losses.region_text(v, unit(N, DIM, seed=1), SCALE, unit(N, DIM, seed=1)),
    "grounding": lambda v: losses.grounding(v[:, :4], unit(N, 4, seed=1)),
    "multi_tag": lambda v: losses.multi_tag(v, unit(K, DIM, seed=1), torch.ones(N, K), SCALE),
    "soft_names": lambda v: losses.soft_names(v, unit(K, DIM, seed=1), torch.ones(N, K), SCALE),
    "objectness": lambda v: losses.objectness(3 * v, unit(N, DIM, seed=1).abs()),
    "distance_bins": lambda v: losses.distance_bins(v.repeat(1, 4), unit(N, 4, seed=1).abs() + 0.1),
    "masks": lambda v: losses.masks(5 * v[:, :, None], MASK),
    "relational": lambda v: losses.relational(v, unit(N, 3, seed=1)),
    "affinity": lambda v: losses.affinity(v, unit(N, DIM, seed=1), SCALE, unit(N, 3), unit(N, 3, seed=2), SCALE),
    "prompted_regions": lambda v: losses.prompted_regions(v, unit(K, DIM), SCALE, unit(N, 3), unit(K, 3, seed=1), SCALE),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_the_slopes(name: str) -> None:
    assert torch.autograd.gradcheck(SMOOTH[name], unit(N, DIM).requires_grad_(), eps=1e-6, atol=1e-6)
