"""The networks in the form that is exported: plain convolutions and matrix products, standardisation and names folded in."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize.model.edgeclip import EdgeClip
from quantize.model.heads import AnchorHead, Concepts, DenseHead, Standardise
from quantize.model.pooling import EXTENT_FEATURES, TOWER_FEATURES
from quantize.model.registry import STRIDES
from quantize.model.trunk import Trunk

MAP_NAMES = ("tower8", "tower16", "tower32", "semantic")
VISION_OUTPUTS = ("image_embedding", *(f"level{s}" for s in STRIDES), *MAP_NAMES, "dense")


def folded(linear: nn.Linear, standardise: Standardise, columns: slice) -> nn.Linear:
    """`linear(standardise(x)[columns])` as one layer over `x[columns]`."""
    shift, scale = standardise.shift[columns], standardise.scale[columns]
    out = nn.Linear(linear.in_features, linear.out_features)
    with torch.no_grad():
        out.weight.copy_(linear.weight * scale)
        bias = linear.bias if linear.bias is not None else torch.zeros(linear.out_features)
        out.bias.copy_(bias - out.weight @ shift)
    return out


def folded_mlp(mlp: nn.Sequential, standardise: Standardise, columns: list[slice]) -> nn.Sequential:
    """An MLP without its dropout, standardisation of its input columns folded into the first layer."""
    linears = [m for m in mlp if isinstance(m, nn.Linear)]
    part = Standardise(linears[0].in_features)
    part.shift = torch.cat([standardise.shift[c] for c in columns])
    part.scale = torch.cat([standardise.scale[c] for c in columns])
    first = folded(linears[0], part, slice(None))
    return nn.Sequential(first, nn.ReLU(), linears[1], nn.ReLU(), linears[2])


def pointwise(linear: nn.Linear) -> nn.Conv2d:
    """A linear layer as a 1x1 convolution."""
    conv = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=linear.bias is not None)
    with torch.no_grad():
        conv.weight.copy_(linear.weight[:, :, None, None])
        if linear.bias is not None and conv.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv


class FixedConcepts(nn.Module):
    """Concepts with the temperature folded into the classifier and the gain into the names.

    The names are a linear layer with a bias of zeros: a plain MatMul would be fused with the addition that follows into a Gemm
    whose third input is no constant, which cannot be quantised.
    """

    def __init__(self, concepts: Concepts, names: Tensor) -> None:
        super().__init__()
        sharp = concepts.log_sharpness.exp()
        self.classifier = nn.Linear(concepts.classifier.in_features, names.shape[0])
        self.names = nn.Linear(*names.shape)
        with torch.no_grad():
            self.classifier.weight.copy_(concepts.classifier.weight * sharp)
            self.classifier.bias.copy_(concepts.classifier.bias * sharp)
            self.names.weight.copy_((concepts.gain * names).T)
            self.names.bias.zero_()

    def forward(self, semantic: Tensor) -> Tensor:
        out: Tensor = self.names(torch.softmax(self.classifier(semantic), -1))
        return out


class AnchorLevel(nn.Module):
    """One level's objectness and bins as two convolutions and a concatenation."""

    def __init__(self, head: AnchorHead, level: int) -> None:
        super().__init__()
        hidden, out, bins = head.hidden[level], head.out[level], head.bins[level]
        assert isinstance(hidden, nn.Linear)
        assert isinstance(out, nn.Linear)
        assert isinstance(bins, nn.Linear)
        self.hidden, self.out, self.bins = pointwise(hidden), pointwise(out), pointwise(bins)

    def forward(self, tower: Tensor) -> Tensor:
        return torch.cat([self.out(F.relu(self.hidden(tower))), self.bins(tower)], 1)


class DenseMap(nn.Module):
    """The dense head at stride 16; the semantic map is projected before it is upsampled, which is the same and cheaper."""

    def __init__(self, head: DenseHead) -> None:
        super().__init__()
        a, b = head.split[0], head.split[0] + head.split[1]
        self.semantic = pointwise(folded(head.semantic, head.standardise, slice(0, a)))
        self.middle = pointwise(folded(head.middle, head.standardise, slice(a, b)))
        self.tower = pointwise(folded(head.tower, head.standardise, slice(b, None)))
        self.out = pointwise(head.out)

    def forward(self, semantic: Tensor, middle: Tensor, tower: Tensor) -> Tensor:
        up = F.interpolate(self.semantic(semantic), scale_factor=2.0, mode="bilinear", align_corners=False)
        out: Tensor = self.out(F.relu(up + self.middle(middle) + self.tower(tower)))
        return out


class VisionGraph(nn.Module):
    """[1,3,S,S] `pixel / 127.5 - 1` → VISION_OUTPUTS. `classes` are the classifier's names in the joint space."""

    def __init__(self, trunk: Trunk, model: EdgeClip, classes: Tensor) -> None:
        super().__init__()
        self.trunk = trunk
        self.image_mlp = folded_mlp(model.image.mlp, model.image.standardise, [slice(None)])
        self.concepts = FixedConcepts(model.image.concepts, classes)
        self.levels = nn.ModuleList(AnchorLevel(model.anchor, i) for i in range(len(STRIDES)))
        self.dense = DenseMap(model.dense)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.trunk(x)
        pooled = F.adaptive_avg_pool2d(maps.semantic, 1).flatten(1)
        image = self.image_mlp(pooled) + self.concepts(pooled)
        levels = [level(t) for level, t in zip(self.levels, maps.towers, strict=True)]
        dense = self.dense(maps.semantic, maps.middle, maps.towers[1])
        return (image, *levels, *maps.towers, maps.semantic, dense)


class PromptGraph(nn.Module):
    """[N,F] region vectors → [N,dim]."""

    def __init__(self, model: EdgeClip, classes: Tensor) -> None:
        super().__init__()
        head = model.region
        self.end = TOWER_FEATURES + head.features
        towers, semantic = slice(0, TOWER_FEATURES), slice(TOWER_FEATURES, self.end)
        extent = slice(self.end, self.end + EXTENT_FEATURES)
        self.towers = folded_mlp(head.towers, head.standardise, [towers, extent])
        self.semantic = folded_mlp(head.semantic, head.standardise, [semantic])
        self.concepts = FixedConcepts(head.concepts, classes)

    def forward(self, region: Tensor) -> Tensor:
        towers, semantic = region[:, :TOWER_FEATURES], region[:, TOWER_FEATURES : self.end]
        where = torch.cat([towers, region[:, self.end :]], 1)
        out: Tensor = self.towers(where) + self.semantic(semantic) + self.concepts(semantic)
        return out
