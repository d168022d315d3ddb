"""What encoders share: the input of all networks, each one's own normalisation, tokens as a map, channels."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def to_input(pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures `[S,S,3]` of one size as the board takes them: `[B,3,S,S]` of `(pixel - 128) / 127.5`."""
    return normalise(torch.from_numpy(np.stack(pixels)))


def normalise(pixels: Tensor) -> Tensor:
    """uint8 `[B,S,S,3]` → `[B,3,S,S]` of `(pixel - 128) / 127.5`, on whichever device they are."""
    x = pixels.permute(0, 3, 1, 2)
    return ((x.float() - 128) / 127.5).contiguous(memory_format=torch.channels_last)


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


def probe(encoder: nn.Module, size: int) -> tuple[int, int]:
    """Channels of the map and of the pooled vector, found on one empty picture."""
    training = encoder.training
    encoder.eval()
    with torch.no_grad():
        dense = encoder(torch.zeros(1, 3, size, size))
    encoder.train(training)
    return dense.map.shape[1], dense.pooled.shape[1]
