"""The head's training: captions, labels with their other words, tags, two classifiers' answers, and what it said before."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize import losses
from quantize.renew.head import Head
from quantize.renew.supervision import Known

log = logging.getLogger(__name__)
WEIGHTS = {"captions": 1.0, "labels": 1.0, "tags": 0.3, "imagenet": 0.3, "objects": 0.05, "object_tags": 0.5, "before": 1.0}
START_BIAS = -10.0
SCALES_RATE = 0.01
MAX_SCALE = 100.0
EMA = 0.998
REPORT = 100
"""Steps between two lines."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast, and what counts how much."""

    steps: int
    batch: int
    rate: float
    weights: Mapping[str, float]
    things: bool
    """Whether a detector's names are tags."""
    decay: float = 0.02
    drop: float = 0.3


PLANS = (
    Plan(400, 320, 5e-4, WEIGHTS, things=False),
    Plan(600, 384, 8e-4, WEIGHTS | {"tags": 0.6, "before": 0.7}, things=True),
)
"""Trained from the same start: the first names what a picture shows best, the second finds more of what is in it. The mean of
their weights is better than either where they were chosen.
"""


class Scales(nn.Module):
    """Inverse temperatures, learned."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.image = nn.Parameter(torch.tensor(math.log(scale)))
        self.objects = nn.Parameter(torch.tensor(math.log(20.0)))
        self.bias = nn.Parameter(torch.tensor(START_BIAS))


def _pick(lists: list[list[int]], chosen: list[int], g: torch.Generator) -> Tensor:
    draw = torch.rand(len(chosen), generator=g).tolist()
    return torch.tensor([lists[i][int(d * len(lists[i]))] if lists[i] else -1 for i, d in zip(chosen, draw, strict=True)])


def terms(v: Tensor, chosen: list[int], known: Known, s: Scales, g: torch.Generator, things: bool) -> dict[str, Tensor]:
    """What is known of the pictures `chosen`, against their unit vectors `v`; unweighted."""
    scale = s.image.exp().clamp(max=MAX_SCALE)
    out: dict[str, Tensor] = {}
    caption = _pick(known.captions, chosen, g)
    has = caption >= 0
    if has.sum() > 1:
        out["captions"] = losses.info_nce(v[has], known.caption_vectors[caption[has]], scale)
    label = _pick(known.labels, chosen, g)
    has = label >= 0
    if has.any():
        out["labels"] = losses.names_cross_entropy(v[has], known.vectors, label[has], scale, known.alike)
    hot = torch.zeros(len(chosen), len(known.names))
    for row, i in enumerate(chosen):
        hot[row, known.tags[i] + (known.things[i] if things else [])] = 1.0
    out["tags"] = losses.multi_tag(v, known.vectors, hot, scale)
    asked = known.asked[chosen]
    if asked.any():
        names, scores = known.vectors[known.objects], known.said[chosen][asked]
        out["objects"] = losses.true_names(v[asked], names, scores, s.objects.exp(), s.bias)
        out["object_tags"] = losses.multi_tag(v[asked], names, scores, scale)
    return out


def learn(head: Head, views: Tensor, before: Tensor, known: Known, plan: Plan, scale: float, seed: int) -> float:
    """Trains in place from the `scale` of pictures; returns the new one. `views` [N,V,C], `before` [N,D]."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    flat = views.flatten(0, 1)
    with torch.no_grad():
        parts = [(head.distribution(x.float()).half(), head.concepts(x.float())) for x in torch.split(flat, 4096)]
    probability, concepts = (torch.cat([part[i] for part in parts]) for i in (0, 1))
    classes = F.normalize(head.names.T, dim=1)
    scales = Scales(scale)
    groups = [
        {"params": [p for p in head.parameters() if p.dim() > 1], "weight_decay": plan.decay},
        {"params": [p for p in head.parameters() if p.dim() <= 1], "weight_decay": 0.0},
        {"params": list(scales.parameters()), "weight_decay": 0.0},
    ]
    rates = [plan.rate, plan.rate, SCALES_RATE]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate)
    shape = [min(1.0, (i + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * i / plan.steps)) for i in range(plan.steps)]
    average = [p.detach().clone() for p in head.parameters()]
    head.train()
    head.drop = plan.drop
    for step, rate in enumerate(shape):
        for group, most in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = most * rate
        chosen = torch.multinomial(known.weight, plan.batch, replacement=False, generator=g)
        # half of the pictures as the board sees them
        view = torch.randint(1, views.shape[1], (plan.batch,), generator=g) * (torch.rand(plan.batch, generator=g) < 0.5)
        at = chosen * views.shape[1] + view
        v = head(flat[at].float(), concepts[at])
        found = terms(v, chosen.tolist(), known, scales, g, plan.things)
        found["imagenet"] = losses.soft_names(v, classes, probability[at].float(), scales.image.exp())
        found["before"] = (1 - (v * before[chosen]).sum(1)).mean()
        loss = torch.stack([plan.weights[name] * value for name, value in found.items()]).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(head.parameters(), 5.0)
        optimiser.step()
        kept = min(EMA, (1 + step) / (10 + step))
        for mean, p in zip(average, head.parameters(), strict=True):
            mean.lerp_(p.detach(), 1 - kept)
        if step % REPORT == 0:
            log.info("step %d: %s", step, ", ".join(f"{name} {value.item():.3f}" for name, value in found.items()))
    with torch.no_grad():
        for mean, p in zip(average, head.parameters(), strict=True):
            p.copy_(mean)
    head.eval()
    return float(scales.image.exp().clamp(max=MAX_SCALE).detach())


def learn_all(head: Head, views: Tensor, before: Tensor, known: Known, plans: Sequence[Plan], scale: float, seed: int) -> float:
    """The mean of what the plans make of the head, in place; returns the mean scale."""
    start = {name: value.clone() for name, value in head.state_dict().items()}
    total, scales = {name: torch.zeros_like(value) for name, value in start.items()}, []
    for plan in plans:
        head.load_state_dict(start)
        scales.append(learn(head, views, before, known, plan, scale, seed))
        total = {name: value + head.state_dict()[name] / len(plans) for name, value in total.items()}
    head.load_state_dict(total)
    return sum(scales) / len(scales)
