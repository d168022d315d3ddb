"""Region vectors: pooled features of a box, exactly as docs/architecture.md writes it (and `src/model/prompt.rs` does it)."""

import torch
from torch import Tensor

from quantize.bundle.manifest import Pool
from quantize.model.nanodet import WIDTH
from quantize.model.trunk import Maps

REGION_POOLS = (
    Pool(("tower8", "tower16", "tower32"), (64.0, 128.0), 0.4, False, 3),
    Pool(("tower8", "tower16", "tower32"), (64.0, 128.0), 1.0, False, 4),
    Pool(("semantic",), (), 1.2, True, 4),
)
TOWER_FEATURES = 2 * WIDTH  # the two pools over the towers; then the semantic pool, then the box's extent
EXTENT_FEATURES = 2


def named_maps(maps: Maps) -> dict[str, Tensor]:
    """By the names that the manifest uses."""
    return {
        "tower8": maps.towers[0],
        "tower16": maps.towers[1],
        "tower32": maps.towers[2],
        "semantic": maps.semantic,
    }


def expand(boxes: Tensor, factor: float, square: bool, content: Tensor) -> Tensor:
    """Grows [M,4] boxes about their centres, then clips them to the content rectangles [M,4]."""
    cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    w, h = (boxes[:, 2] - boxes[:, 0]) * factor, (boxes[:, 3] - boxes[:, 1]) * factor
    if square:
        w = h = torch.maximum(w, h)
    low = torch.maximum(torch.stack([cx - w / 2, cy - h / 2], 1), content[:, :2])
    high = torch.minimum(torch.stack([cx + w / 2, cy + h / 2], 1), content[:, 2:])
    return torch.cat([low, high], 1)


def _weights(low: Tensor, high: Tensor, samples: int, cells: int, size: int) -> Tensor:
    """Share of each of `cells` in the mean of `samples` linear interpolations from `low` to `high` (canvas pixels): [M,cells]."""
    t = (torch.arange(samples, device=low.device, dtype=low.dtype) + 0.5) / samples
    u = ((low[:, None] + t * (high - low)[:, None]) * (cells / size) - 0.5).clamp(0, cells - 1)
    return (1 - (u[:, :, None] - torch.arange(cells, device=low.device)).abs()).clamp(min=0).mean(1)


def pool(features: Tensor, batch: Tensor, boxes: Tensor, samples: int, size: int) -> Tensor:
    """Mean of samples x samples bilinear samples inside each box → [M,C].

    The mean over a regular grid is separable, so it is one matrix product per picture; `batch` [M] names the picture of each box.
    """
    b, c, h, w = features.shape
    across = _weights(boxes[:, 0], boxes[:, 2], samples, w, size)
    down = _weights(boxes[:, 1], boxes[:, 3], samples, h, size)
    share = (down[:, :, None] * across[:, None, :]).reshape(len(boxes), h * w)
    order = torch.argsort(batch, stable=True)
    count = torch.bincount(batch, minlength=b)
    first = count.cumsum(0) - count
    slot = torch.empty_like(batch)
    slot[order] = torch.arange(len(batch), device=batch.device) - first[batch[order]]
    padded = share.new_zeros(b, int(count.max()), h * w)
    padded[batch, slot] = share
    pooled = torch.bmm(padded, features.reshape(b, c, h * w).transpose(1, 2).to(padded.dtype))
    return pooled[batch, slot]


def region_vectors(maps: Maps, batch: Tensor, boxes: Tensor, content: Tensor, size: int) -> Tensor:
    """[M,4] boxes in canvas pixels (with their pictures' content rectangles [M,4]) → [M,F].

    F = TOWER_FEATURES + channels of the semantic map + EXTENT_FEATURES.
    """
    named = named_maps(maps)
    extent = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3)
    edge = extent.prod(1).sqrt()
    parts = []
    for p in REGION_POOLS:
        grown = expand(boxes, p.expand, p.square, content)
        level = sum((edge >= limit).long() for limit in p.limits) if p.limits else torch.zeros_like(batch)
        assert isinstance(level, Tensor)
        out = boxes.new_zeros(len(boxes), named[p.maps[0]].shape[1])
        for i, name in enumerate(p.maps):
            chosen = (level == i).nonzero().squeeze(1)
            if len(chosen):
                out = out.index_copy(0, chosen, pool(named[name], batch[chosen], grown[chosen], p.samples, size).to(out.dtype))
        parts.append(out)
    return torch.cat([*parts, (extent / size).log()], 1)
