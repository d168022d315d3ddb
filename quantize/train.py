"""Trains what the recipe's key `trains` names: `python -m quantize.train quantize/recipes/cpu.toml`, or on several GPUs
`torchrun --nproc-per-node 8 -m quantize.train RECIPE`.

Resumes from the newest of `<out>/checkpoints/` if there is one; the result is `<out>/model.pt` (an exponential average of the
weights). Any key of the recipe may be given behind it: `loop.steps=200 out=runs/short`.
"""

import logging
from pathlib import Path

from quantize import tasks
from quantize.command_line import errors_end_it, recipe_path, results_alone
from quantize.settings.board import BoardRecipe
from quantize.training.checkpoint import BadCheckpoint
from quantize.training.distributed import processes
from quantize.training.loop import run

log = logging.getLogger("quantize.train")


def train(recipe: BoardRecipe) -> Path:
    """Runs the board model's recipe to its end; returns the trained weights' path."""
    training = tasks.board(recipe)
    with processes(recipe.device):
        return run(training.build(0), training.settings, training.out)


def main() -> None:
    results_alone()
    path, changes = recipe_path(__doc__)
    with errors_end_it(FileNotFoundError, ValueError):
        training = tasks.training_of(path, changes)
    with processes(training.settings.device):
        with errors_end_it(FileNotFoundError, ValueError):
            task = training.build(0)
        with errors_end_it(BadCheckpoint):
            log.info("weights: %s", run(task, training.settings, training.out))


if __name__ == "__main__":
    main()
