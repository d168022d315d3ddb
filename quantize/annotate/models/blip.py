"""BLIP and BLIP-2: greedy captions with their probabilities."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForImageTextToText

from quantize.annotate.models.hub import HubModel
from quantize.annotate.record import Picture

MAX_TOKENS = 40


class Blip(HubModel):
    """Any image-to-text model of transformers that needs no prompt.

    Weights such as Salesforce/blip-image-captioning-large or …/blip2-opt-2.7b.
    """

    KIND = "blip"
    NETWORK = AutoModelForImageTextToText
    DTYPE = "auto"

    def __call__(self, pictures: Sequence[Picture]) -> list[tuple[str, float]]:
        """A caption and its mean token probability each."""
        inputs = self.processor(images=list(pictures), return_tensors="pt").to(self.model.device, self.model.dtype)
        with torch.inference_mode():
            said = self.model.generate(
                **inputs, max_new_tokens=MAX_TOKENS, do_sample=False, return_dict_in_generate=True, output_scores=True
            )
        texts = self.processor.batch_decode(said.sequences, skip_special_tokens=True)
        return list(zip(map(str.strip, texts), self._probabilities(said), strict=True))

    def _probabilities(self, said: Any) -> list[float]:
        """Mean probability of the tokens of each caption, up to and with the one that ends it."""
        steps = torch.stack(said.scores, 1).float().log_softmax(-1)  # [B, T, tokens]
        chosen = said.sequences[:, -steps.shape[1] :]
        logs = steps.gather(2, chosen[..., None])[..., 0]
        ends = self.model.generation_config.eos_token_id
        is_end = torch.isin(chosen, torch.as_tensor(ends if ends is not None else -1, device=chosen.device))
        counted = is_end.cumsum(1) - is_end.long() == 0
        return [float(row[keep].exp().mean()) for row, keep in zip(logs, counted, strict=True)]
