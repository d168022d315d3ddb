"""Asks one teacher after another about every picture that it has not answered for yet."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from quantize.board.regions import DETECTORS
from quantize.data.indexed import IndexedShards
from quantize.data.shards import Sample
from quantize.data.soft_labels import Answers, Arrays, Chunk
from quantize.evaluate.nanodet import NanoDet
from quantize.evaluate.picodet import PicoDet
from quantize.progress import track
from quantize.settings.board import BoardRecipe
from quantize.settings.soft import TEACHERS
from quantize.teachers.classifiers import Classifier, Labeler
from quantize.teachers.detectors import BoxTeacher
from quantize.teachers.masks import MaskTeacher
from quantize.teachers.teacher import Teacher
from quantize.teachers.tflite import version

log = logging.getLogger(__name__)


def load(name: str, recipe: BoardRecipe) -> Teacher:
    """The teacher by its name; raises FileNotFoundError when its weights are missing."""
    folder, soft = Path(recipe.model.teachers), recipe.soft

    def found(key: str) -> dict[str, Arrays]:
        return {detector: told[key] for detector in DETECTORS if key in (told := detected(Path(soft.folder), detector))}

    made: dict[str, Callable[[], Teacher]] = {
        "picodet": lambda: BoxTeacher(PicoDet(folder), version(folder / "picodet-s-416.bin")),
        "nanodet": lambda: BoxTeacher(NanoDet(folder), version(folder / "nanodet_m.bin")),
        "labeler": lambda: Labeler(folder, soft, found),
        "classifier": lambda: Classifier(folder, soft, found),
        "deeplab": lambda: MaskTeacher(
            folder / "deeplabv3_mnv2_pascal_quant.tflite", folder / "pascal_voc_segmentation_labels.txt"
        ),
        "mosaic": lambda: MaskTeacher(folder / "mosaic_ade20k31_r4_uint8.tflite", folder / "mosaic_ade20k31_names.txt"),
    }
    return made[name]()


@lru_cache(maxsize=len(DETECTORS))
def detected(folder: Path, detector: str) -> dict[str, Arrays]:
    """All answers of a detector, by key."""
    return dict(Answers(folder, detector).pictures())


@dataclass(frozen=True)
class Task:
    """A chunk of a shard: pictures `first` to `end` of all."""

    shard: str
    number: int
    first: int
    end: int


def tasks(samples: IndexedShards, recipe: BoardRecipe) -> list[Task]:
    """All chunks, those of `soft.shards` first."""
    found = []
    for path, first, end in zip(samples.paths, samples.first[:-1].tolist(), samples.first[1:].tolist(), strict=True):
        starts = range(first, end, recipe.soft.chunk)
        found += [Task(path.stem, n, at, min(at + recipe.soft.chunk, end)) for n, at in enumerate(starts)]
    order = {Path(name).stem: place for place, name in enumerate(recipe.soft.shards)}
    return sorted(found, key=lambda task: order.get(task.shard, len(order)))


def readable(samples: IndexedShards, task: Task) -> Iterator[Sample]:
    """The pictures of a chunk; a warning for one that cannot be read."""
    for i in range(task.first, task.end):
        try:
            yield samples[i]
        except Exception as error:  # Pillow alone raises half a dozen types for a broken file
            log.warning("sample %s skipped: %s: %s", samples.keys[i].decode(), type(error).__name__, error)


def ask(name: str, recipe: BoardRecipe, samples: IndexedShards) -> None:
    """Fills the folder of one teacher's answers. Raises FileNotFoundError or ValueError that says what is missing or wrong."""
    answers = Answers(Path(recipe.soft.folder), name)
    missing = [task for task in tasks(samples, recipe) if not answers.path(task.shard, task.number).exists()]
    if not missing:
        return
    teacher = load(name, recipe)
    answers.begin({"version": teacher.version, "chunk": recipe.soft.chunk, "names": teacher.names})
    for task in track(missing, f"{name} x{recipe.soft.chunk}"):
        pictures = list(readable(samples, task))
        if pictures:
            answers.keep(task.shard, task.number, Chunk.of([s.key for s in pictures], [teacher(s) for s in pictures]))


def ask_all(recipe: BoardRecipe) -> None:
    """The recipe's teachers in their order."""
    samples = IndexedShards([Path(p) for p in recipe.data.shards], Path(recipe.data.cache))
    for name in TEACHERS:
        if name in recipe.soft.teachers:
            ask(name, recipe, samples)
            detected.cache_clear()
    log.info("%s: %d pictures, %s", recipe.soft.folder, len(samples), ", ".join(recipe.soft.teachers))
