"""What the detector itself calls a candidate, bit for bit what the board computes (docs/architecture.md, "Classes")."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from quantize.arithmetic.geometry import Floats, Integers
from quantize.bundle.manifest import Classes
from quantize.files import whole_file

F = np.float32
MOST = 127


@dataclass(frozen=True)
class Head:
    """From the values of a map's cell to logits."""

    weight: NDArray[np.int8]
    """`[C, F]`"""
    scale: Floats
    """`[C]`, above 0."""
    bias: Floats
    """`[C]`"""

    @staticmethod
    def of(weight: Floats, bias: Floats) -> "Head":
        """Rounds weights `[C, F]` to int8, each row by its largest."""
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-9) / MOST
        return Head(np.rint(weight / scale[:, None]).astype(np.int8), scale.astype(F), bias.astype(F))

    def logits(self, values: Floats) -> Floats:
        """Of a cell's values `[F]`: `[C]`."""
        most = np.abs(values).max(initial=0)
        if not 0 < most < np.inf:
            return self.bias
        q = np.rint(values * F(F(MOST) / most)).astype(np.int32)
        sums = (self.weight.astype(np.int32) @ q).astype(F)
        return np.asarray(sums * self.scale * F(most / F(MOST)) + self.bias, F)


@dataclass(frozen=True)
class ClassHead:
    """What `classes.safetensors` holds."""

    names: tuple[str, ...]
    heads: Mapping[str, Head]
    """By the map that they read."""
    embeddings: Floats
    """`[C, D]`, the names in the joint space, at unit length."""

    def logits(self, outputs: Mapping[str, Floats], maps: Sequence[str], cells: Integers) -> Floats:
        """Of each of the `cells` `[N, 2]`, level and place in it row by row: `[N, C]`."""
        rows = []
        for level, place in cells.tolist():
            values = outputs[maps[level]].reshape(len(outputs[maps[level]]), -1)[:, place]
            rows.append(self.heads[maps[level]].logits(values))
        return np.array(rows, F).reshape(-1, len(self.names))


def load_classes(path: Path, settings: Classes) -> ClassHead:
    """Reads `classes.safetensors`."""
    with safe_open(path, "np") as file:
        names = tuple(json.loads(file.metadata()["names"]))
        heads = {
            name: Head(*(file.get_tensor(f"{name}.{part}") for part in ("weight", "scale", "bias"))) for name in settings.maps
        }
        return ClassHead(names, heads, file.get_tensor("embeddings"))


def save_classes(path: Path, head: ClassHead) -> None:
    """Writes `classes.safetensors`, whole or not at all."""
    tensors: dict[str, NDArray[Any]] = {"embeddings": head.embeddings}
    for name, each in head.heads.items():
        tensors |= {f"{name}.weight": each.weight, f"{name}.scale": each.scale, f"{name}.bias": each.bias}
    with whole_file(path) as draft:
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        save_file(contiguous, draft, {"format": "edgeclip-classes-1", "names": json.dumps(head.names)})


@dataclass(frozen=True)
class Called:
    """What the detector calls some boxes, for each of some prompts."""

    logits: Floats
    """`[M, N]`, of each prompt's nearest class."""
    closeness: Floats
    """`[N]`, how far that means the same, 0 to 1."""
    weights: tuple[float, ...]
    """Of a constant, the margin, objectness and the logit of the class."""

    @staticmethod
    def of(logits: Floats, prompts: Floats, head: ClassHead, settings: Classes) -> "Called":
        """From the logits `[M, C]` of all classes and the prompts `[N, D]`, at unit length."""
        nearest, closeness = links(prompts, head.embeddings, settings.ramp)
        return Called(logits[:, nearest], closeness, settings.weights)

    def beside(self, words: Floats, margins: Floats, objectness: Floats) -> Floats:
        """Logits `[M, N]`: between those of words and those with the class, as far as it means the same."""
        bias, margin, thing, own = self.weights
        both = bias + margin * margins + thing * objectness[:, None] + own * self.logits
        return np.asarray(words + self.closeness * (both - words), np.float32)


def links(prompts: Floats, classes: Floats, ramp: Sequence[float]) -> tuple[Integers, Floats]:
    """The nearest of the `classes` `[C, D]` for each of the prompts `[N, D]`, and how far it means the same, 0 to 1."""
    cosines = prompts @ classes.T
    closeness = np.clip((cosines.max(axis=1) - ramp[0]) / (ramp[1] - ramp[0]), 0, 1)
    return cosines.argmax(axis=1), np.asarray(closeness, np.float32)
