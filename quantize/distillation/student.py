"""The board's model on a batch of canvases: heads and vectors are those of `points`, at the teachers' boxes and cells."""

from dataclasses import dataclass

import torch
from torch import Tensor

from quantize.board.objective import embed
from quantize.distillation.canvases import Canvases
from quantize.model.edgeclip import EdgeClip
from quantize.model.pooling import pool, region_vectors
from quantize.model.preparation import normalise
from quantize.model.trunk import Maps, Trunk


@dataclass
class Vectors:
    """What the heads look at: [B,C], [R,F], [P,C']."""

    image: Tensor
    region: Tensor
    pixel: Tensor


@dataclass
class StudentOutputs:
    """Unit vectors in the student's space: [B,dim], [R,dim], [P,dim]."""

    image: Tensor
    region: Tensor
    pixel: Tensor


def maps_of(trunk: Trunk, canvases: Canvases, device: str) -> Maps:
    """In float32, whatever autocast makes of the trunk's products."""
    maps = trunk(normalise(canvases.pixels.to(device)))
    return Maps(maps.semantic.float(), maps.middle.float(), [t.float() for t in maps.towers])


def vectors_of(maps: Maps, canvases: Canvases) -> Vectors:
    device, size = maps.semantic.device, canvases.pixels.shape[1]
    boxes, owner, content = (t.to(device) for t in (canvases.boxes, canvases.owner, canvases.content))
    point = canvases.points.to(device).repeat(1, 2)
    of = (canvases.cells // canvases.grid**2).to(device)
    pixel = [pool(m, of, point, 1, size) for m in (maps.semantic, maps.middle, maps.towers[1])]
    return Vectors(maps.semantic.mean((2, 3)), region_vectors(maps, owner, boxes, content, size), torch.cat(pixel, 1))


def student_outputs(model: EdgeClip, vectors: Vectors, classes: Tensor, bf16: bool) -> StudentOutputs:
    """`classes` are the classifier's names in the student's space."""
    return StudentOutputs(
        embed(bf16, model.image, vectors.image, classes),
        embed(bf16, model.region, vectors.region, classes),
        embed(bf16, model.dense, vectors.pixel),
    )
