"""Asks the teachers of a recipe's [distil] once: `python -m quantize.reinforce RECIPE`, or with torchrun on several GPUs.

Their outputs for every picture in every view go to the folder `distil.stored`, one file per shard (`distillation.store`). Shards
that are there already are skipped. `python -m quantize.distil RECIPE` reads them.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from quantize.board.supervision import load_supervision
from quantize.command_line import board_recipe, errors_end_it, results_alone
from quantize.data.indexed import IndexedShards
from quantize.data.workers import spare_cores
from quantize.distillation.canvases import View, collate, show
from quantize.distillation.store import check, describe, file_of, folder_of, identity, keep
from quantize.distillation.teacher import Teacher, TeacherOutputs, ask, load_teacher
from quantize.progress import track
from quantize.settings.board import BoardRecipe
from quantize.training.distributed import processes, rank, world

log = logging.getLogger("quantize.reinforce")


class Views(Dataset[list[View] | None]):
    """All views of each sample of one shard; None, and a warning, for one that cannot be read."""

    def __init__(self, recipe: BoardRecipe, samples: IndexedShards, shard: int, size: int) -> None:
        self.recipe, self.samples, self.size = recipe, samples, size
        self.first, self.end = (int(n) for n in samples.first[shard : shard + 2])

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, row: int) -> list[View] | None:
        r, i = self.recipe, self.first + row
        try:
            sample = self.samples[i]
        except Exception as error:  # Pillow alone raises half a dozen types for a broken file
            log.warning("sample %s skipped: %s: %s", self.samples.keys[i].decode(), type(error).__name__, error)
            return None
        return [show(sample, view, r.model.size, r.seed, r.distil, [self.size]) for view in range(r.distil.views)]


def split(taught: TeacherOutputs, counts: list[int]) -> list[TeacherOutputs]:
    """One for each view."""
    regions = torch.split(taught.region, counts)
    return [TeacherOutputs(taught.image[i : i + 1], region, taught.dense[i : i + 1]) for i, region in enumerate(regions)]


def ask_shard(
    recipe: BoardRecipe, teacher: Teacher, samples: IndexedShards, shard: int, what: str
) -> list[list[TeacherOutputs | None]]:
    """Its outputs for each sample in each view; None for one that cannot be read."""
    drawn = DataLoader(
        Views(recipe, samples, shard, teacher.size), batch_size=None, num_workers=recipe.data.workers or spare_cores(),
        multiprocessing_context="fork",
    )  # fmt: skip
    waiting: list[View] = []
    answers: list[TeacherOutputs] = []

    def answer() -> None:
        batch = collate(0, [], waiting, recipe.distil.grid)
        with torch.autocast(torch.device(recipe.device).type, torch.bfloat16, enabled=recipe.loop.precision == "bf16"):
            taught = ask(teacher, batch, recipe.distil.grid, recipe.device)
        taught = TeacherOutputs(taught.image.cpu(), taught.region.cpu(), taught.dense.cpu())
        answers.extend(split(taught, [len(view.boxes) for view in waiting]))
        waiting.clear()

    readable = []
    for views in track(drawn, what):
        readable.append(views is not None)
        waiting.extend(views or [])
        if len(waiting) >= recipe.data.feature_batch:
            answer()
    if waiting:
        answer()
    each = iter(answers)
    return [[next(each) if known else None for _ in range(recipe.distil.views)] for known in readable]


@dataclass
class Missing:
    """A teacher, its pictures, the folder for its outputs, and this process's part of the shards that are missing there."""

    teacher: Teacher
    samples: IndexedShards
    folder: Path
    missing: list[int]


def missing_outputs(recipe: BoardRecipe) -> list[Missing]:
    """Raises FileNotFoundError or ValueError that says what is missing or wrong."""
    d = recipe.distil
    if not d.stored or not d.teachers:
        raise ValueError("found no distil.stored or no distil.teachers, expected a folder, and paths of trained RegionClips")
    names = load_supervision(recipe).names
    samples = IndexedShards([Path(p) for p in recipe.data.shards], Path(recipe.data.cache))
    found = []
    for path in d.teachers:
        folder, values = folder_of(path, d), identity(path, recipe.model.size, recipe.seed, d, names)
        missing = [shard for shard in range(len(samples.paths)) if not file_of(folder, samples, shard).exists()]
        if not missing:
            check(folder, values)
            continue
        teacher = load_teacher(Path(path), names, recipe.device)
        if rank() == 0:
            describe(folder, values, teacher.scales, teacher.names)
        found.append(Missing(teacher, samples, folder, missing[rank() :: world()]))
    return found


def reinforce(recipe: BoardRecipe) -> None:
    """Fills `distil.stored`; each of several processes takes its part of the shards."""
    with errors_end_it(FileNotFoundError, ValueError):
        found = missing_outputs(recipe)
    for each in found:
        for shard in each.missing:
            target = file_of(each.folder, each.samples, shard)
            keep(target, ask_shard(recipe, each.teacher, each.samples, shard, f"{each.folder.name}: {target.stem}"))


def main() -> None:
    results_alone()
    recipe = board_recipe(__doc__)
    with processes(recipe.device):
        reinforce(recipe)


if __name__ == "__main__":
    main()
