"""What quantising does to a network's outputs: cosine, and noise against signal."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float32]
EMBEDDINGS = ("image_embedding", "dense", "embedding")


def signals(name: str, x: Tensor) -> dict[str, Tensor]:
    """The parts of an output that matter alone; a level's objectness would be lost among its 32 distance bins."""
    if name.startswith("level"):
        return {f"{name} objectness": x[:, :1], f"{name} bins": x[:, 1:]}
    return {name: x}


def noise_to_signal(name: str, y: Tensor, wanted: Tensor) -> Tensor:
    """Power of the difference over the power of what is wanted, less its mean over places; embeddings count as unit vectors."""
    if name in EMBEDDINGS:
        y, wanted = (torch.nn.functional.normalize(t, dim=1) for t in (y, wanted))
        return (y - wanted).square().sum(1).mean()
    centred = wanted - wanted.mean((2, 3), keepdim=True) if wanted.dim() == 4 else wanted
    return (y - wanted).square().sum() / centred.square().sum().clamp(min=1e-12)


@dataclass
class Effect:
    """By signal."""

    cosine: dict[str, float]
    noise: dict[str, float]

    @property
    def total(self) -> float:
        """Mean noise-to-signal ratio of all signals: one number to rank by."""
        return float(np.mean(list(self.noise.values())))

    @property
    def sqnr(self) -> float:
        """`total` as a signal-to-quantisation-noise ratio in dB."""
        return float(-10 * np.log10(max(self.total, 1e-12)))


def effect(wanted: Sequence[dict[str, Array]], found: Sequence[dict[str, Array]]) -> Effect:
    """Compares outputs over all pictures together."""
    cosine, noise = {}, {}
    for name in wanted[0]:
        y, t = (signals(name, torch.from_numpy(np.concatenate([o[name] for o in outputs]))) for outputs in (found, wanted))
        for key in t:
            cosine[key] = float(torch.nn.functional.cosine_similarity(y[key], t[key], dim=1).mean())
            noise[key] = float(noise_to_signal(key, y[key], t[key]))
    return Effect(cosine, noise)
