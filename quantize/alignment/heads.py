"""What the box and mask head learns from a batch: which cells are things, how far their boxes reach, and the masks of segments."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import box_iou

from quantize import losses
from quantize.alignment.batches import Batch
from quantize.model.prediction import Prediction, masks
from quantize.model.prompter import cell_centres

CENTRE = 0.5
"""Cells whose centres lie in this share of a box's width and height answer for it (FCOS, arXiv 1904.01355)."""


def owners(boxes: Tensor, owner: Tensor, pictures: int, h: int, w: int) -> Tensor:
    """[R,4] fractions, [R] → [B,h*w]: the box that each cell answers for, the smallest where several claim it, or -1.

    A box too small for a cell's centre is answered for by the cell that its own centre lies in.
    """
    centres = cell_centres(h, w, boxes.device)
    found = torch.full((pictures, h * w), -1, dtype=torch.long, device=boxes.device)
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    inside = ((centres[None] - middle[:, None]).abs() <= CENTRE * half[:, None]).all(2)
    nearest = (centres[None] - middle[:, None]).square().sum(2).argmin(1)
    inside[torch.arange(len(boxes), device=boxes.device), nearest] = True
    for i in half.prod(1).argsort(descending=True).tolist():
        found[owner[i], inside[i]] = i
    return found


def head_terms(prediction: Prediction, batch: Batch, h: int, w: int) -> dict[str, Tensor]:
    """`objectness` (its target is the IoU of the predicted box), `boxes` and `masks`; pictures without boxes teach none of the first two."""
    answers = owners(batch.boxes, batch.box_owner, len(batch.tags), h, w)
    things = answers >= 0
    target = batch.boxes[answers[things]]
    centres = cell_centres(h, w, target.device).expand(len(answers), -1, -1)[things]
    distance = torch.cat([centres - target[:, :2], target[:, 2:] - centres], 1) * target.new_tensor([w, h, w, h])
    quality = torch.zeros_like(prediction.objectness, dtype=torch.float32)
    with torch.no_grad():
        quality[things] = box_iou(prediction.boxes[things].float(), target).diagonal()
    boxed = torch.zeros(len(answers), dtype=torch.bool, device=answers.device)
    boxed[batch.box_owner] = True
    # a box behind a smaller one may lie beside a cell's centre
    reached = distance.amin(1) > 0
    found = {
        "objectness": losses.objectness(prediction.objectness[boxed].float(), quality[boxed]),
        "boxes": losses.distance_bins(prediction.bins[things][reached].float(), distance[reached]),
        "masks": prediction.prototypes.sum() * 0,
    }
    if len(batch.masks):
        cells = batch.masks.flatten(1).argmax(1)
        logits = masks(prediction, batch.mask_owner, cells).float()
        wanted = F.interpolate(batch.masks[:, None], logits.shape[1:], mode="bilinear", align_corners=False)[:, 0]
        found["masks"] = losses.masks(logits, wanted)
    return found
