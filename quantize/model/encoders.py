"""Image encoders by name, each giving a `Dense`; see `settings.model.ModelSettings` for the names."""

import re
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn

from quantize.model.dense import Dense
from quantize.model.hf_models import HfEncoder
from quantize.model.mobilenetv2 import FEATURES, load_mobilenetv2
from quantize.model.open_clip_models import OpenClipEncoder
from quantize.model.preparation import Normalise, as_map, probe
from quantize.model.weights import explained
from quantize.settings.model import ModelSettings, nearest

KINDS = ("mobilenet_v2", "timm", "open_clip", "hf", "cached")


class MobileNetV2Encoder(nn.Module):
    """The npz teacher, fed as the board feeds it: its last map, and the mean of it."""

    channels = FEATURES
    pooled_channels = FEATURES

    def __init__(self, npz: Path) -> None:
        super().__init__()
        if not npz.is_file():
            raise ValueError(f"encoder mobilenet_v2: {npz} is missing; expected its folder under teachers")
        self.net = load_mobilenetv2(npz)
        del self.net.classifier

    def forward(self, pictures: Tensor) -> Dense:
        _, _, last = self.net(pictures)
        return Dense(last, last.mean((2, 3)))


class TimmEncoder(nn.Module):
    """Any timm network: ViTs give the patch tokens behind the last norm, others the map that their head pools."""

    def __init__(self, name: str, weights: str, size: int) -> None:
        super().__init__()
        if not timm.is_model(name):
            known = timm.list_models()
            raise ValueError(f"encoder timm:{name} is not known, expected a name of timm.list_models(){nearest(name, known)}")
        path = "" if weights in ("", "pretrained") else weights
        if path and not Path(path).is_file():
            raise ValueError(f"encoder timm:{name}: {path} is missing; expected a checkpoint, or `pretrained`")
        arguments: dict[str, Any] = {"pretrained": weights == "pretrained", "checkpoint_path": path, "num_classes": 0}
        with explained(f"encoder timm:{name}:{weights}"):
            try:
                self.net: Any = timm.create_model(name, img_size=size, dynamic_img_size=True, **arguments)
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

    def recompute(self) -> None:
        self.net.set_grad_checkpointing()


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
    name, projected = settings.encoder, settings.dense == "projected"
    kind, _, rest = name.partition(":")
    if kind == "open_clip":
        return OpenClipEncoder(name, settings.size, projected)
    if kind == "hf":
        return HfEncoder(name, settings.size, projected)
    if projected and kind in ("mobilenet_v2", "timm"):
        raise ValueError(f"dense is 'projected', which encoder {name} cannot do; expected dense = 'tokens'")
    if kind == "timm":
        network, _, weights = rest.partition(":")
        return TimmEncoder(network, weights, settings.size)
    if name == "mobilenet_v2":
        return MobileNetV2Encoder(Path(settings.teachers) / "mobilenet_v2_imagenet.npz")
    expected = "mobilenet_v2, timm:NAME, open_clip:ARCH, hf:ID_OR_PATH or cached:CHANNELS:POOLED"
    raise ValueError(f"encoder {name!r} is not known, expected {expected}{nearest(kind, list(KINDS))}")
