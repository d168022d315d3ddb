"""What the board computes around the networks, in numpy: the specification that the binary is compared with.

docs/architecture.md gives the formulas. Boxes are in pixels of the network's input.
"""

from collections.abc import Mapping

import numpy as np

from quantize.arithmetic.geometry import Floats, Integers, area, clip, nms, sample_grid
from quantize.bundle.manifest import Detection, Pool, Score

MAX_BEFORE_NMS = 1000


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
    levels = [decode(outputs[f"level{stride}"], stride) for stride in settings.strides]
    boxes = clip(np.concatenate([boxes for boxes, _ in levels]), content)
    objectness = np.concatenate([logits for _, logits in levels])
    least = np.log(settings.min_objectness / (1 - settings.min_objectness)) if settings.min_objectness > 0 else -np.inf
    usable = np.flatnonzero((objectness >= least) & (area(boxes) > 0))
    best = usable[np.argsort(-objectness[usable], kind="stable")[:MAX_BEFORE_NMS]]
    kept = best[nms(boxes[best], objectness[best], settings.candidate_iou)[: settings.max_candidates]]
    return boxes[kept], objectness[kept]


def region_vector(outputs: Mapping[str, Floats], pools: tuple[Pool, ...], size: int, content: Floats, box: Floats) -> Floats:
    """The region prompter's input `[F]` for one box `[4]` of an input of `size` pixels."""
    x0, y0, x1, y1 = (float(v) for v in box)
    parts = [_pooled(outputs, pool, size, content, box) for pool in pools]
    return np.concatenate([*parts, np.log(np.array([(x1 - x0) / size, (y1 - y0) / size], np.float32))])


def _pooled(outputs: Mapping[str, Floats], pool: Pool, size: int, content: Floats, box: Floats) -> Floats:
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


def region_scores(embeddings: Floats, objectness: Floats, prompts: Floats, negatives: Floats, score: Score) -> Floats:
    """Probability of each prompt for each region: `[M, N]`."""
    bias, margin_weight, object_weight = score.weights
    margins = _margins(embeddings, prompts, negatives, score)
    return _sigmoid(np.asarray(bias + margin_weight * margins + object_weight * objectness[:, None]))


def tag_scores(embeddings: Floats, prompts: Floats, negatives: Floats, score: Score) -> Floats:
    """Probability of each prompt for each picture: `[M, N]`."""
    bias, margin_weight = score.weights
    return _sigmoid(np.asarray(bias + margin_weight * _margins(embeddings, prompts, negatives, score)))


def name_boxes(boxes: Floats, scores: Floats, threshold: float, label_iou: float) -> tuple[Integers, Integers]:
    """From scores `[boxes, names]` to detections: positions of box and of name, best score first, NMS within each name."""
    kept = []
    for label in range(scores.shape[1]):
        found = np.flatnonzero(scores[:, label] >= threshold)
        kept += [(int(i), label) for i in found[nms(boxes[found], scores[found, label], label_iou)]]
    kept.sort(key=lambda each: -scores[each])
    pairs = np.array(kept, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _margins(embeddings: Floats, prompts: Floats, negatives: Floats, score: Score) -> Floats:
    """How far each prompt stands above all other prompts and the negatives together: `[M, N]`."""
    logits = _scaled_cosines(embeddings, np.concatenate([prompts, negatives]), score)
    margins = np.empty((len(embeddings), len(prompts)), np.float32)
    for i in range(len(prompts)):
        margins[:, i] = logits[:, i] - _log_sum_exp(np.delete(logits, i, axis=1))
    return margins


def _scaled_cosines(embeddings: Floats, texts: Floats, score: Score) -> Floats:
    return np.asarray(score.scale * (embeddings @ texts.T), np.float32)


def _log_sum_exp(logits: Floats) -> Floats:
    """Over the last axis; 0 where nothing competes, as an alternative at right angles would give."""
    if logits.shape[-1] == 0:
        return np.zeros(logits.shape[:-1], np.float32)
    most = logits.max(axis=-1)
    return np.asarray(most + np.log(np.exp(logits - most[..., None]).sum(axis=-1)), np.float32)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))), np.float32)
