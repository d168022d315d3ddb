"""Vectors of example pictures and their evidence, bit for bit what the board computes (docs/architecture.md, "Examples")."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import ExamplePool, Examples
from quantize.files import whole_file

F = np.float32
MOST = 127
Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Rows:
    """Vectors of unit length, `q · scale`."""

    q: Int8
    """`[N, F]`"""
    scale: Floats
    """`[N]`"""

    def __len__(self) -> int:
        return len(self.scale)

    def take(self, at: Sequence[int]) -> "Rows":
        """Some of them."""
        chosen = np.asarray(at, np.int64)
        return Rows(self.q[chosen], self.scale[chosen])


@dataclass(frozen=True)
class Space:
    """What `features.safetensors` holds: from pooled maps and an embedding to a vector, and everyday ones to compare with."""

    mean: Floats
    """`[C]` of the pooled maps."""
    deviation: Floats
    """`[C]`, above 0."""
    projection: Int8
    """`[K, C]`"""
    projection_scale: Floats
    """`[K]`"""
    region_centre: Floats
    """`[D]`, mean of the regions' embeddings."""
    picture_centre: Floats
    """`[D]`, mean of the pictures' embeddings."""
    bank: Rows
    """Of everyday pictures and regions: "none of these"."""


PARTS = ("mean", "deviation", "projection", "projection_scale", "region_centre", "picture_centre")


def load_space(path: Path) -> Space:
    """Reads `features.safetensors`."""
    tensors = load_file(path)
    return Space(**{part: tensors[part] for part in PARTS}, bank=Rows(tensors["bank"], tensors["bank_scale"]))


def save_space(path: Path, space: Space) -> None:
    """Writes `features.safetensors`, whole or not at all."""
    tensors = {part: getattr(space, part) for part in PARTS} | {"bank": space.bank.q, "bank_scale": space.bank.scale}
    with whole_file(path) as draft:
        save_file(
            {name: np.ascontiguousarray(value) for name, value in tensors.items()}, draft, {"format": "edgeclip-features-1"}
        )


def length(values: Floats) -> float:
    """Summed in float64, in order."""
    total = 0.0
    for value in values.astype(np.float64).tolist():
        total += value * value
    return float(np.sqrt(total))


def quantise(values: Floats, unit: bool = True) -> Rows | None:
    """A vector `[F]` as a row, of unit length or of its own; None of a vector without a direction."""
    norm = length(values)
    if not 0 < norm < np.inf:
        return None
    most = np.abs(values).max()
    q = np.clip(np.rint(values * F(F(MOST) / most)), -MOST, MOST).astype(np.int8)
    return Rows(q[None], np.array([np.float64(most) / MOST / (norm if unit else 1)], F))


def direction(values: Floats, length_: float = 1.0) -> Floats:
    """The vector at the given length, or zeros where it has none."""
    norm = length(values)
    if not 0 < norm < np.inf:
        return np.zeros_like(values)
    return (values.astype(np.float64) / norm * length_).astype(F)


def vector(space: Space, pooled: Floats, embedding: Floats, centre: Floats, share: float) -> Rows:
    """One row of what the trunk sees, then, at length `share`, what the joint space says; none where the trunk sees nothing.

    Args:
        space: the bundle's.
        pooled: `[C]`, mean of the maps over the region.
        embedding: `[D]`, unit norm, of the same region.
        centre: the space's for regions or for pictures.
        share: the manifest's, of the pool.
    """
    seen = quantise((pooled - space.mean) / space.deviation)
    if seen is not None:
        sums = space.projection.astype(np.int32) @ seen.q[0].astype(np.int32)
        projected = direction(sums.astype(F) * space.projection_scale)
        if projected.any():
            row = quantise(np.concatenate([projected, direction(embedding - centre, float(F(share)))]))
            if row is not None:
                return row
    return Rows(np.zeros((0, len(space.projection) + len(centre)), np.int8), np.zeros(0, F))


def joined(rows: Sequence[Rows]) -> Rows:
    """One after the other."""
    return Rows(np.concatenate([each.q for each in rows]), np.concatenate([each.scale for each in rows]))


def mean(examples: Rows) -> Rows:
    """The mean of an entry's examples, as a vector of unit length; none where they cancel out."""
    row = quantise(_total(examples).astype(F))
    return examples.take([]) if row is None else row


def _total(examples: Rows) -> NDArray[np.float64]:
    total = np.zeros(examples.q.shape[1], np.float64)
    for q, scale in zip(examples.q, examples.scale, strict=True):
        total += (q.astype(F) * scale).astype(np.float64)
    return total


def regressed(bank: NDArray[np.float64], ridge: float, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each mean example x the vector w whose product is near 1 with x and near 0 with everyday things.

    `w = u / (1 + x·u)` with `u = (G + ridge · I)⁻¹ x` and G the mean outer product of the bank's rows: ridge regression, where x
    weighs as much as the whole bank. The inverse is of the size of the bank: `u = (x − Bᵀ (B Bᵀ + ridge · M · I)⁻¹ B x) / ridge`.

    Args:
        bank: `[M, F]`.
        ridge: above 0.
        means: `[N, F]`.
    """
    inner = bank @ bank.T + ridge * len(bank) * np.eye(len(bank))
    u = (means - np.linalg.solve(inner, bank @ means.T).T @ bank) / ridge
    return np.asarray(u / (1 + (means * u).sum(axis=1, keepdims=True)))


def prototype(space: Space, ridge: float | None, examples: Rows) -> Rows:
    """What an entry's examples are compared by: their unit mean, or what tells it from everyday things; none if they cancel."""
    if ridge is None or len(mean(examples)) == 0:
        return mean(examples)
    bank = space.bank.q.astype(np.float64) * space.bank.scale[:, None]
    row = quantise(regressed(bank, ridge, _total(examples)[None] / len(examples))[0].astype(F), unit=False)
    return examples.take([]) if row is None else row


def cosines(rows: Rows, query: Rows) -> Floats:
    """Of each row with the one query: `[N]`."""
    sums = rows.q.astype(np.int32) @ query.q[0].astype(np.int32)
    return np.asarray(sums.astype(F) * rows.scale * query.scale[0], F)


def everyday(space: Space, query: Rows, scale: float) -> float:
    """How much the query resembles everyday things: the logarithm of the mean of exp(scale · cosine) over the bank."""
    logits = (F(scale) * cosines(space.bank, query)).astype(np.float64)
    top = float(logits.max())
    total = 0.0
    for value in np.exp(logits - top).tolist():
        total += value
    return top + float(np.log(total / len(logits)))


@dataclass(frozen=True)
class Taught:
    """An entry of a vocabulary."""

    examples: Rows
    counters: Rows
    text: Floats | None
    """`[D]`, unit norm; None of an entry without words."""


def weights(rows: tuple[tuple[float, ...], ...], count: int) -> list[float]:
    """Between those at one example and those at endlessly many."""
    one, many = rows
    return [last + (first - last) / count for first, last in zip(one, many, strict=True)]


def agreement(middle: Rows, text: Floats) -> float:
    """Cosine of an entry's word and the joint part of its examples' mean."""
    joint = middle.q[0, -len(text) :].astype(np.float64)
    norm = float(np.sqrt((joint * joint).sum()))
    return float((joint * text.astype(np.float64)).sum() / norm) if norm > 0 else 0.0


def trusted(pool: ExamplePool, agreed: float, count: int) -> float:
    """How likely an entry's words fit its examples, as a logit: words that do not give way to examples alone."""
    if pool.trust is None:
        return np.inf
    slope, constant, few = pool.trust
    return slope * agreed + constant + few / count


def above_negatives(
    space: Space, settings: Examples, pool: ExamplePool, query: Rows, entries: Sequence[Taught], words: Floats
) -> Floats:
    """How far each entry stands above the negatives, words and examples together.

    Args:
        space: the bundle's.
        settings: the manifest's.
        pool: of these, for regions or for pictures.
        query: one row, or none.
        entries: N of them.
        words: `[N]`, the same by words alone; read of entries that have words.
    """
    found = np.array(words, np.float64)
    for i, entry in enumerate(entries):
        count = len(entry.examples)
        compared = prototype(space, settings.ridge, entry.examples) if count else entry.examples
        if len(query) == 0 or len(compared) == 0:
            found[i] = words[i] if entry.text is not None else -np.inf
            continue
        evidence = settings.scale * float(cosines(compared, query)[0]) - everyday(space, query, settings.scale)
        if entry.text is None:
            w = weights(pool.alone, count)
            found[i] = w[0] * evidence + w[1]
        else:
            w = weights(pool.beside_words, count)
            agreed = agreement(mean(entry.examples), entry.text)
            beside = w[0] * words[i] + w[1] * evidence + w[2] + w[3] * agreed
            alone = weights(pool.alone, count)
            believed = trusted(pool, agreed, count)
            otherwise = alone[0] * evidence + alone[1] - np.logaddexp(0, believed)
            found[i] = np.logaddexp(beside - np.logaddexp(0, -believed), otherwise)
    return found.astype(F)


def countered(settings: Examples, query: Rows, entry: Taught) -> float:
    """What an entry's probability is multiplied by: 1, less where a counter-example is nearer than all examples."""
    if len(query) == 0 or len(entry.counters) == 0:
        return 1.0
    nearest = float(cosines(entry.examples, query).max()) if len(entry.examples) else -1.0
    beyond = float(cosines(entry.counters, query).max()) - max(nearest, settings.floor)
    return float(np.exp(-settings.counter_scale * max(0.0, beyond)))
