"""The heads' training on a set of one's own: its boxes against its names and the bundle's everyday ones, and what the heads said
before of everything else.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from quantize import losses
from quantize.files import whole_file
from quantize.progress import track
from quantize.renew.boxes.head import RegionsHead
from quantize.tune.seen import Boxes

log = logging.getLogger(__name__)
WEIGHTS = {"boxes": 1.0, "names": 0.5, "before": 4.0}
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
"""How far from the shipped weights to the trained ones the result may lie (arXiv 2109.01903): what fits the pictures that
calibrate scores best.
"""
SURE = 0.99
"""`wanted` from which on a box is called so."""
EMA = 0.99
CLIP = 5.0
SMALLEST = 5
"""Names of the smallest vocabularies that are drawn; all of them in half of the steps."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast, and what counts how much."""

    steps: int = 400
    canvases: int = 24
    """In a step."""
    rate: float = 3e-4
    decay: float = 0.02
    drop: float = 0.15
    every: int = 50
    """Steps between two scores on pictures that are not learned, and between two states that a stopped run goes on from."""
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))


@dataclass(frozen=True)
class Words:
    """Texts in the bundle's space."""

    names: Tensor
    """`[K, D]`: the set's."""
    bank: Tensor
    """`[B, D]`: the bundle's everyday names."""
    max_similarity: float
    """Of an everyday name to one of the set's, beside which it counts."""
    scale: float
    weights: tuple[float, ...]
    """From cosines and objectness to a probability, as the bundle has them."""

    def logits(self, v: Tensor, objectness: Tensor, chosen: Tensor) -> Tensor:
        """Of the names `chosen` [M] for N boxes, as the board computes them, but for synonyms: `[N, M]`."""
        prompts = self.names[chosen]
        others = self.bank[(self.bank @ prompts.T).amax(1) <= self.max_similarity]
        own, negatives = self.scale * losses.similarity(v, prompts), self.scale * losses.similarity(v, others)
        every = torch.cat([own, negatives], 1).logsumexp(1, keepdim=True)
        rest = every + torch.log1p(-(own - every).exp().clamp(max=1 - 1e-6))
        bias, margin, thing = self.weights
        out: Tensor = bias + margin * (own - rest) + thing * objectness[:, None]
        return out


@dataclass(frozen=True)
class Facts:
    """Everything that is looked at, with what the shipped head says of it."""

    vectors: Tensor
    objectness: Tensor
    wanted: Tensor
    ignored: Tensor
    counts: Tensor
    concepts: Tensor
    before: Tensor
    labelled: Tensor
    """`[canvases]`: whether people have looked for the set's names in them."""

    @classmethod
    def of(cls, head: RegionsHead, boxes: Boxes, labelled: Tensor) -> "Facts":
        """Asks the head as it is."""
        vectors = torch.from_numpy(boxes.vectors)
        concepts, before = [], []
        with torch.no_grad():
            for part in torch.split(vectors, 4096):
                x = part.float()
                concepts.append(head.concepts(x).half())
                before.append(embedded(head.eval(), x, concepts[-1].float()).half())
        objectness, wanted = torch.from_numpy(boxes.objectness), torch.from_numpy(boxes.wanted)
        ignored, counts = torch.from_numpy(boxes.ignored), torch.from_numpy(boxes.counts)
        return cls(vectors, objectness, wanted, ignored, counts, torch.cat(concepts), torch.cat(before), labelled)

    def rows(self, chosen: Tensor) -> Tensor:
        """Of the canvases `chosen`."""
        n = self.counts[chosen]
        first = (self.counts.cumsum(0) - self.counts)[chosen]
        within = torch.arange(int(n.sum())) - (n.cumsum(0) - n).repeat_interleave(n)
        return within + first.repeat_interleave(n)

    def balance(self) -> Tensor:
        """How often each canvas is drawn: rare names more often than their number says, by the root of it."""
        has = torch.zeros(len(self.counts), self.wanted.shape[1])
        owner = torch.arange(len(self.counts)).repeat_interleave(self.counts)
        has.index_reduce_(0, owner, self.wanted.float(), "amax")
        number = (has >= SURE).sum(0).clamp(min=1).float()
        rare = ((has >= SURE) / number.sqrt()).amax(1)
        typical = rare[rare > 0].mean() if (rare > 0).any() else torch.tensor(1.0)
        return torch.where(rare > 0, rare, typical / 2)


def embedded(head: RegionsHead, x: Tensor, concepts: Tensor) -> Tensor:
    """Unit vectors of the region vectors `x`, whose term of the concepts' path, which does not learn, is known."""
    unit: Tensor = head(x, head.semantic_values(x)[-1] + concepts)
    return unit


def terms(head: RegionsHead, facts: Facts, canvases: Tensor, words: Words, columns: Tensor) -> dict[str, Tensor]:
    """What is known of the canvases' boxes; unweighted."""
    rows = facts.rows(canvases)
    judged = facts.labelled[canvases].repeat_interleave(facts.counts[canvases]) & ~facts.ignored[rows]
    v = embedded(head, facts.vectors[rows].float(), facts.concepts[rows].float())
    wanted, objectness = facts.wanted[rows].float(), facts.objectness[rows]
    sure = (wanted.amax(1) >= SURE) & judged
    out = {}
    proposed = judged & ~objectness.isnan()
    if proposed.any():
        logits = words.logits(v[proposed], objectness[proposed], columns)
        out["boxes"] = losses.objectness(logits, wanted[proposed][:, columns])
    if sure.any():
        target = wanted[sure].argmax(1)
        others = words.bank[(words.bank @ words.names.T).amax(1) <= words.max_similarity]
        logits = words.scale * losses.similarity(v[sure], torch.cat([words.names, others]))
        out["names"] = nn.functional.cross_entropy(logits, target)
    other = wanted.amax(1) == 0
    if other.any():
        out["before"] = (1 - (v[other] * facts.before[rows][other].float()).sum(1)).mean()
    return out


def drawn_columns(count: int, g: torch.Generator) -> Tensor:
    """All names, or in half of the steps some of them."""
    if count <= SMALLEST or torch.rand((), generator=g) < 0.5:
        return torch.arange(count)
    size = int(torch.randint(SMALLEST, count + 1, (), generator=g))
    return torch.randperm(count, generator=g)[:size]


Worth = Callable[[RegionsHead], float]
"""How well a head does on pictures that are not learned: less is better."""


def learn(head: RegionsHead, facts: Facts, words: Words, plan: Plan, seed: int, state: Path, worth: Worth) -> None:
    """Trains `head` in place and leaves it as it was worth most; a stopped run goes on from the file `state`."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    groups = [
        {"params": [p for p in head.parameters() if p.dim() > 1], "weight_decay": plan.decay},
        {"params": [p for p in head.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate)
    average = [p.detach().clone() for p in head.parameters()]
    best = Best()
    first = _resume(state, head, optimiser, average, g, best) if state.exists() else 0
    weight = facts.balance()
    batch = min(plan.canvases, len(weight))
    head.train()
    head.drop = plan.drop
    for step in track(range(first, plan.steps), "training", plan.steps - first):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * min(1.0, (step + 1) / 40) * (0.5 + 0.5 * math.cos(math.pi * step / plan.steps))
        chosen = torch.multinomial(weight, batch, generator=g)
        found = terms(head, facts, chosen, words, drawn_columns(len(words.names), g))
        loss = torch.stack([plan.weights[name] * value for name, value in found.items()]).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(head.parameters(), CLIP)
        optimiser.step()
        share = min(EMA, (1 + step) / (10 + step))
        for mean, p in zip(average, head.parameters(), strict=True):
            mean.lerp_(p.detach(), 1 - share)
        if (step + 1) % plan.every == 0 or step + 1 == plan.steps:
            best.look(head, average, step + 1, worth)
            said = ", ".join(f"{name} {value.item():.3f}" for name, value in found.items())
            log.info("step %d: %s; not learned: %.4f, best %.4f after %d", step + 1, said, best.last, best.loss, best.step)
            _keep(state, head, optimiser, average, g, step + 1, best)
    _put(head, best.weights)
    head.eval()
    head.drop = 0.0


@dataclass
class Best:
    """The average of the weights that did best so far on pictures that are not learned."""

    loss: float = math.inf
    last: float = math.inf
    step: int = 0
    weights: list[Tensor] = field(default_factory=list)

    def look(self, head: RegionsHead, average: list[Tensor], step: int, worth: Worth) -> None:
        """Asks about the average, and leaves the head as it is."""
        now, drop = [p.detach().clone() for p in head.parameters()], head.drop
        _put(head, average)
        head.drop = 0.0
        self.last = worth(head)
        if self.last < self.loss:
            self.loss, self.step, self.weights = self.last, step, [mean.clone() for mean in average]
        _put(head, now)
        head.train()
        head.drop = drop


@torch.no_grad()
def _put(head: RegionsHead, weights: list[Tensor]) -> None:
    for value, p in zip(weights, head.parameters(), strict=True):
        p.copy_(value)


def _keep(
    state: Path,
    head: RegionsHead,
    optimiser: torch.optim.Optimizer,
    average: list[Tensor],
    g: torch.Generator,
    step: int,
    best: Best,
) -> None:
    kept = {"head": head.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "step": step}
    kept |= {"drawn": g.get_state(), "dropped": torch.get_rng_state(), "best": vars(best)}
    with whole_file(state) as draft:
        torch.save(kept, draft)


def _resume(
    state: Path, head: RegionsHead, optimiser: torch.optim.Optimizer, average: list[Tensor], g: torch.Generator, best: Best
) -> int:
    kept = torch.load(state, weights_only=True)
    head.load_state_dict(kept["head"])
    optimiser.load_state_dict(kept["optimiser"])
    for mean, value in zip(average, kept["average"], strict=True):
        mean.copy_(value)
    g.set_state(kept["drawn"])
    torch.set_rng_state(kept["dropped"])
    for name, value in kept["best"].items():
        setattr(best, name, value)
    log.info("goes on after step %d", kept["step"])
    return int(kept["step"])


def mixed(head: RegionsHead, start: Mapping[str, Tensor], worth: Worth) -> float:
    """Puts the head between its `start` and what it is, where `worth` is least; returns the share of the latter."""
    end = {name: value.clone() for name, value in head.state_dict().items()}
    found = {}
    for share in SHARES:
        head.load_state_dict({name: torch.lerp(start[name], value, share) for name, value in end.items()})
        found[share] = worth(head)
    best = min(found, key=lambda share: found[share])
    head.load_state_dict({name: torch.lerp(start[name], value, best) for name, value in end.items()})
    return best


@torch.no_grad()
def loss_on(head: RegionsHead, facts: Facts, words: Words) -> float:
    """Of labelled canvases that were not learned, with all names; and no more of the rest forgotten than needed."""
    found = terms(head.eval(), facts, torch.arange(len(facts.counts)), words, torch.arange(len(words.names)))
    return sum(WEIGHTS[name] * value.item() for name, value in found.items())
