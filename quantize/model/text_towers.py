"""Text towers by name: texts → vectors [N,width], before the projection into the joint space."""

import re
from typing import Protocol

import torch
from torch import Tensor, nn

from quantize.model.hf_models import HfText
from quantize.model.open_clip_models import OpenClipText
from quantize.model.text import MAX_TOKENS, WIDTH, MiniLM, minilm_folder
from quantize.settings.model import ModelSettings, nearest

KINDS = ("minilm", "open_clip", "hf", "cached")


class TextTower(Protocol):
    """`width` of the vectors."""

    width: int

    def __call__(self, texts: list[str]) -> Tensor:
        """[N,width] on the module's device, not normalised."""
        ...


class MiniLMTower(nn.Module):
    """The board's own text encoder, frozen: the same numbers as `text.MiniLM` gives."""

    width = WIDTH
    place: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = MiniLM.load()
        self.register_buffer("place", torch.zeros(()), persistent=False)  # tells the module's device

    def forward(self, texts: list[str]) -> Tensor:
        return self.net.encode(texts).to(self.place.device)


def cached_width(name: str) -> int | None:
    """W of `cached:W`; None of another name."""
    if not name.startswith("cached:"):
        return None
    found = re.fullmatch(r"cached:([1-9]\d*)", name)
    if found is None:
        raise ValueError(f"text {name!r}, expected cached:WIDTH such as cached:384")
    return int(found[1])


def load_text_tower(settings: ModelSettings) -> nn.Module:
    """A `TextTower`. Raises ValueError that says what is known when the name is not."""
    name = settings.text
    kind, _, _ = name.partition(":")
    if name == "minilm":
        return MiniLMTower() if settings.tune_text == "frozen" else HfText(f"hf:{minilm_folder()}", MAX_TOKENS)
    if kind == "open_clip":
        return OpenClipText(name)
    if kind == "hf":
        return HfText(name)
    expected = "minilm, open_clip:ARCH, hf:ID_OR_PATH or cached:WIDTH"
    raise ValueError(f"text {name!r} is not known, expected {expected}{nearest(kind, list(KINDS))}")
