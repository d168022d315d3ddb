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
from quantize.recipe import Recipe, bad_input_ends_it, load_recipe, loop_settings, path_from_command_line, read_toml
from quantize.tables import BadInput
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


# each reads its own kind of recipe, and raises BadInput if it is not right
TASKS: dict[str, Callable[[Path], Training]] = {
    "board": lambda path: board(load_recipe(path)),
    "clip": lambda path: clip(load_alignment_recipe(path)),
}


def training_of(path: Path) -> Training:
    """Raises BadInput for a recipe that is not right."""
    kind = read_toml(path).get("trains", "board")
    if kind not in TASKS:
        raise BadInput(f"{path}: trains is {kind!r}, expected one of {', '.join(TASKS)}")
    return TASKS[kind](path)


def run_training(training: Training) -> Path:
    """Runs it to its end, on all processes; returns the trained weights' path."""
    with processes(training.settings.device):
        return run(training.build(0), training.settings, training.out)


def train(recipe: Recipe) -> Path:
    """Of the board's model."""
    return run_training(board(recipe))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = path_from_command_line(__doc__)
    with bad_input_ends_it():
        log.info("weights: %s", run_training(training_of(path)))


if __name__ == "__main__":
    main()
