"""Backbones by name: `mobilenet_v2` from the npz teacher, or `timm:NAME` for any convolutional network of timm.

A backbone maps `pixel / 127.5 - 1` pictures to three maps at strides 8, 16 and 32, and has a classifier of ImageNet's 1000
names over the mean of the last one.
"""

from pathlib import Path
from typing import Any, Protocol, cast

import timm
import torch
from torch import Tensor, nn

from quantize.model.mobilenetv2 import load_mobilenetv2

STRIDES = (8, 16, 32)
NAMES = 1000


class Backbone(Protocol):
    """What the trunk and the heads need to know."""

    channels: tuple[int, int, int]
    classifier: nn.Linear

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Maps at strides 8, 16 and 32."""
        ...


class TimmBackbone(nn.Module):
    """A timm network; its own normalisation is applied to the shared input."""

    net: Any  # timm does not type its networks
    scale: Tensor
    shift: Tensor

    def __init__(self, name: str, weights: str) -> None:
        """`weights` is `pretrained`, `random`, or the path of a timm checkpoint."""
        super().__init__()
        checkpoint = "" if weights in ("pretrained", "random") else weights
        self.net = timm.create_model(name, pretrained=weights == "pretrained", checkpoint_path=checkpoint)
        found = {info["reduction"]: i for i, info in enumerate(self.net.feature_info)}
        if any(s not in found for s in STRIDES):
            strides = f"found maps at strides {sorted(found)}, expected {list(STRIDES)}"
            raise ValueError(f"backbone timm:{name}: {strides}; choose a convolutional network")
        self.at = [found[s] for s in STRIDES[:2]]
        classifier = self.net.get_classifier()
        features = self.net.num_features
        if not isinstance(classifier, nn.Linear) or classifier.out_features != NAMES or classifier.in_features != features:
            head = f"found classifier {classifier} over {features} features"
            raise ValueError(f"backbone timm:{name}: {head}, expected ImageNet's {NAMES} names over the last map")
        self.classifier = classifier
        fine, middle = (int(self.net.feature_info[i]["num_chs"]) for i in self.at)
        self.channels = (fine, middle, int(features))
        mean, std = (torch.tensor(self.net.pretrained_cfg[k]).view(1, 3, 1, 1) for k in ("mean", "std"))
        self.register_buffer("scale", 0.5 / std)
        self.register_buffer("shift", (0.5 - mean) / std)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        last, (s8, s16) = self.net.forward_intermediates(x * self.scale + self.shift, indices=self.at, output_fmt="NCHW")
        return s8, s16, last


def load_backbone(name: str, weights: str, teachers: Path) -> nn.Module:
    """A `Backbone`. Raises ValueError that says what is known when the name is not."""
    if name == "mobilenet_v2":
        return load_mobilenetv2(teachers / "mobilenet_v2_imagenet.npz")
    if name.startswith("timm:"):
        try:
            return TimmBackbone(name.removeprefix("timm:"), weights)
        except RuntimeError as error:
            raise ValueError(f"backbone {name}: {error}; `timm.list_models()` lists the names") from None
    raise ValueError(f"backbone {name!r} is not known; expected mobilenet_v2 or timm:NAME")


def names_classifier(backbone: nn.Module) -> nn.Linear:
    """The classifier over ImageNet's 1000 names, without a background class."""
    full = cast(Backbone, backbone).classifier
    extra = full.out_features - NAMES
    out = nn.Linear(full.in_features, NAMES)
    with torch.no_grad():
        out.weight.copy_(full.weight[extra:])
        out.bias.copy_(full.bias[extra:])
    return out
