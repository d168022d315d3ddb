"""What every recipe of a training has, whatever it trains."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantize.settings.loop import LoopSettings, LoopTable
from quantize.settings.toml import read_toml


@dataclass(kw_only=True)
class Recipe:
    """The keys outside any table, and the table `[loop]`."""

    trains: str  # what is trained: "board" (the board's model) or "clip" (a RegionClip)
    name: str  # of the run: in logs, and in the manifest of what is exported
    out: str  # folder for checkpoints, log.jsonl and the trained model.pt
    seed: int = 0  # of everything random; the same seed gives the same bits on the same hardware
    device: str = "cpu"  # as PyTorch names it: cpu, cuda, cuda:1
    learning_rate: float = 1e-3  # of new layers, where the schedule is highest
    weight_decay: float = 0.05  # of new layers' matrices
    loop: LoopTable = field(default_factory=LoopTable)

    def loop_settings(self) -> LoopSettings:
        """The table `[loop]` with what the recipe says outside of it."""
        table: dict[str, Any] = vars(self.loop)
        return LoopSettings(**table, name=self.name, device=self.device, seed=self.seed)


def read_recipe(path: Path, kinds: Collection[str]) -> dict[str, Any]:
    """The values of a recipe that trains one of `kinds`; raises ValueError that says what is wrong with the file."""
    values = read_toml(path, "recipe")
    found = f"trains is {values['trains']!r}" if "trains" in values else "found no trains"
    if values.get("trains") not in kinds:
        raise ValueError(f"{path}: {found}, expected {' or '.join(kinds)}")
    return values
