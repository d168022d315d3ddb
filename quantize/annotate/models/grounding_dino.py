"""Grounding DINO (Liu et al., arXiv 2303.05499) through transformers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import AutoModelForZeroShotObjectDetection

from quantize.annotate.models.detector import Detection
from quantize.annotate.models.hub import HubModel
from quantize.annotate.record import Picture


@dataclass
class GroundingDino(HubModel):
    """All queries go in one text, `a dog. a red bus.`; a box's score for a query is the best of the query's tokens.

    Weights such as IDEA-Research/grounding-dino-base.
    """

    KIND = "grounding_dino"
    NETWORK = AutoModelForZeroShotObjectDetection

    min_score: float = 0.25
    open: bool = True

    def __call__(self, pictures: Sequence[Picture], queries: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The boxes of each picture, named by the query of best score; pictures without queries have none.

        Queries whose tokens do not fit the text encoder are not asked for.
        """
        found: list[list[Detection]] = [[] for _ in pictures]
        asked = [i for i, texts in enumerate(queries) if texts]
        if not asked:
            return found
        texts = ["".join(f"{query}. " for query in queries[i]).strip() for i in asked]
        longest = self.model.config.max_text_len
        spans = [self._spans(queries[i], text, longest) for i, text in zip(asked, texts, strict=True)]
        inputs = self.processor(
            text=texts,
            images=[pictures[i] for i in asked],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=longest,
        )
        with torch.inference_mode():
            outputs = self.model(**inputs.to(self.model.device))
        scores, boxes = outputs.logits.sigmoid().cpu(), outputs.pred_boxes.cpu()
        for row, i in enumerate(asked):
            found[i] = self._detections(scores[row], boxes[row], queries[i], spans[row])
        return found

    def _spans(self, queries: Sequence[str], text: str, longest: int) -> list[list[int]]:
        """Positions of each query's tokens."""
        encoded = self.processor.tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=longest)
        spans, start = [], 0
        for query in queries:
            end = start + len(query)
            spans.append([t for t, (a, b) in enumerate(encoded["offset_mapping"]) if a < b and start <= a and b <= end])
            start = end + 2
        return spans

    def _detections(self, scores: Tensor, boxes: Tensor, queries: Sequence[str], spans: list[list[int]]) -> list[Detection]:
        by_query = torch.stack([scores[:, span].amax(1) if span else scores.new_zeros(len(scores)) for span in spans], 1)
        best, which = by_query.max(1)
        found = []
        for score, query, (x, y, w, h) in zip(best.tolist(), which.tolist(), boxes.tolist(), strict=True):
            if score >= self.min_score:
                found.append(Detection((x - w / 2, y - h / 2, x + w / 2, y + h / 2), queries[query], score))
        return found
