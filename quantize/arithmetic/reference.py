"""What the board computes around the networks, in numpy: the specification that the binary is compared with.

docs/architecture.md gives the formulas. Boxes are in pixels of the network's input.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.classes import Called
from quantize.arithmetic.geometry import Floats, Integers, area, clip, intersections, nms, pairwise_iou, sample_grid
from quantize.bundle.manifest import Detection, Pool, Score

MAX_BEFORE_NMS = 1000
ALIKE = (0.65, 0.725)
"""Up to the first cosine two prompts compete in full, from the second one not at all."""
RIVALS = 0.5
"""Likeness from which two names of one object are one too many."""
PART_INSIDE = 0.7
"""Share of the smaller box inside the larger from which two boxes are nested."""
PART_SMALLEST = 0.1
"""A box of less than this share of the other's area is a thing of its own."""
PART_LEFT = 0.4
"""What is left of the probability of a nested box."""
MAX_COMPARED = 2000
"""Most prompts that are compared pair by pair; of more, none is like another."""


def unit(vectors: Floats, axis: int = -1) -> Floats:
    """Vectors at unit length; those of length 0 stay 0."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=axis, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), np.float32)


def decode(level: Floats, stride: int) -> tuple[Floats, Floats]:
    """Boxes `[cells, 4]` and objectness logits `[cells]` of one level `[1 + 4·B, h, w]`, row by row."""
    channels, height, width = level.shape
    bins = (channels - 1) // 4
    logits = level[1:].reshape(4, bins, height * width)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    steps = np.arange(bins, dtype=np.float32)[:, None]
    left, top, right, bottom = stride * (weights * steps).sum(axis=1) / weights.sum(axis=1)
    rows, columns = np.divmod(np.arange(height * width), width)
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    return boxes.astype(np.float32), level[0].reshape(-1)


def candidates(outputs: Mapping[str, Floats], settings: Detection, content: Floats) -> tuple[Floats, Floats]:
    """The boxes `[N, 4]` that are worth naming and their objectness logits `[N]`, best first.

    Clipped to `content` (the picture's rectangle in the input), without empty ones, after class-agnostic NMS.

    Args:
        outputs: the vision network's outputs without the batch axis.
        settings: the manifest's.
        content: `[4]`.
    """
    boxes, objectness, _ = proposals(outputs, settings, content)
    return boxes, objectness


def proposals(outputs: Mapping[str, Floats], settings: Detection, content: Floats) -> tuple[Floats, Floats, Integers]:
    """As `candidates`, and where the network proposes each: `[N, 2]`, the level and the cell in it, row by row."""
    levels = [decode(outputs[f"level{stride}"], stride) for stride in settings.strides]
    cells = np.concatenate([np.stack([np.full(len(b), i), np.arange(len(b))], axis=1) for i, (b, _) in enumerate(levels)])
    boxes = clip(np.concatenate([boxes for boxes, _ in levels]), content)
    objectness = np.concatenate([logits for _, logits in levels])
    least = np.log(settings.min_objectness / (1 - settings.min_objectness)) if settings.min_objectness > 0 else -np.inf
    usable = np.flatnonzero((objectness >= least) & (area(boxes) > 0))
    best = usable[np.argsort(-objectness[usable], kind="stable")[:MAX_BEFORE_NMS]]
    kept = best[nms(boxes[best], objectness[best], settings.candidate_iou)[: settings.max_candidates]]
    return boxes[kept], objectness[kept], cells[kept]


def region_vector(outputs: Mapping[str, Floats], pools: tuple[Pool, ...], size: int, content: Floats, box: Floats) -> Floats:
    """The region prompter's input `[F]` for one box `[4]` of an input of `size` pixels."""
    x0, y0, x1, y1 = (float(v) for v in box)
    parts = [pooled(outputs, pool, size, content, box) for pool in pools]
    return np.concatenate([*parts, np.log(np.array([(x1 - x0) / size, (y1 - y0) / size], np.float32))])


def pooled(outputs: Mapping[str, Floats], pool: Pool, size: int, content: Floats, box: Floats) -> Floats:
    """The mean of a map's samples over a box `[4]` of the input: `[C]`."""
    extent = box[2:] - box[:2]
    smaller = [i for i, limit in enumerate(pool.limits) if np.sqrt(extent[0] * extent[1]) < limit]
    maps = outputs[pool.maps[smaller[0] if smaller else len(pool.maps) - 1]]
    centre = (box[:2] + box[2:]) / 2
    half = (np.full(2, extent.max()) if pool.square else extent) * pool.expand / 2
    around = clip(np.concatenate([centre - half, centre + half])[None], content)[0]
    at = (np.arange(pool.samples, dtype=np.float32) + 0.5) / pool.samples
    columns = (around[0] + at * (around[2] - around[0])) * maps.shape[2] / size - 0.5
    rows = (around[1] + at * (around[3] - around[1])) * maps.shape[1] / size - 0.5
    return np.asarray(sample_grid(maps, rows, columns).mean(axis=(1, 2)), np.float32)


def negatives_for(prompts: Floats, bank: Floats, max_similarity: float) -> Floats:
    """The bank without what is too close to a prompt; all rows have unit norm."""
    return np.asarray(bank[(bank @ prompts.T).max(axis=1) <= max_similarity], np.float32)


def region_scores(
    embeddings: Floats, objectness: Floats, prompts: Floats, negatives: Floats, score: Score, called: Called | None = None
) -> Floats:
    """Probability of each prompt for each region, less where a synonym fits better: `[M, N]`. `called`: by the detector."""
    bias, margin_weight, object_weight = score.weights
    margins, behind = prompt_margins(embeddings, prompts, negatives, score)
    words = np.asarray(bias + margin_weight * margins + object_weight * objectness[:, None], np.float32)
    return _sigmoid(called.beside(words, margins, objectness) if called else words) * np.exp(-behind)


def tag_scores(embeddings: Floats, prompts: Floats, negatives: Floats, score: Score) -> Floats:
    """Probability of each prompt for each picture, less where a synonym fits better: `[M, N]`."""
    bias, margin_weight = score.weights
    margins, behind = prompt_margins(embeddings, prompts, negatives, score)
    return _sigmoid(np.asarray(bias + margin_weight * margins)) * np.exp(-behind)


def likeness(prompts: Floats) -> Floats:
    """How far two prompts mean the same, 0 to 1, a ramp over their cosine: `[N, N]`, with 1 on the diagonal."""
    if len(prompts) > MAX_COMPARED:
        return np.eye(len(prompts), dtype=np.float32)
    ramp = np.clip((prompts @ prompts.T - ALIKE[0]) / (ALIKE[1] - ALIKE[0]), 0, 1)
    np.fill_diagonal(ramp, 1)
    return np.asarray(ramp, np.float32)


def discount_parts(boxes: Floats, scores: Floats, alike: Floats) -> Floats:
    """Scores `[N, names]` of boxes in the order of falling objectness: less where a box is nested with one that is more of an
    object and scores better for the name, or for a rival of it. Nested are parts of a thing, and groups around it.
    """
    areas = area(boxes)
    smaller = np.minimum(areas[:, None], areas[None])
    nested = intersections(boxes, boxes) > np.float32(PART_INSIDE) * smaller
    nested &= smaller >= np.float32(PART_SMALLEST) * np.maximum(areas[:, None], areas[None])
    strongest = np.stack([scores[:, rivals].max(axis=1) for rivals in alike >= RIVALS], axis=1) if len(alike) else scores
    found = scores.copy()
    for i in range(1, len(boxes)):
        behind = (strongest[:i][nested[i, :i]] > scores[i]).any(axis=0)
        found[i, behind] *= np.float32(PART_LEFT)
    return found


def name_boxes(
    boxes: Floats, scores: Floats, threshold: float, label_iou: float, alike: Floats | None = None
) -> tuple[Integers, Integers]:
    """From scores `[boxes, names]` to detections: positions of box and of name, best score first.

    NMS within each name, then across names whose `alike` `[names, names]` makes them rivals.
    """
    kept = []
    for label in range(scores.shape[1]):
        found = np.flatnonzero(scores[:, label] >= threshold)
        kept += [(int(i), label) for i in found[nms(boxes[found], scores[found, label], label_iou)]]
    kept.sort(key=lambda each: -scores[each])
    if alike is not None:
        kept = _without_rivals(boxes, kept, label_iou, alike >= RIVALS)
    pairs = np.array(kept, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _without_rivals(
    boxes: Floats, kept: list[tuple[int, int]], label_iou: float, rivals: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Those of the pairs of box and name, best first, that overlap no better one of a rival name."""
    better: list[tuple[int, int]] = []
    for box, name in kept:
        others = [other for other, theirs in better if theirs != name and rivals[theirs, name]]
        if not others or pairwise_iou(boxes[others], boxes[box][None]).max() <= label_iou:
            better.append((box, name))
    return better


def prompt_margins(embeddings: Floats, prompts: Floats, negatives: Floats, score: Score) -> tuple[Floats, Floats]:
    own, others = (_scaled_cosines(embeddings, texts, score) for texts in (prompts, negatives))
    return margins_of(own, others, likeness(prompts))


def margins_of(own: Floats, others: Floats, alike: Floats) -> tuple[Floats, Floats]:
    """Two arrays `[M, N]`: how far each prompt stands above all other prompts and the negatives together, where synonyms are
    no alternatives to each other and count once to others; and how far it falls behind the best of its synonyms.

    Args:
        own: similarities of the prompts, `[M, N]`.
        others: of the negatives, `[M, K]`.
        alike: `[N, N]`, as `likeness` gives it.
    """
    counted = own - np.log(alike.sum(axis=1))
    above, behind = np.empty_like(own), np.empty_like(own)
    for i in range(own.shape[1]):
        competing = np.flatnonzero(alike[i] < 1)
        shares = np.log(1 - alike[i, competing])
        above[:, i] = own[:, i] - log_sum_exp(np.concatenate([counted[:, competing] + shares, others], axis=1))
        behind[:, i] = (alike[i] * (own - own[:, [i]])).max(axis=1)
    return above, behind


def _scaled_cosines(embeddings: Floats, texts: Floats, score: Score) -> Floats:
    return np.asarray(score.scale * (embeddings @ texts.T), np.float32)


def log_sum_exp(logits: Floats) -> Floats:
    """Over the last axis; 0 where nothing competes, as an alternative at right angles would give."""
    if logits.shape[-1] == 0:
        return np.zeros(logits.shape[:-1], np.float32)
    most = logits.max(axis=-1)
    return np.asarray(most + np.log(np.exp(logits - most[..., None]).sum(axis=-1)), np.float32)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))), np.float32)
