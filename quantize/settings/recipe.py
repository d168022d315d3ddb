"""What every recipe of a training has, whatever it trains."""

import glob
from collections.abc import Collection, Sequence
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


def read_recipe(path: Path, kinds: Collection[str], changes: Sequence[str] = ()) -> dict[str, Any]:
    """The values of a recipe that trains one of `kinds`, with `changes` such as `loop.steps=200`.

    Raises:
        ValueError: that says what is wrong with the file or a change.
    """
    values = read_toml(path, "recipe", changes)
    found = f"trains is {values['trains']!r}" if "trains" in values else "found no trains"
    if values.get("trains") not in kinds:
        raise ValueError(f"{path}: {found}, expected {' or '.join(kinds)}")
    return values


def all_shards(named: Sequence[str], path: Path) -> list[str]:
    """The shards that a recipe names: files, folders of shards, and patterns such as `runs/annotated/*.tar`.

    A missing file is an error where it is read; a folder or pattern without shards is one here.

    Raises:
        ValueError: that names the recipe's file `path`.
    """
    found: list[str] = []
    for name in named:
        if Path(name).is_dir():
            here = sorted(str(p) for p in Path(name).glob("*.tar"))
            what = "a folder without shards, expected some *.tar in it (quantize.annotate makes them of pictures)"
        elif glob.has_magic(name):
            here, what = sorted(glob.glob(name, recursive=True)), "a pattern that fits no file, expected one of shards (.tar)"
        else:
            here, what = [name], ""
        if not here:
            raise ValueError(f"{path}: data.shards: {name} is {what}")
        found += here
    return list(dict.fromkeys(found))
