"""OWLv2 (Minderer et al., arXiv 2306.09683) through transformers: the open-vocabulary detector of CLOC's data engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import AutoModelForZeroShotObjectDetection

from quantize.annotate.models.detector import Detection
from quantize.annotate.models.hub import HubModel
from quantize.annotate.record import Picture

PADDING = " "


@dataclass
class Owlv2(HubModel):
    """CLOC keeps regions above a score of .1.

    Weights such as google/owlv2-base-patch16-ensemble.
    """

    KIND = "owlv2"
    NETWORK = AutoModelForZeroShotObjectDetection

    min_score: float = 0.1
    open: bool = True

    def __call__(self, pictures: Sequence[Picture], queries: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The boxes of each picture, named by the query of best score; pictures without queries have none."""
        found: list[list[Detection]] = [[] for _ in pictures]
        asked = [i for i, texts in enumerate(queries) if texts]
        if not asked:
            return found
        most = max(len(queries[i]) for i in asked)
        texts = [[*queries[i], *[PADDING] * (most - len(queries[i]))] for i in asked]
        longest = self.model.config.text_config.max_position_embeddings
        tokens = self.processor.tokenizer(
            [text for each in texts for text in each],
            padding="max_length",
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        )
        pixels = self.processor.image_processor([pictures[i] for i in asked], return_tensors="pt")
        inputs = {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "pixel_values": pixels["pixel_values"],
        }
        with torch.inference_mode():
            outputs = self.model(**{name: value.to(self.model.device) for name, value in inputs.items()})
            for row, i in enumerate(asked):
                outputs.logits[row, :, len(queries[i]) :] = -torch.inf
        sizes = [pictures[i].shape[:2] for i in asked]
        answers = self.processor.post_process_grounded_object_detection(outputs, threshold=self.min_score, target_sizes=sizes)
        for i, (height, width), answer in zip(asked, sizes, answers, strict=True):
            scale = torch.tensor([width, height, width, height])
            rects = (answer["boxes"].cpu() / scale).tolist()
            for (x0, y0, x1, y1), label, score in zip(rects, answer["labels"].tolist(), answer["scores"].tolist(), strict=True):
                found[i].append(Detection((x0, y0, x1, y1), queries[i][label], score))
        return found
