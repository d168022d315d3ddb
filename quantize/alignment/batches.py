"""A step's batch: canvases (or their cached dense features) and texts, drawn by seed and step alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from quantize.alignment.examples import PHOTO, Example
from quantize.alignment.vocabulary import Vocabulary
from quantize.model.dense import Dense

PHRASES = 0.5


@dataclass
class Batch:
    """B canvases. `*_owner` are positions in the batch; masks are shares of grid cells."""

    pictures: Tensor | None  # uint8 [B,S,S,3], unless `dense` is known already
    dense: Dense | None
    captions: list[str]
    caption_owner: Tensor  # [C]
    tags: Tensor  # [B,K] 1 for each tag of the vocabulary that fits
    boxes: Tensor  # [R,4] fractions of the canvas
    box_owner: Tensor  # [R]
    box_texts: list[str]
    box_tags: Tensor  # bool [R,K]: those of its picture's tags that the region's name or text holds
    masks: Tensor  # [M,h,w]
    mask_owner: Tensor  # [M]
    mask_names: Tensor  # [M] positions in the vocabulary

    def to(self, device: str) -> "Batch":
        moved: dict[str, Any] = {k: v.to(device, non_blocking=True) for k, v in vars(self).items() if isinstance(v, Tensor)}
        dense = self.dense and Dense(self.dense.map.to(device), self.dense.pooled.to(device))
        return replace(self, **moved, dense=dense)


class Collator:
    """Examples → Batch: one caption per picture, at most `regions` boxes and segments each."""

    def __init__(self, vocabulary: Vocabulary, regions: int, grid: int) -> None:
        self.position = {name: i for i, name in enumerate(vocabulary.names)}
        self.regions, self.grid = regions, grid

    def _fit(self, names: Iterable[str]) -> Tensor:
        """bool [K]"""
        fit = torch.zeros(len(self.position), dtype=torch.bool)
        fit[[self.position[name] for name in names if name in self.position]] = True
        return fit

    def __call__(self, examples: Sequence[Example], rng: Generator) -> Batch:
        captions, caption_owner = [], []
        boxes, box_owner, texts, box_tags = [], [], [], []
        masks, mask_owner, mask_names = [], [], []
        tags = torch.zeros(len(examples), len(self.position))
        for i, e in enumerate(examples):
            if e.captions:
                captions.append(e.captions[int(rng.integers(len(e.captions)))])
                caption_owner.append(i)
            tags[i] = self._fit((*e.objects, *e.attributes)).float()
            for k in rng.permutation(len(e.regions))[: self.regions].tolist():
                region = e.regions[k]
                boxes.append(region.box)
                box_owner.append(i)
                # names are what users ask for; phrases distinguish two of a kind
                texts.append(region.text if rng.random() < PHRASES else PHOTO.format(region.name))
                box_tags.append(self._fit((region.name, *(a for a in e.attributes if a in region.text.split()))))
            for k in rng.permutation(len(e.segments))[: self.regions].tolist():
                masks.append(e.segments[k].share)
                mask_owner.append(i)
                mask_names.append(self.position[e.segments[k].name])
        return Batch(
            pictures=None, dense=None, captions=captions, caption_owner=torch.tensor(caption_owner, dtype=torch.long), tags=tags,
            boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), box_owner=torch.tensor(box_owner, dtype=torch.long),
            box_texts=texts, box_tags=torch.stack(box_tags) if box_tags else torch.zeros(0, len(self.position), dtype=torch.bool),
            masks=torch.from_numpy(np.stack(masks)) if masks else torch.zeros(0, self.grid, self.grid),
            mask_owner=torch.tensor(mask_owner, dtype=torch.long), mask_names=torch.tensor(mask_names, dtype=torch.long),
        )  # fmt: skip
