"""The trunk: every map that the heads look at, from one picture.

Two encoders share the input: MobileNetV2 with ImageNet's names in its features (`semantic`, `middle`) and NanoDet-m's, which
knows where things are (`tower8/16/32`, and the box bins that its head gives).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from quantize.model.nanodet import BINS, CLASSES, NanoDet, load_nanodet
from quantize.model.registry import load_backbone
from quantize.settings.board import BoardModel


@dataclass
class Maps:
    """`semantic` [B,1280,S/32,S/32], `middle` [B,96,S/16,S/16], `towers` three of [B,96,S/s,S/s]."""

    semantic: Tensor
    middle: Tensor
    towers: list[Tensor]


class Trunk(nn.Module):
    """Frozen on a CPU, trained on a GPU; the same maps either way."""

    def __init__(self, backbone: nn.Module, nanodet: NanoDet) -> None:
        super().__init__()
        self.backbone = backbone
        self.nanodet = nanodet

    def forward(self, x: Tensor) -> Maps:
        _, middle, semantic = self.backbone(x)
        return Maps(semantic, middle, self.nanodet(x))

    def teacher_outputs(self, towers: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """NanoDet's own 80 class logits and box bins per level."""
        outs = [out(t) for out, t in zip(self.nanodet.outs, towers, strict=True)]
        return [(o[:, :CLASSES], o[:, CLASSES:]) for o in outs]


def load_trunk(settings: BoardModel) -> Trunk:
    """The backbone, and NanoDet-m from the folder of teachers (`nanodet_m.param`, `nanodet_m.bin`)."""
    teachers = Path(settings.teachers)
    backbone = load_backbone(settings.backbone, settings.backbone_weights, teachers)
    return Trunk(backbone, load_nanodet(teachers / "nanodet_m.param", teachers / "nanodet_m.bin"))


def decode_boxes(bins: Tensor, stride: int) -> Tensor:
    """[B,4*BINS,h,w] → [B,h,w,4] canvas pixels (Generalized Focal Loss: softmax expectation)."""
    b, _, h, w = bins.shape
    d = bins.float().reshape(b, 4, BINS, h, w).softmax(2)
    d = (d * torch.arange(BINS, device=bins.device)[None, None, :, None, None]).sum(2) * stride
    ys, xs = torch.meshgrid(torch.arange(h, device=bins.device), torch.arange(w, device=bins.device), indexing="ij")
    cx, cy = (xs + 0.5) * stride, (ys + 0.5) * stride
    return torch.stack([cx - d[:, 0], cy - d[:, 1], cx + d[:, 2], cy + d[:, 3]], -1)
