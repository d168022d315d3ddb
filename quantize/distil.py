"""Teaches the board's model what RegionClips see: `python -m quantize.distil RECIPE` with a table [distil], or with torchrun on
several GPUs.

Teachers' outputs come from the folder `distil.stored` (see `quantize.reinforce`), or from the teachers themselves in every step.
The result is `<out>/model.pt` as `quantize.train` gives it, and `<out>/maps.pt`, which lead into the teachers' spaces.
"""

import logging
from pathlib import Path

import torch

from quantize.command_line import board_recipe, errors_end_it, results_alone
from quantize.distillation.task import Distil
from quantize.settings.board import BoardRecipe
from quantize.training.checkpoint import BadCheckpoint, save_at_once
from quantize.training.distributed import processes, rank
from quantize.training.loop import run

log = logging.getLogger("quantize.distil")
MAPS = "maps."


def part_from_maps(path: Path) -> None:
    """The board needs no maps; a later distillation may."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    maps = {k: t for k, t in state["weights"].items() if k.startswith(MAPS)}
    save_at_once({k.removeprefix(MAPS): t for k, t in maps.items()}, path.with_name("maps.pt"))
    save_at_once(state | {"weights": {k: t for k, t in state["weights"].items() if k not in maps}}, path)


def distil(recipe: BoardRecipe) -> Path:
    """Runs the recipe to its end; returns the student's weights' path."""
    with processes(recipe.device):
        with errors_end_it(FileNotFoundError, ValueError):
            task = Distil(recipe)
        with errors_end_it(BadCheckpoint):
            path = run(task, recipe.loop_settings(), Path(recipe.out))
        if rank() == 0:
            part_from_maps(path)
    return path


def main() -> None:
    results_alone()
    log.info("weights: %s", distil(board_recipe(__doc__)))


if __name__ == "__main__":
    main()
