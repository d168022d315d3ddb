"""Segment Anything (Kirillov et al., arXiv 2304.02643) through transformers: a mask for each box."""

from collections.abc import Sequence

import torch
from transformers import AutoModelForMaskGeneration

from quantize.annotate.models.hub import HubModel
from quantize.annotate.models.segmenter import Segment
from quantize.annotate.record import Picture, PseudoBox


class Sam(HubModel):
    """One mask a box; its score is the IoU that the model expects, cut to 0..1, times the box's.

    Weights such as facebook/sam-vit-base.
    """

    KIND = "sam"
    NETWORK = AutoModelForMaskGeneration

    def __call__(self, pictures: Sequence[Picture], boxes: Sequence[Sequence[PseudoBox]]) -> list[list[Segment]]:
        """The masks of each picture's boxes."""
        return [self._one(picture, prompts) if prompts else [] for picture, prompts in zip(pictures, boxes, strict=True)]

    def _one(self, picture: Picture, prompts: Sequence[PseudoBox]) -> list[Segment]:
        height, width = picture.shape[:2]
        rects = [[p.box[0] * width, p.box[1] * height, p.box[2] * width, p.box[3] * height] for p in prompts]
        inputs = self.processor(images=[picture], input_boxes=[rects], return_tensors="pt")
        sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
        with torch.inference_mode():
            outputs = self.model(**inputs.to(self.model.device), multimask_output=False)
        (masks,) = self.processor.post_process_masks(outputs.pred_masks.cpu(), *sizes)
        expected = outputs.iou_scores[0, :, 0].clamp(0, 1).tolist()
        return [
            Segment(mask[0].numpy(), prompt.name, score * prompt.score)
            for mask, prompt, score in zip(masks, prompts, expected, strict=True)
        ]
