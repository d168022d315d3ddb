"""What a recipe trains: from its file to the task, the loop's settings and the output folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from quantize.alignment.task import load_task
from quantize.board.task import Board
from quantize.settings.board import BoardRecipe, load_board_recipe
from quantize.settings.recipe import read_recipe
from quantize.settings.region_clip import RegionClipRecipe, load_region_clip_recipe
from quantize.training.task import Training


def board(recipe: BoardRecipe) -> Training:
    """The board's model."""

    def build(workers: int) -> Board:
        data = replace(recipe.data, workers=workers or recipe.data.workers)
        return Board(replace(recipe, data=data))

    return Training(build, recipe.loop_settings(), Path(recipe.out))


def clip(recipe: RegionClipRecipe) -> Training:
    """A RegionClip."""
    return Training(lambda workers: load_task(recipe, workers), recipe.loop_settings(), Path(recipe.out))


# each reads its own kind of recipe; raises ValueError if something is wrong with it
TASKS: dict[str, Callable[[Path, Sequence[str]], Training]] = {
    "board": lambda path, changes: board(load_board_recipe(path, changes)),
    "clip": lambda path, changes: clip(load_region_clip_recipe(path, changes)),
}


def training_of(path: Path, changes: Sequence[str] = ()) -> Training:
    """With `changes` such as `loop.steps=200`. Raises ValueError that says what is wrong with the recipe."""
    return TASKS[read_recipe(path, TASKS, changes)["trains"]](path, changes)
