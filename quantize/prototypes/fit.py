"""Weights of words and examples in one score, by maximum likelihood on names that the space was not made from.

Random vocabularies, each name taught by some examples, are asked about pictures (or regions) that show one of the names or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from quantize.arithmetic import reference
from quantize.arithmetic.examples import regressed
from quantize.arithmetic.geometry import Floats
from quantize.arithmetic.reference import unit
from quantize.bundle.manifest import Examples, Score
from quantize.prototypes.seen import Seen

VOCABULARY_SIZES = (2, 4, 8, 16)
COUNTS = (1, 1, 2, 3, 4)
"""Examples a name."""
TRIALS = 60
MOST_QUERIES = 200
STEPS = 30
Weights = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Words:
    """Names in the joint space, and what they compete with."""

    names: Sequence[str]
    vectors: Floats
    bank: Floats
    max_similarity: float

    def evidence(self, embeddings: Floats, texts: Floats, scale: float) -> Floats:
        """How far each text stands above the negatives: `[N, names]`."""
        negatives = reference.negatives_for(texts, self.bank, self.max_similarity)
        own, others = (np.asarray(scale * embeddings @ rows.T, np.float32) for rows in (texts, negatives))
        return np.asarray(own - _log_sum(others), np.float32)


@dataclass(frozen=True)
class Rows:
    """Rows with their vectors, and the prompts' score that they are asked with."""

    seen: Seen
    vectors: Floats


@dataclass(frozen=True)
class Trial:
    """One vocabulary and what was asked about it."""

    count: int
    words: Tensor
    examples: Tensor
    agreement: Tensor
    right: Tensor
    offset: Tensor
    weight: Tensor
    """Of each row: how many like it there are."""
    own_words: Tensor
    """`[names]`: whether each has its own word."""


def trials(
    taught: Rows, asked: Rows, everyday: Floats, words: Words, score: Score, examples: Examples, wrong: float
) -> list[Trial]:
    """Draws vocabularies.

    Args:
        taught: what examples are drawn from.
        asked: what is asked about; pictures that the examples are from are not.
        everyday: `[M, F]`, the bank.
        words: of all names in `taught`.
        score: the manifest's for this kind.
        examples: the manifest's; its weights are not read.
        wrong: share of the names whose word is replaced by another one, where the words of all names are trained. Rows that show
            none of the names count as often as they occur where it is above 0, else twice as often as those that show one.
    """
    shown = {name: np.flatnonzero(taught.seen.names == name) for name in np.unique(taught.seen.names).tolist() if name}
    counts = {name: len(np.unique(taught.seen.pictures[rows])) for name, rows in shown.items()}
    shown = {name: rows for name, rows in shown.items() if counts[name] > 1}
    if not shown:
        raise ValueError(f"found {len(taught.seen)} rows without two of one name, expected some to fit weights on")
    resembled = (_log_sum(np.asarray(examples.scale * asked.vectors @ everyday.T, np.float32)) - np.log(len(everyday)))[:, 0]
    return [
        _trial(np.random.default_rng(seed), taught, asked, everyday, resembled, shown, counts, words, score, examples, wrong)
        for seed in range(TRIALS)
    ]


def _trial(
    rng: np.random.Generator, taught: Rows, asked: Rows, everyday: Floats, resembled: Floats,
    shown: dict[str, NDArray[np.int64]], counts: dict[str, int], words: Words, score: Score, settings: Examples, wrong: float,
) -> Trial:  # fmt: skip
    count, size = int(rng.choice(COUNTS)), int(rng.choice(VOCABULARY_SIZES))
    count = min(count, max(counts.values()) - 1)
    enough = [name for name in shown if counts[name] > count]
    names = [enough[i] for i in rng.permutation(len(enough))[:size]]
    examples = [rng.permutation(shown[name])[:count] for name in names]
    used = np.isin(asked.seen.pictures, taught.seen.pictures[np.concatenate(examples)])
    present = np.flatnonzero(np.isin(asked.seen.names, names) & ~used)
    absent = np.flatnonzero(~np.isin(asked.seen.names, names) & ~used)
    some = rng.permutation(present)[:MOST_QUERIES]
    none = rng.permutation(absent)[: 2 * len(some) + 30]
    queries = np.concatenate([some, none])
    share = len(absent) / len(none) / (len(present) / max(len(some), 1)) if wrong > 0 else 1.0
    weight = np.repeat([1.0, share], [len(some), len(none)])[:, None]
    texts = words.vectors[[words.names.index(name) for name in names]]
    replaced = rng.random(len(names)) < wrong
    for i in np.flatnonzero(replaced):
        texts[i] = words.vectors[int(rng.integers(len(words.names)))]
    middle = np.stack([taught.vectors[rows].mean(axis=0) for rows in examples])
    means = unit(middle)
    compared = means
    if settings.ridge is not None:
        compared = regressed(everyday.astype(np.float64), settings.ridge, middle.astype(np.float64)).astype(np.float32)
    evidence = settings.scale * asked.vectors[queries] @ compared.T - resembled[queries, None]
    agreement = (unit(means[:, -texts.shape[1] :]) * texts).sum(axis=1)
    right = asked.seen.names[queries, None] == np.array(names)
    offset = score.weights[2] * asked.seen.objectness[queries] if len(score.weights) > 2 else np.zeros(len(queries))
    parts = (
        words.evidence(asked.seen.embedding[queries], texts, score.scale),
        evidence,
        agreement,
        right,
        offset[:, None],
        weight,
        ~replaced,
    )
    return Trial(count, *(torch.tensor(np.asarray(part, np.float32)) for part in parts))


def fit(drawn: Sequence[Trial], score: Score, beside_words: bool) -> tuple[Weights, float]:
    """Weights at one example and at endlessly many, and the mean loss; `manifest.ExamplePool` says of what."""
    start = [0.8, 2.5, -6.0, -5.0] if beside_words else [3.0, -10.0]
    weights = torch.tensor([start, start], requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        total = torch.zeros(())
        for trial in drawn:
            at = weights[1] + (weights[0] - weights[1]) / trial.count
            parts = (
                (trial.words, trial.examples, torch.ones(()), trial.agreement)
                if beside_words
                else (trial.examples, torch.ones(()))
            )
            above = sum((w * part for w, part in zip(at, parts, strict=True)), torch.zeros_like(trial.words))
            logits = score.weights[0] + score.weights[1] * _margins(above) + trial.offset
            total = total + binary_cross_entropy_with_logits(logits, trial.right, trial.weight, reduction="sum")
        mean = total / sum(float(trial.weight.sum()) * trial.right.shape[1] for trial in drawn)
        mean.backward()  # type: ignore[no-untyped-call]
        return mean

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    rows = tuple(tuple(round(value, 3) for value in row) for row in weights.tolist())
    return rows, float(loss().detach())


def fit_trust(drawn: Sequence[Trial]) -> tuple[float, ...]:
    """Weights of agreement, one, and one over the number of examples, in the logit of a word's fitting its examples."""
    parts = [torch.stack([t.agreement, torch.ones_like(t.agreement), torch.full_like(t.agreement, 1 / t.count)]) for t in drawn]
    rows, own = torch.cat(parts, dim=1).T, torch.cat([t.own_words for t in drawn])
    weights = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=10 * STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        total = binary_cross_entropy_with_logits(rows @ weights, own)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    slope, constant, few = weights.tolist()
    return round(slope, 2), round(constant, 2), round(few, 2)


def _margins(above: Tensor) -> Tensor:
    """How far each name stands above the others and the negatives, which are at 0."""
    count = above.shape[1]
    others = torch.cat([above, torch.zeros(len(above), 1)], dim=1)[:, None].expand(-1, count, -1)
    own = torch.eye(count, count + 1, dtype=torch.bool)
    return above - torch.logsumexp(others.masked_fill(own, -torch.inf), dim=2)


def _log_sum(logits: Floats) -> Floats:
    if logits.shape[1] == 0:
        return np.zeros((len(logits), 1), np.float32)
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True)), np.float32)
