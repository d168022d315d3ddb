"""Which cell of a map answers for which box, and what it should say."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_iou

from quantize.model.prediction import Prediction
from quantize.model.prompter import cell_centres

RADIUS = 1.5  # cells around a box's centre that answer for it (FCOS's centre sampling, arXiv 1904.01355)


@dataclass
class Assignment:
    """P answers: of picture `owner` [P], `cell` [P] for box `row` [P]; `distance` [P,4] in cells: left, top, right, bottom."""

    owner: Tensor
    cell: Tensor
    row: Tensor
    distance: Tensor

    def objectness(self, prediction: Prediction, boxes: Tensor) -> Tensor:
        """[B,h*w] targets for the quality focal loss: how well each answering cell's box overlaps its own (IoU), else 0."""
        found = prediction.boxes[self.owner, self.cell].detach()
        overlap = box_iou(found, boxes[self.row]).diagonal()
        target = torch.zeros_like(prediction.objectness)
        return target.index_put((self.owner, self.cell), overlap.to(target.dtype))


def assign(boxes: Tensor, owner: Tensor, pictures: int, h: int, w: int) -> Assignment:
    """Cells whose centres lie inside a box [R,4] (fractions) and within RADIUS cells of its centre answer for it; so does the
    cell that holds the centre in any case. Where several boxes ask for a cell, the smallest has it.
    """
    device = boxes.device
    extent = boxes.new_tensor([w, h])
    centre = cell_centres(h, w, device) * extent  # all in cells from here
    low, high = boxes[:, None, :2] * extent, boxes[:, None, 2:] * extent
    middle = (low + high) / 2
    inside = ((centre > low) & (centre < high) & ((centre - middle).abs() < RADIUS)).all(2)
    x, y = (middle[:, 0].long().clamp(min=0).minimum(torch.tensor([w - 1, h - 1], device=device))).unbind(1)
    inside[torch.arange(len(boxes), device=device), y * w + x] = True
    by_size = (high - low).squeeze(1).prod(1).argsort(stable=True)
    row, cell = inside[by_size].nonzero().unbind(1)
    nobody = len(boxes)
    winner = torch.full((pictures * h * w,), nobody, device=device)
    winner = winner.scatter_reduce(0, owner[by_size[row]] * h * w + cell, row, "amin")
    places = (winner < nobody).nonzero().squeeze(1)
    row, cell = by_size[winner[places]], places % (h * w)
    distance = torch.cat([centre[cell] - low[row, 0], high[row, 0] - centre[cell]], 1)
    return Assignment(places // (h * w), cell, row, distance.clamp(min=0))
