"""Both towers of open_clip's models."""

from pathlib import Path
from typing import Any

import open_clip
import torch
import torch.nn.functional as F
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn
from torch.func import functional_call

from quantize.model.dense import Dense
from quantize.model.preparation import Normalise, probe
from quantize.model.weights import explained
from quantize.settings.model import nearest

RESNET_STRIDE = 32
SCHEMES = ("hf-hub", "local-dir")


def load_model(name: str) -> tuple[Any, str]:
    """`open_clip:ARCH[:WEIGHTS]`, `open_clip:hf-hub:ID` or `open_clip:local-dir:PATH` → the model, its tokenizer's name."""
    rest = name.removeprefix("open_clip:")
    architecture, _, weights = rest.partition(":")
    if architecture in SCHEMES:
        with explained(name):
            return open_clip.create_model(rest), rest
    if architecture not in open_clip.list_models():
        known = open_clip.list_models()
        raise ValueError(f"{name} is not known, expected a name of open_clip.list_models(){nearest(architecture, known)}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if weights == "pretrained":
        weights = tags[0] if tags else weights
    if weights and weights not in tags and not Path(weights).is_file():
        expected = f"the path of a checkpoint or one of {', '.join(tags)}" if tags else "the path of a checkpoint"
        raise ValueError(f"{name}: found no weights {weights!r}, expected {expected}")
    with explained(name):
        return open_clip.create_model(architecture, pretrained=weights or None), architecture


class _Visual(nn.Module):
    """An image tower of open_clip, called for its last map, too."""

    def __init__(self, visual: Any, projected: bool) -> None:
        super().__init__()
        self.visual = visual
        self.projected = projected
        known = (isinstance(visual, VisionTransformer) and visual.attn_pool is None) or isinstance(visual, ModifiedResNet)
        if projected and not known:
            raise ValueError(f"dense is 'projected', which {type(visual).__name__} cannot do; expected dense = 'tokens'")

    def _cells(self, x: Tensor) -> Tensor:
        """The last map's cells [...,C] as they are given out."""
        v = self.visual
        if isinstance(v, VisionTransformer) and v.attn_pool is None:
            x = v.ln_post(x)
            return x @ v.proj if self.projected and v.proj is not None else x
        if self.projected:
            # attention over one cell alone: MaskCLIP (arXiv 2112.01071)
            x = v.attnpool.c_proj(v.attnpool.v_proj(x))
        return x

    def forward(self, x: Tensor) -> Dense:
        found = self.visual.forward_intermediates(x, indices=1, output_fmt="NCHW")
        return Dense(self._cells(found["image_intermediates"][-1].movedim(1, -1)).movedim(-1, 1), found["image_features"])


class OpenClipEncoder(nn.Module):
    """`pooled` is open_clip's image embedding before it is made a unit vector. Pictures of another size than the weights' get
    their position embeddings by bicubic interpolation.
    """

    def __init__(self, name: str, size: int, projected: bool) -> None:
        super().__init__()
        model, _ = load_model(name)
        config = open_clip.get_model_preprocess_cfg(model)
        self.normalise = Normalise(config["mean"], config["std"])
        self.net = _Visual(model.visual, projected)
        if hasattr(model.visual, "set_input_size"):
            model.visual.set_input_size(size)
        self.channels, self.pooled_channels = probe(self, size)

    def forward(self, pictures: Tensor) -> Dense:
        x = self.normalise(pictures)
        name, table, grid, patch = self._positions()
        found = (x.shape[2] // patch, x.shape[3] // patch)
        if table is None or found == grid:
            dense: Dense = self.net(x)
        else:
            dense = functional_call(self.net, {name: resized(table, grid, found)}, (x,))
        return dense

    def _positions(self) -> tuple[str, Tensor | None, tuple[int, int], int]:
        """Name and table of the position embeddings, if any, their grid and the pixels along one of its cells."""
        visual = self.net.visual
        if isinstance(visual, VisionTransformer):
            return "visual.positional_embedding", visual.positional_embedding, tuple(visual.grid_size), visual.patch_size[0]
        if isinstance(visual, ModifiedResNet):
            side = visual.image_size // RESNET_STRIDE
            return "visual.attnpool.positional_embedding", visual.attnpool.positional_embedding, (side, side), RESNET_STRIDE
        return "", None, (0, 0), 1

    def recompute(self) -> None:
        self.net.visual.set_grad_checkpointing()


def resized(table: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """[1+h*w,C] position embeddings, the class token's first, for another grid."""
    grid = table[1:].reshape(1, *old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid.float(), new, mode="bicubic", antialias=True, align_corners=False).to(table.dtype)
    return torch.cat([table[:1], grid.flatten(2).squeeze(0).T])


class OpenClipText(nn.Module):
    """Text embeddings before they are made unit vectors."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net, architecture = load_model(name)
        # the image tower is not needed, and what a loss of its own would use is not trained
        self.net.visual = self.net.logit_scale = self.net.logit_bias = None
        with explained(f"text {name}"):
            self.tokenizer = open_clip.get_tokenizer(architecture)
        with torch.no_grad():
            self.width = self([""]).shape[1]

    def forward(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts).to(next(self.net.parameters()).device)
        out: Tensor = self.net.encode_text(tokens)
        return out

    def recompute(self) -> None:
        transformer = getattr(self.net, "transformer", None)
        if transformer is not None:
            transformer.grad_checkpointing = True
        else:
            self.net.text.set_grad_checkpointing()
