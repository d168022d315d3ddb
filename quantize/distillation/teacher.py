"""A frozen teacher: a trained RegionClip and its outputs for a batch of canvases."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.distillation.canvases import Canvases
from quantize.model.dense import Dense
from quantize.model.preparation import normalise
from quantize.model.text import TEMPLATES
from quantize.model.trained import load_region_clip

CHUNK = 256


class TeacherModel(Protocol):
    """What distillation needs of a RegionClip; `size` is the side of the pictures that it takes."""

    def encode(self, pictures: Tensor) -> Dense: ...
    def image(self, dense: Dense) -> Tensor: ...
    def regions(self, dense: Dense, boxes: Tensor, owner: Tensor) -> Tensor: ...
    def pixels(self, dense: Dense) -> Tensor: ...
    def text(self, texts: list[str]) -> Tensor: ...
    def scale(self, kind: str) -> Tensor: ...


@dataclass
class TeacherOutputs:
    """Unit vectors in the teacher's space, in half precision, as they are stored: [B,D], [R,D], [B,grid·grid,D]."""

    image: Tensor
    region: Tensor
    dense: Tensor


@dataclass
class Teacher:
    """`names` [K,D] are its embeddings of the bank's names, `scales` its inverse temperatures."""

    size: int
    model: TeacherModel
    names: Tensor
    scales: dict[str, float]


@torch.no_grad()
def embed_names(model: TeacherModel, names: list[str]) -> Tensor:
    """[K,D] unit vectors in half precision: each name in every template, the mean of both."""
    parts = []
    for i in range(0, len(names), CHUNK):
        some = names[i : i + CHUNK]
        each = torch.stack([model.text([template.format(name) for name in some]).float() for template in TEMPLATES])
        parts.append(F.normalize(each.mean(0), dim=1))
    return torch.cat(parts).half()


def load_teacher(path: Path, names: list[str], device: str) -> Teacher:
    """From a `model.pt` of a RegionClip; raises FileNotFoundError or ValueError that says what is wrong with it."""
    model = load_region_clip(path)
    model = model.to(device).eval().requires_grad_(False)
    scales = {kind: model.scale(kind).item() for kind in ("image", "region")}
    return Teacher(model.settings.size, model, embed_names(model, names).to(device), scales)


@torch.no_grad()
def ask(teacher: Teacher, canvases: Canvases, grid: int, device: str) -> TeacherOutputs:
    """One pass of the teacher over a batch."""
    model = teacher.model
    dense = model.encode(normalise(canvases.at(teacher.size).to(device)))
    boxes = canvases.boxes.to(device) / canvases.pixels.shape[1]
    cells = model.pixels(dense).float()
    if cells.shape[-2] >= grid and cells.shape[-1] >= grid:
        cells = F.adaptive_avg_pool2d(cells, grid)
    else:
        cells = F.interpolate(cells, (grid, grid), mode="bilinear", align_corners=False)
    region = model.regions(dense, boxes, canvases.owner.to(device))
    return TeacherOutputs(model.image(dense).half(), region.half(), F.normalize(cells, dim=1).flatten(2).transpose(1, 2).half())
