"""Heads: vectors of points → joint embeddings, and anchors → objectness. All are pointwise, so they export as Gemm or 1x1 Conv.

The image and region heads add two paths: an MLP, and the classifier's distribution carried into the joint space (ConSE,
arXiv 1312.5650): `softmax(classifier(x) / tau) @ names`, where `names` are the text embeddings of the classifier's classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize.model.nanodet import CLASSES, WIDTH, NanoDet
from quantize.model.pooling import EXTENT_FEATURES, TOWER_FEATURES


class Standardise(nn.Module):
    """Fixed shift and scale, measured once on training points; export folds it into the next layer."""

    shift: Tensor
    scale: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    def measure(self, x: Tensor) -> None:
        self.shift.copy_(x.float().mean(0))
        self.scale.copy_(1 / x.float().std(0).clamp(min=1e-2))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.shift) * self.scale


def mlp(features: int, hidden: int, out: int, drop_in: float, drop: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(drop_in), nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(drop),
        nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, out),
    )  # fmt: skip


class Concepts(nn.Module):
    """The classifier's names as a path into the joint space; `gain` and temperature are learned."""

    def __init__(self, classifier: nn.Linear) -> None:
        super().__init__()
        self.classifier = nn.Linear(classifier.in_features, classifier.out_features)
        with torch.no_grad():
            self.classifier.weight.copy_(classifier.weight)
            self.classifier.bias.copy_(classifier.bias)
        self.log_sharpness = nn.Parameter(torch.zeros(()))
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, semantic: Tensor, names: Tensor) -> Tensor:
        logits = self.classifier(semantic) * self.log_sharpness.exp()
        out: Tensor = self.gain * (logits.softmax(-1) @ names)
        return out


class ImageHead(nn.Module):
    """[N,C] mean semantic features → [N,dim]."""

    def __init__(self, classifier: nn.Linear, hidden: int, dim: int, drop: float) -> None:
        super().__init__()
        self.standardise = Standardise(classifier.in_features)
        self.mlp = mlp(classifier.in_features, hidden, dim, 0.1, drop)
        self.concepts = Concepts(classifier)

    def forward(self, x: Tensor, names: Tensor) -> Tensor:
        out: Tensor = self.mlp(self.standardise(x)) + self.concepts(x, names)
        return out


class RegionHead(nn.Module):
    """[N,F] region vectors (`pooling.region_vectors`) → [N,dim]; what the detector saw and what the classifier saw are added."""

    def __init__(self, classifier: nn.Linear, hidden: int, dim: int, drop: float) -> None:
        super().__init__()
        self.features = classifier.in_features
        self.standardise = Standardise(TOWER_FEATURES + self.features + EXTENT_FEATURES)
        self.towers = mlp(TOWER_FEATURES + EXTENT_FEATURES, hidden, dim, 0.0, drop)
        self.semantic = mlp(self.features, hidden, dim, 0.2, drop)
        self.concepts = Concepts(classifier)

    def forward(self, x: Tensor, names: Tensor) -> Tensor:
        z = self.standardise(x)
        where, what = z[:, :TOWER_FEATURES], z[:, TOWER_FEATURES:-EXTENT_FEATURES]
        seen = self.towers(torch.cat([where, z[:, -EXTENT_FEATURES:]], 1)) + self.semantic(what)
        out: Tensor = seen + self.concepts(x[:, TOWER_FEATURES:-EXTENT_FEATURES], names)
        return out


class DenseHead(nn.Module):
    """Semantic (upsampled), middle and stride-16 tower features of a location → its embedding."""

    def __init__(self, semantic: int, middle: int, width: int, dim: int) -> None:
        super().__init__()
        self.standardise = Standardise(semantic + middle + WIDTH)
        self.split = (semantic, middle, WIDTH)
        self.semantic = nn.Linear(semantic, width)
        self.middle = nn.Linear(middle, width, bias=False)
        self.tower = nn.Linear(WIDTH, width, bias=False)
        self.out = nn.Linear(width, dim)

    def forward(self, x: Tensor) -> Tensor:
        s, m, t = self.standardise(x).split(self.split, 1)
        out: Tensor = self.out(F.relu(self.semantic(s) + self.middle(m) + self.tower(t)))
        return out


def channels(conv: nn.Conv2d, chosen: slice, shift: float = 0.0) -> nn.Linear:
    """Some output channels of a 1x1 convolution as a linear layer; `shift` is added to its bias."""
    assert conv.bias is not None
    weight, bias = conv.weight[chosen, :, 0, 0], conv.bias[chosen]
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(weight)
        linear.bias.copy_(bias + shift)
    return linear


class AnchorHead(nn.Module):
    """Tower features of an anchor → objectness logit and 4 x BINS distance bins.

    The bins and objectness's first layer (the class logits) start as NanoDet's; training adds what else is a thing.
    """

    SHIFT = 4.0  # class logits are mostly below zero; shifted so that ReLU keeps the useful range

    def __init__(self, nanodet: NanoDet) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(channels(conv, slice(CLASSES), self.SHIFT) for conv in nanodet.outs)
        self.bins = nn.ModuleList(channels(conv, slice(CLASSES, None)) for conv in nanodet.outs)
        out = [nn.Linear(CLASSES, 1) for _ in nanodet.outs]
        for linear in out:
            nn.init.constant_(linear.weight, 1.0)
            nn.init.constant_(linear.bias, -self.SHIFT)
        self.out = nn.ModuleList(out)

    def forward(self, x: Tensor, level: int) -> tuple[Tensor, Tensor]:
        logit: Tensor = self.out[level](F.relu(self.hidden[level](x))).squeeze(-1)
        return logit, self.bins[level](x)
