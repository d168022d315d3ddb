"""Quantisation-aware training: an int8 network learns to reproduce its float twin.

The forward pass is the board's integer arithmetic (`network.py`), gradients pass straight through rounding, and step sizes may be
learned (LSQ, arXiv 1902.08153). The float network is the teacher (arXiv 1802.05668), so that pictures need no labels and
every loss of the first training is represented. Starts from post-training int8; the result is the same file with other numbers.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quantize.board.split import is_held_out
from quantize.data import canvas as cv
from quantize.data.layouts import draw, layouts
from quantize.data.shards import Sample, Shards
from quantize.int8.bundles import stored
from quantize.int8.calibration import maps_of, picture_regions
from quantize.int8.network import QdqNet, Stored
from quantize.int8.noise import noise_to_signal, signals
from quantize.model.preparation import to_input
from quantize.settings.board import BoardRecipe
from quantize.settings.loop import LoopSettings
from quantize.training.loop import run

Array = NDArray[np.float32]
TRUNK = "/trunk/"
CLIP_NORM = 1.0


@dataclass(frozen=True)
class QatSettings:
    """`learning_rate` counts in steps of the integer weights; `scale_rate` in shares of a scale, 0 leaves scales as they are."""

    steps: int = 200
    batch: int = 4
    learning_rate: float = 0.02
    scale_rate: float = 0.003
    trunk: bool = True
    seed: int = 0


@dataclass
class Batch:
    """What the int8 network takes, and what float gives."""

    inputs: Tensor
    wanted: dict[str, Tensor]


# inputs for the int8 network, and those for its float teacher
Loader = Callable[[np.random.Generator], tuple[list[Array], list[Array]]]
Teacher = Callable[[Array], dict[str, Array]]


class Imitation:
    """The task of the training loop: inputs from `loader`, float outputs as targets."""

    def __init__(self, model: onnx.ModelProto, teacher: Teacher, scale: float | None, loader: Loader, s: QatSettings) -> None:
        """`model` is an int8 form of what `teacher` computes in float; `scale` is that of the int8 input, None if it is float."""
        self.net = QdqNet(model, learn_scales=s.scale_rate > 0)
        self.modules = nn.ModuleDict({"net": self.net})
        self.teacher, self.scale, self.loader, self.settings = teacher, scale, loader, s

    def groups(self) -> list[dict[str, Any]]:
        """Weights move in units of their own integers, biases by the size of their layer's."""
        s, found = self.settings, []
        for layer in self.net.layers.values():
            if not s.trunk and layer.name.startswith(TRUNK):
                continue
            w = self.net.weights[layer.at]
            step = 1.0 if isinstance(layer.weights, Stored) else float(w.detach().abs().max()) / 127
            found.append({"params": [w], "lr": s.learning_rate * step, "weight_decay": 0.0})
            if layer.bias_at is not None:
                b = self.net.biases[layer.bias_at]
                found.append({"params": [b], "lr": s.learning_rate * float(b.detach().abs().mean()) / 127, "weight_decay": 0.0})
        if s.scale_rate > 0:
            found.append({"params": list(self.net.deltas), "lr": s.scale_rate, "weight_decay": 0.0})
        return found

    def batches(self, first: int) -> Iterator[Batch]:
        """From step `first` on, without end; the same for the same seed."""
        for step in count(first):
            inputs, true = self.loader(np.random.default_rng([self.settings.seed, step]))
            wanted = [self.teacher(x) for x in true]
            x = np.concatenate([np.asarray(v, np.float32) for v in stored(inputs, self.scale)])
            targets = {k: torch.from_numpy(np.concatenate([w[k] for w in wanted])) for k in wanted[0]}
            yield Batch(torch.from_numpy(x), targets)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Noise against signal of each output."""
        found = self.net(batch.inputs)
        terms: dict[str, Tensor] = {}
        for name, wanted in batch.wanted.items():
            if name not in found or found[name].shape != wanted.shape:
                shape = list(found[name].shape) if name in found else "none"
                raise ValueError(f"int8 network: found {shape} for output {name}, expected {list(wanted.shape)} as in float")
            targets = signals(name, wanted)
            terms |= {key: noise_to_signal(key, y, targets[key]) for key, y in signals(name, found[name]).items()}
        return terms

    def pictures(self, batch: Batch) -> int:
        """How many inputs a batch holds."""
        return len(batch.inputs)

    def describe(self) -> dict[str, Any]:
        """The settings."""
        return asdict(self.settings)


def fit(task: Imitation, out: Path) -> list[float]:
    """Trains by the loop of all trainings, with checkpoints and `log.jsonl` in `out`; the loss of each step."""
    trained = {id(p) for group in task.groups() for p in group["params"]}
    if not trained:
        raise ValueError("qat: found no layer to train, expected some (every layer is the trunk's, and the trunk is frozen)")
    for p in task.net.parameters():
        p.requires_grad_(id(p) in trained)
    s = task.settings
    # no average: what is exported are the integers of the last step, and a mean of integers would be rounded once more
    settings = LoopSettings(
        steps=s.steps, name="qat", seed=s.seed, clip_norm=CLIP_NORM, ema=0.0, precision="float32", log_every=1
    )
    run(task, settings, out)
    return [float(json.loads(line)["loss"]) for line in (out / "log.jsonl").read_text().splitlines()]


class Pictures:
    """Draws training pictures that do not calibrate the scores: half as on the board, half with crops and colours changed."""

    def __init__(self, recipe: BoardRecipe, batch: int, every: int) -> None:
        samples = Shards([Path(p) for p in recipe.data.shards], every=every)
        self.samples = [s for s in samples if not is_held_out(s.key, s.source, recipe.data)]
        if not self.samples:
            raise ValueError(f"qat: found no usable picture in {', '.join(recipe.data.shards)}, expected at least one")
        self.size, self.batch = recipe.model.size, batch

    def draw(self, rng: np.random.Generator, views: tuple[str, ...]) -> Iterator[tuple[Sample, cv.Placement, Array]]:
        """As many as a batch has, each with its place and as `[1,3,S,S]`."""
        for i in rng.integers(len(self.samples), size=self.batch).tolist():
            sample = self.samples[i]
            ((_, placed),) = layouts(str(rng.choice(views)), [sample], self.size, rng)
            yield sample, placed[0], to_input([draw([0], [sample], placed, self.size).pixels]).contiguous().numpy()

    def __call__(self, rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
        """`[1,3,S,S]` each, for both networks."""
        inputs = [x for _, _, x in self.draw(rng, ("plain", "augmented"))]
        return inputs, inputs


class Regions:
    """Region vectors of pictures drawn plainly: from int8 vision for the int8 prompter, from float vision for its teacher."""

    def __init__(self, pictures: Pictures, int8: Teacher, floats: Teacher) -> None:
        self.pictures, self.int8, self.floats = pictures, int8, floats

    def __call__(self, rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
        """`[M,F]` of one picture each."""
        drawn = list(self.pictures.draw(rng, ("plain",)))
        size = self.pictures.size

        def regions(network: Teacher) -> list[Array]:
            return [picture_regions(s, maps_of(network(x)), size) for s, _, x in drawn]

        return regions(self.int8), regions(self.floats)
