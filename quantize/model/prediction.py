"""The box and mask head over a map: what is a thing, where it ends, and its mask.

Each cell is a candidate: objectness, distances to the four sides as distributions (Generalized Focal Loss, arXiv 2006.04388), and
coefficients of the picture's mask prototypes (YOLACT, arXiv 1904.02689).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize.model.dense import Slots
from quantize.model.prompter import cell_centres

PRIOR = 0.01  # share of cells that are things, which objectness starts from (arXiv 1708.02002)


@dataclass
class Prediction:
    """`objectness` [B,h*w] logits; `bins` [B,h*w,4*bins] logits of the distances left, top, right, bottom in cells; `boxes`
    [B,h*w,4] corners as fractions; `coefficients` [B,h*w,K] in -1..1; `prototypes` [B,K,2h,2w].
    """

    objectness: Tensor
    bins: Tensor
    boxes: Tensor
    coefficients: Tensor
    prototypes: Tensor


def decode(bins: Tensor, h: int, w: int) -> Tensor:
    """[B,h*w,4*bins] logits → [B,h*w,4] corners as fractions, cut at the canvas."""
    b, n, _ = bins.shape
    logits = bins.float().reshape(b, n, 4, -1)
    cells = (logits.softmax(3) * torch.arange(logits.shape[3], device=bins.device)).sum(3)
    distance = cells / cells.new_tensor([w, h, w, h])
    centre = cell_centres(h, w, bins.device)
    return torch.cat([centre - distance[..., :2], centre + distance[..., 2:]], -1).clamp(0, 1)


def masks(prediction: Prediction, owner: Tensor, cells: Tensor) -> Tensor:
    """Logits [R,2h,2w] of the masks of cells [R] of the pictures `owner` [R]."""
    slots = Slots(owner, len(prediction.prototypes))
    found = slots.spread(prediction.coefficients[owner, cells]) @ prediction.prototypes.flatten(2)
    return slots.collect(found).unflatten(1, prediction.prototypes.shape[2:])  # type: ignore[no-untyped-call,no-any-return]


class PredictionHead(nn.Module):
    """[B,channels,h,w] → Prediction"""

    def __init__(self, channels: int, width: int, bins: int, prototypes: int) -> None:
        super().__init__()
        self.split = (1, 4 * bins, prototypes)
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 1), nn.GroupNorm(1, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU()
        )
        self.out = nn.Conv2d(width, sum(self.split), 1)
        assert self.out.bias is not None
        with torch.no_grad():
            self.out.bias[0] = math.log(PRIOR / (1 - PRIOR))
        self.prototypes = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, prototypes, 1))

    def forward(self, features: Tensor) -> Prediction:
        h, w = features.shape[-2:]
        x = self.stem(features)
        objectness, bins, coefficients = self.out(x).flatten(2).transpose(1, 2).split(self.split, 2)
        prototypes = self.prototypes(F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))
        return Prediction(objectness.squeeze(2), bins, decode(bins, h, w), coefficients.tanh(), prototypes)
