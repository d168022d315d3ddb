"""Trains what the recipe's key `trains` says: `python -m quantize.train quantize/recipes/cpu.toml`, or on several GPUs
`torchrun --nproc-per-node 8 -m quantize.train RECIPE`.

Goes on from the newest of `<out>/checkpoints/` when there is one; the result is `<out>/model.pt` (an exponential average of the
weights).
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from quantize.alignment.recipe import AlignmentRecipe, load_alignment_recipe
from quantize.alignment.task import load_task
from quantize.board import Board
from quantize.recipe import Recipe, errors_end_it, load_recipe, loop_settings, path_from_command_line
from quantize.settings import read_toml
from quantize.training.checkpoint import BadCheckpoint
from quantize.training.distributed import processes
from quantize.training.loop import run
from quantize.training.task import Training

log = logging.getLogger("quantize.train")


def board(recipe: Recipe) -> Training:
    """The board's model."""
    return Training(
        lambda workers: Board(replace(recipe, workers=workers or recipe.workers)), loop_settings(recipe), Path(recipe.out)
    )


def clip(recipe: AlignmentRecipe) -> Training:
    """A RegionClip."""
    return Training(lambda workers: load_task(recipe, workers), recipe.loop_settings(), Path(recipe.out))


# each reads its own kind of recipe, and raises ValueError if it is not right
TASKS: dict[str, Callable[[Path], Training]] = {
    "board": lambda path: board(load_recipe(path)),
    "clip": lambda path: clip(load_alignment_recipe(path)),
}


def training_of(path: Path) -> Training:
    """Raises ValueError for a recipe that is not right."""
    kind = read_toml(path, "recipe").get("trains", "board")
    if kind not in TASKS:
        raise ValueError(f"{path}: trains is {kind!r}, expected one of {', '.join(TASKS)}")
    return TASKS[kind](path)


def train(recipe: Recipe) -> Path:
    """Runs the board model's recipe to its end; returns the trained weights' path."""
    training = board(recipe)
    with processes(recipe.device):
        return run(training.build(0), training.settings, training.out)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = path_from_command_line(__doc__)
    with errors_end_it(FileNotFoundError, ValueError):
        training = training_of(path)
    with processes(training.settings.device):
        with errors_end_it(FileNotFoundError, ValueError):
            task = training.build(0)
        with errors_end_it(BadCheckpoint):
            log.info("weights: %s", run(task, training.settings, training.out))


if __name__ == "__main__":
    main()
