"""Checkpoints: everything that a step depends on, so that a resumed run ends with the same bits on the same hardware."""

import logging
import os
import pickle
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quantize.training.average import Average
from quantize.training.distributed import every_process, rank, world
from quantize.training.parallel import part, whole

log = logging.getLogger(__name__)


class BadCheckpoint(ValueError):
    """Says which file, what is wrong with it and what to do."""


def random_states() -> dict[str, Any]:
    """Of every generator that a task may use, as plain values and tensors."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002  libraries draw from it
    return {
        "torch": torch.get_rng_state(),
        "cuda": [torch.cuda.get_rng_state()] if torch.cuda.is_available() else [],
        "numpy": (name, torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, gauss),
        "python": random.getstate(),
    }


def set_random_states(state: dict[str, Any]) -> None:
    """What `random_states` gave."""
    torch.set_rng_state(state["torch"])
    for cuda in state["cuda"]:
        torch.cuda.set_rng_state(cuda)
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    random.setstate(state["python"])


def save_at_once(state: Any, path: Path) -> None:
    """Readers find either the old file or the new one, even after a power cut."""
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def difference(found: dict[str, Tensor], expected: dict[str, Tensor]) -> str:
    """The first tensor that is missing, unexpected, or of another shape; nothing if the weights fit."""
    for name in sorted(found.keys() | expected.keys()):
        shapes = [tuple(state[name].shape) if name in state else "none" for state in (found, expected)]
        if shapes[0] != shapes[1]:
            return f"tensor {name} has shape {shapes[0]}, expected {shapes[1]}"
    return ""


@dataclass
class Checkpoints:
    """`step-*.pt` in `folder`, the newest `keep` of them."""

    folder: Path
    keep: int
    modules: nn.ModuleDict
    average: Average
    optimiser: torch.optim.Optimizer
    described: dict[str, Any]

    def save(self, step: int) -> None:
        """After `step` steps. Every process must call it; the first one writes."""
        state = whole(
            {
                "modules": self.modules.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            }
        )
        state |= {"step": step, "random": every_process(random_states()), "described": self.described}
        if rank():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        save_at_once(state, self.folder / f"step-{step:08}.pt")
        for old in self.found()[: -self.keep]:
            old.unlink()

    def found(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.folder.glob("step-*.pt"))

    def load(self) -> int:
        """The step to resume at; 0 without a checkpoint. Raises BadCheckpoint for a file of another run or a broken one."""
        if not self.found():
            return 0
        path = self.found()[-1]
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise BadCheckpoint(
                f"{path} cannot be read ({type(error).__name__}); remove it to resume from the one before"
            ) from None
        wrong = difference(state.get("modules", {}), self.modules.state_dict())
        if wrong:
            raise BadCheckpoint(f"{path}: {wrong}; remove {self.folder} to start afresh")
        self._take(state)
        changed = [k for k, v in self.described.items() if state["described"].get(k) != v]
        if changed:
            log.warning("resuming from %s, but %s differ from the settings it was started with", path, ", ".join(changed))
        return int(state["step"])

    def _take(self, state: dict[str, Any]) -> None:
        live = self.modules.state_dict()
        self.modules.load_state_dict({k: part(t, live[k]) if k in live else t for k, t in state["modules"].items()})
        average = state["average"]
        average["average"] = {k: part(average["average"][k], t) for k, t in self.average.average.items()}
        self.average.load_state_dict(average)
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        for i, kept in state["optimiser"]["state"].items():
            for k, t in kept.items():
                kept[k] = part(t, parameters[i])
        self.optimiser.load_state_dict(state["optimiser"])
        if len(state["random"]) == world():
            set_random_states(state["random"][rank()])
        else:
            log.warning(
                "the checkpoint is from %d processes, this run has %d: it draws different random numbers",
                len(state["random"]),
                world(),
            )
