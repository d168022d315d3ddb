"""Features of a part of a map, pooled without a prompt: RoIAlign, one point, a mask."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import roi_align

from quantize.model.dense import Slots


def align(features: Tensor, boxes: Tensor, owner: Tensor, samples: int) -> Tensor:
    """Mean of RoIAlign (arXiv 1703.06870) inside each box: [B,C,h,w], [R,4] fractions, [R] → [R,C]"""
    h, w = features.shape[-2:]
    corners = boxes * boxes.new_tensor([w, h, w, h])
    rois = torch.cat([owner[:, None].to(corners.dtype), corners], 1).to(features.dtype)
    cells: Tensor = roi_align(features, rois, (samples, samples), 1.0, 2, True)
    return cells.mean((2, 3))


def at_points(features: Tensor, points: Tensor, owner: Tensor) -> Tensor:
    """Bilinear samples: [B,C,h,w], [R,2] fractions (x, y), [R] → [R,C]; beyond the outer cells' centres the border's value."""
    slots = Slots(owner, len(features))
    grid = slots.spread(points.to(features.dtype) * 2 - 1)[:, :, None]
    found = F.grid_sample(features, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return slots.collect(found.squeeze(3).transpose(1, 2))


def shares(masks: Tensor, h: int, w: int) -> Tensor:
    """[R,H,W] masks → [R,h*w] weights of a map's cells that sum to one; of a mask without a pixel all are 0."""
    covered = F.adaptive_avg_pool2d(masks.float()[:, None], (h, w)).flatten(1)
    return covered / covered.sum(1, keepdim=True).clamp(min=torch.finfo(covered.dtype).tiny)


def mask_pool(cells: Tensor, share: Tensor, owner: Tensor) -> Tensor:
    """Mask pooling (UMG-CLIP, arXiv 2401.06397): [B,N,C] cells, [R,N] of `shares`, [R] → [R,C] weighted means."""
    slots = Slots(owner, len(cells))
    return slots.collect(slots.spread(share.to(cells.dtype)) @ cells)
