"""The training of what the detector saw: which of the proposed boxes hold what, names of known boxes among all names, and what
the head said before. What the classifier saw, which knows more names than any detector, stays.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from quantize import losses
from quantize.renew.boxes.head import RegionsHead
from quantize.renew.boxes.targets import NO_NAME, Targets

log = logging.getLogger(__name__)
WEIGHTS = {"detector": 1.0, "names": 1.0, "things": 0.5, "before": 0.5}
SIZES = (1, 5, 20)
"""Of vocabularies of COCO's names, in half of the steps; all of them in the others."""
THINGS = 64
"""Names of a vocabulary for pictures of single things: theirs, and others."""
EMA = 0.995
SCORES_RATE = 0.003
CLIP = 5.0
REPORT = 50
"""Steps between two lines."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast, and what counts how much."""

    steps: int = 400
    pictures: int = 40
    rate: float = 5e-4
    decay: float = 0.02
    drop: float = 0.15
    share: float = 0.7
    """Of what was learned, beside what the head was before: learned weights alone found less on pictures unlike the shards'."""
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))


@dataclass(frozen=True)
class Words:
    """Texts in the bundle's space."""

    vectors: Tensor
    """`[K, D]`, of all names."""
    alike: Tensor
    """`[K, K]`: too near to count against each other, or other words for the same."""
    coco: Tensor
    """`[80]`: positions of COCO's names."""
    bank: Tensor
    """`[B, D]`: the bundle's negatives."""
    max_similarity: float
    """Of negatives to names."""


class Score(nn.Module):
    """From a vector to the probability of a name, as docs/architecture.md has it, but for synonyms; its numbers are learned."""

    def __init__(self, scale: float, weights: tuple[float, ...]) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, v: Tensor, objectness: Tensor, names: Tensor, words: Words) -> Tensor:
        """Logits `[N, M]` of M `names` (positions) for N boxes."""
        prompts = words.vectors[names]
        others = words.bank[(words.bank @ prompts.T).amax(1) <= words.max_similarity]
        scale = self.log_scale.exp()
        own, negatives = scale * losses.similarity(v, prompts), scale * losses.similarity(v, others)
        every = torch.cat([own, negatives], 1).logsumexp(1, keepdim=True)
        # all but the name itself: log(exp(every) - exp(own))
        rest = every + torch.log1p(-(own - every).exp().clamp(max=1 - 1e-6))
        bias, margin, thing = self.weights
        out: Tensor = bias + margin * (own - rest) + thing * objectness[:, None]
        return out


@dataclass(frozen=True)
class Boxes:
    """What the head looks at: N boxes of P pictures."""

    vectors: Tensor
    """`[N, F]`, f16"""
    objectness: Tensor
    """`[N]`, NaN of boxes that are not proposed."""
    counts: Tensor
    """`[P]`, rows of each picture."""
    rest: Tensor
    """`[N, D]`, f16: what the paths that do not learn add."""
    before: Tensor
    """`[N, D]`, f16: what the head said before."""

    @classmethod
    def of(cls, head: RegionsHead, vectors: Tensor, objectness: Tensor, counts: Tensor) -> "Boxes":
        """Asks the head as it is."""
        rest, before = [], []
        with torch.no_grad():
            for part in torch.split(vectors, 4096):
                x = part.float()
                rest.append(head.eval().rest(x).half())
                before.append(head(x, rest[-1].float()).half())
        return cls(vectors, objectness, counts, torch.cat(rest), torch.cat(before))

    def rows(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of all boxes of the pictures `chosen`, and which of these each lies in."""
        n = self.counts[chosen]
        first = (self.counts.cumsum(0) - self.counts)[chosen]
        within = torch.arange(int(n.sum())) - (n.cumsum(0) - n).repeat_interleave(n)
        return within + first.repeat_interleave(n), torch.arange(len(chosen)).repeat_interleave(n)


def detector_loss(v: Tensor, objectness: Tensor, wanted: Tensor, words: Words, score: Score, g: torch.Generator) -> Tensor:
    """How far each box is one of a vocabulary of COCO's names, by the quality focal loss."""
    size = len(words.coco)
    if torch.rand((), generator=g) < 0.5:
        size = SIZES[int(torch.randint(len(SIZES), (), generator=g))]
    columns = torch.randperm(len(words.coco), generator=g)[:size]
    return losses.objectness(score(v, objectness, words.coco[columns], words), wanted[:, columns].float())


def things_loss(
    v: Tensor, objectness: Tensor, name: Tensor, label: Tensor, unsure: Tensor, words: Words, score: Score, g: torch.Generator
) -> Tensor:
    """Boxes of pictures of single things: `name` [n] of those that are the thing, `label` [n] of their pictures.

    Names alike the label's, and boxes that may hold a part of the thing, count neither way.
    """
    own = label.unique()[:THINGS]  # type: ignore[no-untyped-call]
    others = torch.randint(len(words.vectors), (max(THINGS - len(own), 1),), generator=g)
    names = torch.cat([own, others]).unique()  # type: ignore[no-untyped-call]
    mine = label[:, None] == names
    wanted = (mine & (name == label)[:, None]).float()
    ignored = words.alike[label][:, names] | (mine & unsure[:, None])
    logits = score(v, objectness, names, words)
    return losses.objectness(torch.where(ignored, -30.0, logits), torch.where(ignored, 0.0, wanted))


def terms(
    head: RegionsHead, boxes: Boxes, chosen: Tensor, known: Targets, words: Words, score: Score, g: torch.Generator
) -> dict[str, Tensor]:
    """What is known of the boxes of the pictures `chosen`; unweighted."""
    rows, picture = boxes.rows(chosen)
    logit, name = boxes.objectness[rows], known.name[rows]
    v = head(boxes.vectors[rows].float(), boxes.rest[rows].float())
    proposed, named = ~logit.isnan(), name != NO_NAME
    judged, label = known.judged[chosen][picture], known.label[chosen][picture]
    out = {"before": (1 - (v * boxes.before[rows].float()).sum(1))[~named].mean()} if (~named).any() else {}
    if (here := proposed & judged).any():
        out["detector"] = detector_loss(v[here], logit[here], known.detector[rows][here], words, score, g)
    if named.any():
        scale, weight = score.log_scale.exp(), known.weight[rows][named]
        out["names"] = losses.names_cross_entropy(v[named], words.vectors, name[named], scale, words.alike, weight)
    if (here := proposed & (label != NO_NAME)).any():
        unsure = known.unsure[rows]
        out["things"] = things_loss(v[here], logit[here], name[here], label[here], unsure[here], words, score, g)
    return out


def learn(head: RegionsHead, boxes: Boxes, known: Targets, words: Words, plan: Plan, score: Score, seed: int) -> None:
    """Trains the towers' path of `head`, and `score`, in place."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    groups = [
        {"params": [p for p in head.towers.parameters() if p.dim() > 1], "weight_decay": plan.decay},
        {"params": [p for p in head.towers.parameters() if p.dim() <= 1], "weight_decay": 0.0},
        {"params": list(score.parameters()), "weight_decay": 0.0},
    ]
    rates = [plan.rate, plan.rate, SCORES_RATE]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate)
    learned = [*head.towers.parameters(), *score.parameters()]
    start = [p.detach().clone() for p in learned]
    average = [p.detach().clone() for p in learned]
    head.train()
    head.drop = plan.drop
    most = min(plan.pictures, int((known.drawn > 0).sum()))
    for step in range(plan.steps):
        shape = min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / plan.steps))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * shape
        chosen = torch.multinomial(known.drawn, most, generator=g)
        found = terms(head, boxes, chosen, known, words, score, g)
        loss = torch.stack([plan.weights[name] * value for name, value in found.items()]).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(head.towers.parameters(), CLIP)
        optimiser.step()
        kept = min(EMA, (1 + step) / (10 + step))
        for mean, p in zip(average, learned, strict=True):
            mean.lerp_(p.detach(), 1 - kept)
        if step % REPORT == 0:
            log.info("step %d: %s", step, ", ".join(f"{name} {value.item():.3f}" for name, value in found.items()))
    with torch.no_grad():
        for p, before, mean in zip(learned, start, average, strict=True):
            p.copy_(before.lerp(mean, plan.share))
    head.eval()
