"""NanoDet-m's network (ShuffleNetV2 1.0x, arXiv 1807.11164; PAN; Generalized Focal Loss head, arXiv 2006.04388).

Its published weights initialise the detection branch. Input is the trunk's `pixel / 127.5 - 1` RGB picture: the teacher's BGR
mean and scale are folded into the first convolution.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

STAGES = ((116, 4), (232, 8), (464, 4))
WIDTH = 96
BINS = 8
CLASSES = 80
SLOPE = 0.1
FLOAT16_FLAG = bytes.fromhex("476b3001")
BGR_MEAN = (103.53, 116.28, 123.675)
BGR_SCALE = (0.017429, 0.017507, 0.017125)


def conv(c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups)


def act(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)


def shuffle(x: Tensor) -> Tensor:
    """Interleaves the two halves of the channels."""
    n, c, h, w = x.shape
    return x.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Unit(nn.Module):
    """ShuffleNetV2 unit; at stride 2 both branches convolve, else half of the channels passes through."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        half = c_out // 2
        self.stride = stride
        if stride == 2:
            self.side_dw = conv(c_in, c_in, 3, 2, c_in)
            self.side_pw = conv(c_in, half)
        self.pw1 = conv(c_in if stride == 2 else half, half)
        self.dw = conv(half, half, 3, stride, half)
        self.pw2 = conv(half, half)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            side, main = act(self.side_pw(self.side_dw(x))), x
        else:
            side, main = x.chunk(2, 1)
        return shuffle(torch.cat([side, act(self.pw2(self.dw(act(self.pw1(main)))))], 1))


class Head(nn.Module):
    """Two depthwise-separable convolutions, then 80 class logits and 4 x 8 distance bins per location."""

    def __init__(self) -> None:
        super().__init__()
        self.dw1, self.pw1 = conv(WIDTH, WIDTH, 3, groups=WIDTH), conv(WIDTH, WIDTH)
        self.dw2, self.pw2 = conv(WIDTH, WIDTH, 3, groups=WIDTH), conv(WIDTH, WIDTH)
        self.out = conv(WIDTH, CLASSES + 4 * BINS)

    def forward(self, x: Tensor) -> Tensor:
        return act(self.pw2(act(self.dw2(act(self.pw1(act(self.dw1(x))))))))


class NanoDet(nn.Module):
    """`forward` gives the tower features (96 channels) at strides 8, 16, 32; `outs[i]` turns them into logits and bins."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 24, 3, 2)
        self.stages = nn.ModuleList()
        c = 24
        for out, repeats in STAGES:
            self.stages.append(nn.Sequential(Unit(c, out, 2), *[Unit(out, out, 1) for _ in range(repeats - 1)]))
            c = out
        self.laterals = nn.ModuleList(conv(out, WIDTH) for out, _ in STAGES)
        self.heads = nn.ModuleList(Head() for _ in STAGES)

    @property
    def outs(self) -> list[nn.Conv2d]:
        """The last convolution of each level."""
        return [head.out for head in self.heads if isinstance(head, Head)]

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.max_pool2d(act(self.stem(x)), 3, 2, 1)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        p8, p16, p32 = (lateral(m) for lateral, m in zip(self.laterals, maps, strict=True))
        p16 = p16 + F.interpolate(p32, scale_factor=2.0, mode="bilinear", align_corners=False)
        p8 = p8 + F.interpolate(p16, scale_factor=2.0, mode="bilinear", align_corners=False)
        # bilinear halving without antialiasing is the mean of 2x2
        p16 = p16 + F.avg_pool2d(p8, 2)
        p32 = p32 + F.avg_pool2d(p16, 2)
        return [head(p) for head, p in zip(self.heads, (p8, p16, p32), strict=True)]


def _layers(param: Path) -> list[tuple[str, dict[str, str]]]:
    lines = param.read_text().split("\n")
    if lines[0].strip() != "7767517":
        raise ValueError(f"{param}: found {lines[0][:20]!r}, expected an ncnn text param file (7767517)")
    found = []
    for line in lines[2:]:
        t = line.split()
        if t and t[0].startswith("Convolution"):
            skip = 4 + int(t[2]) + int(t[3])
            found.append((t[1], dict(a.split("=", 1) for a in t[skip:])))
    return found


def load_nanodet(param: Path, weights: Path) -> NanoDet:
    """Loads the ncnn files (fp16 or fp32 storage). Raises ValueError on another network."""
    net = NanoDet()
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    layers = _layers(param)
    if len(layers) != len(convs):
        raise ValueError(f"{param}: found {len(layers)} convolutions, expected NanoDet-m's {len(convs)}")
    data, at = weights.read_bytes(), 0
    for (name, a), module in zip(layers, convs, strict=True):
        size = int(a["6"])
        if size != module.weight.numel():
            raise ValueError(f"{param}: {name} has {size} weights, expected {module.weight.numel()}")
        half = data[at : at + 4] == FLOAT16_FLAG
        at += 4
        stored = (size * 2 + 3) // 4 * 4 if half else size * 4
        if at + stored + module.out_channels * 4 > len(data):
            raise ValueError(f"{weights}: found {len(data)} bytes, the file ends in the weights of {name}")
        w = np.frombuffer(data, np.float16 if half else np.float32, size, at).astype(np.float32)
        at += stored
        b = np.frombuffer(data, np.float32, module.out_channels, at).copy()
        at += module.out_channels * 4
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(w).reshape(module.weight.shape))
            assert module.bias is not None
            module.bias.copy_(torch.from_numpy(b))
    if at != len(data):
        raise ValueError(f"{weights}: found {len(data)} bytes, {len(data) - at} of them left over")
    _fold_input(net.stem)
    return net


def _fold_input(stem: nn.Conv2d) -> None:
    """From `(bgr - mean) * scale` to `rgb / 127.5 - 1`; exact inside, at the border padding is grey instead of the mean."""
    mean, scale = torch.tensor(BGR_MEAN).flip(0), torch.tensor(BGR_SCALE).flip(0)
    with torch.no_grad():
        w = stem.weight.flip(1)  # BGR to RGB
        assert stem.bias is not None
        stem.bias += (w.sum((2, 3)) * (127.5 - mean) * scale).sum(1)
        stem.weight.copy_(w * (127.5 * scale)[:, None, None])
