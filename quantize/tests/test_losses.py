"""Every loss against plain loops in float64."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from quantize import losses
from torch import Tensor

N, K, DIM = 7, 11, 5
SCALE = torch.tensor(12.0, dtype=torch.float64)


def unit(*shape: int, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=g, dtype=torch.float64), dim=-1)


def dots(a: Tensor, b: Tensor, scale: float) -> list[list[float]]:
    return [[scale * sum(x * y for x, y in zip(r, s, strict=True)) for s in b.tolist()] for r in a.tolist()]


def log_softmax(row: Sequence[float], kept: Sequence[bool]) -> list[float]:
    total = sum(math.exp(x) for x, keep in zip(row, kept, strict=True) if keep)
    return [x - math.log(total) for x in row]


def test_info_nce_leaves_like_texts_out_of_the_denominator() -> None:
    v, t = unit(N, DIM), unit(N, DIM, seed=1)
    t[4] = t[1]  # the same caption twice
    t[6] = F.normalize(t[2] + 0.2 * t[3], dim=0)  # and nearly the same
    texts, logits = dots(t, t, 1.0), dots(v, t, SCALE.item())
    total = 0.0
    dropped = 0
    for i in range(N):
        kept = [j == i or texts[i][j] <= losses.SAME_TEXT for j in range(N)]
        dropped += kept.count(False)
        total -= log_softmax(logits[i], kept)[i] / (2 * N)
        total -= log_softmax([logits[j][i] for j in range(N)], kept)[i] / (2 * N)
    assert dropped == 4
    assert losses.info_nce(v, t, SCALE).item() == pytest.approx(total, abs=1e-12)
    unfiltered = losses.info_nce(v, t, SCALE, same=2.0).item()
    assert unfiltered > total


def test_names_cross_entropy_with_alike_names_and_weights() -> None:
    v, names = unit(N, DIM), unit(K, DIM, seed=1)
    target = torch.tensor([0, 3, 3, 10, 5, 1, 0])
    alike = torch.zeros(K, K, dtype=torch.bool)
    alike[3, 4] = alike[4, 3] = alike[0, 9] = alike[9, 0] = True
    weight = torch.tensor([1.0, 0.5, 0.6, 1.0, 0.0, 2.0, 0.7], dtype=torch.float64)
    logits = dots(v, names, SCALE.item())
    each = []
    for i, t in enumerate(target.tolist()):
        each.append(-log_softmax(logits[i], [not alike[t, k] for k in range(K)])[t])
    mean = sum(each) / N
    weighted = sum(e * w for e, w in zip(each, weight.tolist(), strict=True)) / weight.sum().item()
    assert losses.names_cross_entropy(v, names, target, SCALE, alike).item() == pytest.approx(mean, abs=1e-12)
    assert losses.names_cross_entropy(v, names, target, SCALE, alike, weight).item() == pytest.approx(weighted, abs=1e-12)
    plain = losses.names_cross_entropy(v, names, target, SCALE, torch.zeros_like(alike)).item()
    assert plain > mean


def test_multi_tag_shares_its_target_among_tags_and_skips_bare_rows() -> None:
    v, tags = unit(4, DIM), unit(K, DIM, seed=1)
    hot = torch.zeros(4, K, dtype=torch.float64)
    chosen: list[list[int]] = [[2], [], [0, 5, 7], [1, 2]]
    for i, js in enumerate(chosen):
        hot[i, js] = 1
    logits = dots(v, tags, SCALE.item())
    rows = [sum(-log_softmax(logits[i], [True] * K)[j] for j in js) / len(js) for i, js in enumerate(chosen) if js]
    assert losses.multi_tag(v, tags, hot, SCALE).item() == pytest.approx(sum(rows) / len(rows), abs=1e-12)
    assert losses.multi_tag(v, tags, torch.zeros_like(hot), SCALE).item() == 0.0


def test_soft_names_is_cross_entropy_with_the_normalised_distribution() -> None:
    v, names = unit(N, DIM), unit(K, DIM, seed=1)
    p = torch.rand(N, K, generator=torch.Generator().manual_seed(2), dtype=torch.float64) ** 4  # sums to anything, as halves do
    logits = dots(v, names, SCALE.item())
    rows = []
    for i in range(N):
        log_q, total = log_softmax(logits[i], [True] * K), p[i].sum().item()
        rows.append(-sum(p[i, k].item() / total * log_q[k] for k in range(K)))
    assert losses.soft_names(v, names, p, SCALE).item() == pytest.approx(sum(rows) / N, abs=1e-12)


def test_relational_compares_neighbourhoods_without_the_diagonal() -> None:
    t, reference = unit(N, DIM), unit(N, 9, seed=1)
    mine, theirs = dots(t, t, 10.0), dots(reference, reference, 10.0)
    total = 0.0
    for i in range(N):
        others = [j != i for j in range(N)]
        p, q = log_softmax(theirs[i], others), log_softmax(mine[i], others)
        total += sum(math.exp(p[j]) * (p[j] - q[j]) for j in range(N) if j != i) / N
    assert losses.relational(t, reference).item() == pytest.approx(total, abs=1e-12)
    turned = t @ torch.linalg.qr(torch.randn(DIM, DIM, dtype=torch.float64))[0]
    assert losses.relational(turned, t).item() == pytest.approx(0.0, abs=1e-9)


def test_objectness_is_quality_focal_loss() -> None:
    logit = torch.tensor([-3.0, 0.0, 2.0, 5.0], dtype=torch.float64)
    target = torch.tensor([0.0, 0.9, 0.3, 1.0], dtype=torch.float64)
    total = 0.0
    for x, y in zip(logit.tolist(), target.tolist(), strict=True):
        p = 1 / (1 + math.exp(-x))
        total -= (y - p) ** 2 * (y * math.log(p) + (1 - y) * math.log(1 - p))
    assert losses.objectness(logit, target).item() == pytest.approx(total / target.sum().item(), abs=1e-12)
    alone = losses.objectness(logit[:1], target[:1]).item()  # without a positive the divisor is 1, not 0
    assert alone == pytest.approx((1 / (1 + math.exp(3))) ** 2 * math.log(1 + math.exp(-3)), abs=1e-12)


def giou(a: Sequence[float], b: Sequence[float]) -> float:
    def area(box: Sequence[float]) -> float:
        return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)

    both = [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
    hull = [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]
    union = area(a) + area(b) - area(both)
    return area(both) / union - (area(hull) - union) / area(hull)


def test_distance_bins_is_distribution_focal_loss_and_giou() -> None:
    bins, count = 8, 3
    logits = torch.randn(count, 4 * bins, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    distance = torch.tensor([[0.3, 2.0, 6.9, 1.5], [4.0, 4.0, 4.0, 4.0], [6.99, 0.01, 0.5, 3.25]], dtype=torch.float64)
    dfl, loss = 0.0, 0.0
    for i in range(count):
        found = []
        for side in range(4):
            log_p = log_softmax(logits[i, side * bins : (side + 1) * bins].tolist(), [True] * bins)
            d = distance[i, side].item()
            low = min(int(d), bins - 2)
            dfl -= ((low + 1 - d) * log_p[low] + (d - low) * log_p[low + 1]) / (4 * count)
            found.append(sum(k * math.exp(log_p[k]) for k in range(bins)))
        wanted = distance[i].tolist()
        boxes = [[-s[0], -s[1], s[2], s[3]] for s in (found, wanted)]
        loss += (1 - giou(*boxes)) / count
    assert losses.distance_bins(logits, distance).item() == pytest.approx(0.25 * dfl + loss, abs=1e-6)


ALIKE = torch.eye(K, dtype=torch.bool).roll(1, 0)
CASES: dict[str, Callable[[Tensor], Tensor]] = {
    "info_nce": lambda v: losses.info_nce(v, unit(N, DIM, seed=1), SCALE),
    "names": lambda v: losses.names_cross_entropy(v, unit(K, DIM, seed=1), torch.arange(N), SCALE, ALIKE),
    "multi_tag": lambda v: losses.multi_tag(v, unit(K, DIM, seed=1), torch.ones(N, K), SCALE),
    "no_tag": lambda v: losses.multi_tag(v, unit(K, DIM, seed=1), torch.zeros(N, K), SCALE),
    "soft_names": lambda v: losses.soft_names(v, unit(K, DIM, seed=1), torch.zeros(N, K), SCALE),
    "relational": lambda v: losses.relational(v, unit(N, DIM, seed=1)),
    "objectness": lambda v: losses.objectness(60 * v[:, 0], torch.zeros(N, dtype=torch.float64)),
    "distance_bins": lambda v: losses.distance_bins((v.repeat(1, 7)[:, :32] * 60), torch.full((N, 4), 6.5, dtype=torch.float64)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_finite(name: str) -> None:
    v = unit(N, DIM).requires_grad_()
    (gradient,) = torch.autograd.grad(CASES[name](v), v)
    assert gradient.isfinite().all()
