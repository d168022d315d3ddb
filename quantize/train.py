"""Trains what the recipe's key `trains` says: `python -m quantize.train quantize/recipes/cpu.toml`, or on several GPUs
`torchrun --nproc-per-node 8 -m quantize.train RECIPE`.

Goes on from the newest of `<out>/checkpoints/` when there is one; the result is `<out>/model.pt` (an exponential average of the
weights).
"""

import logging
from collections.abc import Callable
from pathlib import Path

from quantize.board import Board
from quantize.recipe import Recipe, bad_input_ends_it, load_recipe, loop_settings, path_from_command_line, read_toml
from quantize.tables import BadInput
from quantize.training.distributed import processes
from quantize.training.loop import run

log = logging.getLogger(__name__)


def train(recipe: Recipe) -> Path:
    """Runs the board model's recipe to its end; returns the trained weights' path."""
    with processes(recipe.device):
        return run(Board(recipe), loop_settings(recipe), Path(recipe.out))


# each reads its own kind of recipe
TASKS: dict[str, Callable[[Path], Path]] = {"board": lambda path: train(load_recipe(path))}


def train_file(path: Path) -> Path:
    """Raises BadInput for a recipe that is not right."""
    kind = read_toml(path).get("trains", "board")
    if kind not in TASKS:
        raise BadInput(f"{path}: trains is {kind!r}, expected one of {', '.join(TASKS)}")
    return TASKS[kind](path)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    path = path_from_command_line(__doc__)
    with bad_input_ends_it():
        log.info("weights: %s", train_file(path))


if __name__ == "__main__":
    main()
