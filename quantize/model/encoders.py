"""Image encoders by name, each giving a `Dense`; see `settings.ModelSettings` for the names."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from quantize.model.dense import Dense
from quantize.model.mobilenetv2 import FEATURES, load_mobilenetv2
from quantize.model.settings import ModelSettings, nearest


class Normalise(nn.Module):
    """From `(pixel - 128) / 127.5` to `(pixel / 255 - mean) / std`."""

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        m, s = (torch.tensor(v).view(1, 3, 1, 1) for v in (mean, std))
        self.register_buffer("scale", 0.5 / s, persistent=False)
        self.register_buffer("shift", (128 / 255 - m) / s, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


def as_map(tokens: Tensor, h: int, w: int) -> Tensor:
    """[B,prefix+h*w,C] → [B,C,h,w]; class and register tokens before the patches are dropped."""
    return tokens[:, tokens.shape[1] - h * w :].transpose(1, 2).reshape(len(tokens), -1, h, w)


class MobileNetV2Encoder(nn.Module):
    """The npz teacher: its last map, and the mean of it."""

    channels = FEATURES
    pooled_channels = FEATURES

    def __init__(self, npz: Path) -> None:
        super().__init__()
        self.net = load_mobilenetv2(npz)

    def forward(self, pictures: Tensor) -> Dense:
        _, _, last = self.net(pictures)
        return Dense(last, last.mean((2, 3)))


class TimmEncoder(nn.Module):
    """Any timm network: ViTs give the patch tokens behind the last norm, others the map that their head pools."""

    net: Any  # timm does not type its networks

    def __init__(self, name: str, weights: str, size: int) -> None:
        super().__init__()
        if not timm.is_model(name):
            known = timm.list_models()
            raise ValueError(f"encoder timm:{name} is not known, expected a name of timm.list_models(){nearest(name, known)}")
        path = "" if weights in ("", "pretrained") else weights
        arguments = {"pretrained": weights == "pretrained", "checkpoint_path": path, "num_classes": 0}
        try:
            self.net = timm.create_model(name, img_size=size, dynamic_img_size=True, **arguments)
        except TypeError:  # only ViTs know these
            self.net = timm.create_model(name, **arguments)
            if hasattr(self.net, "set_input_size"):
                self.net.set_input_size(size)
        config = self.net.pretrained_cfg
        self.normalise = Normalise(config["mean"], config["std"])
        self.channels_last = getattr(self.net, "output_fmt", "NCHW") == "NHWC"
        self.channels, self.pooled_channels = probe(self, size)

    def forward(self, pictures: Tensor) -> Dense:
        x = self.net.forward_features(self.normalise(pictures))
        pooled = self.net.forward_head(x, pre_logits=True)
        if x.ndim == 4:
            return Dense(x.permute(0, 3, 1, 2) if self.channels_last else x, pooled)
        h, w = self.net.patch_embed.dynamic_feat_size(pictures.shape[-2:])
        return Dense(as_map(x, h, w), pooled)


def probe(encoder: nn.Module, size: int) -> tuple[int, int]:
    """Channels of the map and of the pooled vector, found on one empty picture."""
    training = encoder.training
    encoder.eval()
    with torch.no_grad():
        dense = encoder(torch.zeros(1, 3, size, size))
    encoder.train(training)
    return dense.map.shape[1], dense.pooled.shape[1]


def cached_channels(name: str) -> tuple[int, int] | None:
    """C and P of `cached:C:P`; None of another name."""
    if not name.startswith("cached:"):
        return None
    found = re.fullmatch(r"cached:([1-9]\d*):([1-9]\d*)", name)
    if found is None:
        raise ValueError(f"encoder {name!r}, expected cached:CHANNELS:POOLED such as cached:1280:1280")
    return int(found[1]), int(found[2])


def load_encoder(settings: ModelSettings) -> nn.Module:
    """An `Encoder`. Raises ValueError that says what is known when the name is not."""
    name = settings.encoder
    kind, _, rest = name.partition(":")
    what, _, weights = rest.partition(":")
    if kind == "mobilenet_v2":
        return MobileNetV2Encoder(Path(settings.teachers) / "mobilenet_v2_imagenet.npz")
    if kind == "timm":
        return TimmEncoder(what, weights, settings.size)
    raise ValueError(f"encoder {name!r} is not known, expected mobilenet_v2, timm:NAME or cached:CHANNELS:POOLED")
