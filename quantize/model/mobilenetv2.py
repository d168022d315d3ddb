"""MobileNetV2 (arXiv 1801.04381) with TensorFlow's padding, batch norm folded, ImageNet weights from the npz teacher.

Input is `pixel / 127.5 - 1` RGB, any size that is a multiple of 32.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

# expansion, channels, repeats, first stride
BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
CLASSES = 1001
FEATURES = 1280


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: at stride 2 an even picture is padded below and on the right only."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, relu6: bool = True) -> None:
        super().__init__(c_in, c_out, kernel, stride, 0, groups=groups)
        self.relu6 = relu6

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel_size[0] - self.stride[0] if self.kernel_size[0] > 1 else 0
        if total:
            before = total // 2
            x = F.pad(x, (before, total - before, before, total - before))
        x = F.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)
        return F.relu6(x) if self.relu6 else x


class Bottleneck(nn.Module):
    """Inverted residual: expand 1x1, depthwise 3x3, linear 1x1."""

    def __init__(self, c_in: int, c_out: int, expansion: int, stride: int) -> None:
        super().__init__()
        mid = c_in * expansion
        layers: list[nn.Module] = [SameConv(c_in, mid, 1)] if expansion > 1 else []
        layers += [SameConv(mid, mid, 3, stride, groups=mid), SameConv(mid, c_out, 1, relu6=False)]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """Backbone and classifier. `forward` gives the maps at strides 8 (32 channels), 16 (96) and 32 (1280)."""

    channels = (32, 96, FEATURES)

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        blocks: list[nn.Module] = []
        c = 32
        self.taps: dict[int, int] = {}
        for expansion, out, repeats, stride in BLOCKS:
            for i in range(repeats):
                blocks.append(Bottleneck(c, out, expansion, stride if i == 0 else 1))
                c = out
            self.taps[out] = len(blocks) - 1
        self.blocks = nn.ModuleList(blocks)
        self.last = SameConv(c, FEATURES, 1)
        self.classifier = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.stem(x)
        kept = {}
        for i, block in enumerate(self.blocks):
            x = block(x)
            kept[i] = x
        return kept[self.taps[32]], kept[self.taps[96]], self.last(x)


def load_mobilenetv2(npz: Path) -> MobileNetV2:
    """Reads `w0, b0, … w52, b52` in TensorFlow layouts; raises ValueError that names a missing or misshapen array."""
    net = MobileNetV2()
    with np.load(npz) as arrays:
        modules: list[SameConv | nn.Linear] = [m for m in net.modules() if isinstance(m, SameConv)]
        for i, module in enumerate([*modules, net.classifier]):
            assert module.bias is not None
            depthwise = isinstance(module, SameConv) and module.groups > 1
            out, inner, *kernel = (*module.weight.shape, 1, 1)[:4]
            weight = _array(npz, arrays, f"w{i}", (inner, *kernel, out) if depthwise else (out, *kernel, inner))
            bias = _array(npz, arrays, f"b{i}", (out,))
            weight = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
            with torch.no_grad():
                module.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)).reshape(module.weight.shape))
                module.bias.copy_(torch.from_numpy(bias))
    return net


def _array(npz: Path, arrays: Mapping[str, NDArray[np.float32]], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if name not in arrays:
        raise ValueError(f"{npz}: array {name} is missing; expected w0, b0 … w52, b52")
    array = arrays[name]
    if array.shape != shape:
        raise ValueError(f"{npz}: {name} has shape {array.shape}, expected {shape}")
    return array.astype(np.float32)
