"""What the box and mask head learns from a batch: which cells are things, how far their boxes reach, masks of segments."""

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize import losses
from quantize.alignment.batches import Batch
from quantize.model.assignment import assign
from quantize.model.prediction import Prediction, masks


def head_terms(prediction: Prediction, batch: Batch, h: int, w: int) -> dict[str, Tensor]:
    """`objectness` (over pictures that have boxes; its target is the IoU of the predicted box), `boxes` and `masks`."""
    answers = assign(batch.boxes, batch.box_owner, len(batch.tags), h, w)
    boxed = torch.zeros(len(batch.tags), dtype=torch.bool, device=batch.boxes.device)
    boxed[batch.box_owner] = True
    quality = answers.objectness(prediction, batch.boxes)
    found = {
        "objectness": losses.objectness(prediction.objectness[boxed].float(), quality[boxed].float()),
        "boxes": losses.distance_bins(prediction.bins[answers.owner, answers.cell].float(), answers.distance),
        "masks": prediction.prototypes.sum() * 0,
    }
    if len(batch.masks):
        # the cell that a segment covers most answers for it
        logits = masks(prediction, batch.mask_owner, batch.masks.flatten(1).argmax(1)).float()
        wanted = F.interpolate(batch.masks[:, None], logits.shape[1:], mode="bilinear", align_corners=False)[:, 0]
        found["masks"] = losses.masks(logits, wanted)
    return found
