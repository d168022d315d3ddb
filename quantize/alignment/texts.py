"""Texts → unit vectors of the joint space; what a frozen tower says of a text is kept."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from quantize.model.region_clip import RegionClip
from quantize.model.text import TEMPLATES

CHUNK = 512


class Texts:
    """With a frozen tower each text passes it once; with a tuned one in every step, with gradients."""

    def __init__(self, model: RegionClip, kept: dict[str, Tensor] | None = None) -> None:
        """`kept`: vectors by text, shared between models with the same tower."""
        self.model = model
        self.kept = {} if kept is None else kept

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """[N,D]."""
        tower = self.model.tower
        if tower is None or self.model.settings.tune_text != "frozen":
            return self.model.text(list(texts))
        new = [t for t in dict.fromkeys(texts) if t not in self.kept]
        for start in range(0, len(new), CHUNK):
            part = new[start : start + CHUNK]
            with torch.no_grad():
                self.kept.update(zip(part, tower(part).half().cpu(), strict=True))
        vectors = torch.stack([self.kept[t] for t in texts]) if texts else torch.zeros(0, tower.width)
        return self.model.project_text(vectors.to(self.model.text_projection.weight))

    def names(self, names: Sequence[str]) -> Tensor:
        """[N,D]: the mean over the templates that prompts are put through, too."""
        each = self([template.format(name) for template in TEMPLATES for name in names])
        return F.normalize(each.reshape(len(TEMPLATES), len(names), -1).mean(0), dim=1)
