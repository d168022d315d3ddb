"""Mask2Former (Cheng et al., arXiv 2112.01527) through transformers: panoptic segments of a closed set of names."""

from collections.abc import Sequence

import torch
from transformers import AutoModelForUniversalSegmentation

from quantize.annotate.models.hub import HubModel
from quantize.annotate.models.segmenter import Segment
from quantize.annotate.record import Picture, PseudoBox
from quantize.data.shards import plain_name


class Mask2Former(HubModel):
    """One segment a thing; stuff (grass, wall) may come in several. Boxes are ignored.

    Weights such as facebook/mask2former-swin-large-coco-panoptic.
    """

    KIND = "mask2former"
    NETWORK = AutoModelForUniversalSegmentation

    def __call__(self, pictures: Sequence[Picture], boxes: Sequence[Sequence[PseudoBox]]) -> list[list[Segment]]:
        """The segments of each picture."""
        inputs = self.processor(images=list(pictures), return_tensors="pt")
        with torch.inference_mode():
            outputs = self.model(**inputs.to(self.model.device))
        sizes = [picture.shape[:2] for picture in pictures]
        answers = self.processor.post_process_panoptic_segmentation(outputs, target_sizes=sizes, label_ids_to_fuse=set())
        names = self.model.config.id2label
        return [
            [
                Segment((answer["segmentation"].cpu() == info["id"]).numpy(), plain_name(names[info["label_id"]]), info["score"])
                for info in answer["segments_info"]
            ]
            for answer in answers
        ]
