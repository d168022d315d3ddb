"""Texts → unit vectors of the joint space; a frozen tower's vectors are kept."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from quantize.alignment.examples import Example
from quantize.alignment.vocabulary import Vocabulary
from quantize.data.workers import workers
from quantize.files import whole_file
from quantize.model.region_clip import RegionClip
from quantize.model.text import TEMPLATES
from quantize.progress import track

CHUNK = 256


class Texts:
    """With a frozen tower each text passes it once; with a tuned one in every step, with gradients."""

    def __init__(self, model: RegionClip, kept: dict[str, Tensor] | None = None) -> None:
        """`kept`: vectors by text, shared between models with the same tower."""
        self.model = model
        self.kept = {} if kept is None else kept
        self.frozen = model.text_tower if model.settings.tune_text == "frozen" else None

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """[N,D]."""
        if self.frozen is None:
            return self.model.text(list(texts))
        return self.model.project_text(self._vectors(texts, self.frozen))

    def reference(self, texts: Sequence[str]) -> Tensor:
        """[N,W] vectors whose similarity tells texts of one meaning: a frozen tower's own, else the joint space's as they are."""
        with torch.no_grad():
            return self.model.text(list(texts)) if self.frozen is None else self._vectors(texts, self.frozen)

    def _vectors(self, texts: Sequence[str], tower: nn.Module) -> Tensor:
        new = [t for t in dict.fromkeys(texts) if t not in self.kept]
        for start in range(0, len(new), CHUNK):
            part = new[start : start + CHUNK]
            with torch.no_grad():
                self.kept.update(zip(part, tower(part).float().cpu(), strict=True))
        width = self.model.text_projection.in_features
        vectors = torch.stack([self.kept[t] for t in texts]) if texts else torch.zeros(0, width)
        return vectors.to(self.model.text_projection.weight.device)

    def names(self, names: Sequence[str]) -> Tensor:
        """[N,D]: the mean over the templates that prompts are put through, too."""
        each = self([template.format(name) for template in TEMPLATES for name in names])
        return F.normalize(each.reshape(len(TEMPLATES), len(names), -1).mean(0), dim=1)


_tower: nn.Module


def _vectors(texts: list[str]) -> Tensor:
    with torch.no_grad():
        found: Tensor = _tower(texts)
    return found.half()


def encode_once(tower: nn.Module, name: str, texts: Sequence[str], cache: Path) -> dict[str, Tensor]:
    """Vectors of all texts by the frozen tower `name`, on the CPU by one process per core, or as kept in the cache."""
    texts = sorted(set(texts), key=lambda t: (len(t), t))
    path = cache / f"texts-{hashlib.sha256(json.dumps([name, texts]).encode()).hexdigest()[:16]}.safetensors"
    if not path.exists():
        global _tower
        _tower = tower
        parts = [texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)]
        with workers() as pool:
            found = list(track(pool.map(_vectors, parts), f"texts x{CHUNK}", len(parts)))
        with whole_file(path) as draft:
            save_file({"vectors": torch.cat(found)}, draft)
    return dict(zip(texts, load_file(path)["vectors"].float(), strict=True))


def said(examples: Sequence[Sequence[Example]], vocabulary: Vocabulary) -> set[str]:
    """Every text that training may ask for."""
    names = [*vocabulary.names, *(r.name for view in examples for e in view for r in e.regions)]
    texts = {template.format(name) for template in TEMPLATES for name in names}
    texts.update(c for view in examples for e in view for c in e.captions)
    texts.update(r.text for view in examples for e in view for r in e.regions)
    return texts
