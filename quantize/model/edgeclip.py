"""The trained parts of the default model: projection of texts and one head for each kind of supervision point."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from quantize.model.heads import AnchorHead, DenseHead, ImageHead, RegionHead
from quantize.model.registry import Backbone, names_classifier
from quantize.model.text import Projection
from quantize.model.trunk import Trunk

START_SCALE = 20.0
MAX_SCALE = 60.0
START_BIAS = -8.0  # of the sigmoid over names: few of many are true


class EdgeClip(nn.Module):
    """Heads over the trunk's maps; `trunk` itself is kept apart, since it may be frozen."""

    def __init__(self, trunk: Trunk, dim: int, hidden: int, drop: float) -> None:
        super().__init__()
        classifier = names_classifier(trunk.backbone)
        _, middle, semantic = cast(Backbone, trunk.backbone).channels
        self.projection = Projection(dim)
        self.image = ImageHead(classifier, hidden, dim, drop)
        self.region = RegionHead(classifier, hidden, dim, drop)
        self.dense = DenseHead(semantic, middle, 96, dim)
        self.anchor = AnchorHead(trunk.nanodet)
        self.log_scale = nn.ParameterDict(
            {k: nn.Parameter(torch.tensor(math.log(START_SCALE))) for k in ("image", "region", "pixel", "text", "objects")}
        )
        self.object_bias = nn.Parameter(torch.tensor(START_BIAS))

    def scale(self, kind: str) -> Tensor:
        """Inverse temperature of the softmax of one kind of point."""
        scale: Tensor = self.log_scale[kind].exp()
        return scale.clamp(max=MAX_SCALE)
