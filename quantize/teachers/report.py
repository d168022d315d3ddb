"""What the teachers said so far, for people: histograms of names, agreement, and a sheet of pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quantize.data.indexed import IndexedShards
from quantize.data.shards import Sample
from quantize.data.soft_labels import Answers, Arrays
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.progress import track
from quantize.settings.board import BoardRecipe
from quantize.teachers.agreement import (
    SURE_BOX,
    Share,
    Told,
    boxes_alike,
    boxes_named,
    cells_alike,
    labels_found,
    measured,
)
from quantize.teachers.masks import UNSURE
from quantize.teachers.sheet import sheet

COMMON = 30
SURE_NAME = 0.5
PICTURES = 3000
"""Pictures that agreement is measured on, evenly over all."""
SHEET = 48


def histogram(teacher: str, names: Sequence[str], pictures: Mapping[str, Arrays]) -> Counter[str]:
    """How often each name was said: sure boxes, best sure names of regions, or pictures with at least 1 % of the cells."""
    found: Counter[str] = Counter()
    for rows in pictures.values():
        if "labels" in rows:
            said = rows["labels"][rows["scores"] >= SURE_BOX]
        elif "cells" in rows:
            each, count = np.unique(rows["cells"], return_counts=True)
            said = each[(each > 0) & (each < UNSURE) & (count >= rows["cells"].size / 100)]
        else:
            said = rows["names"][rows["values"][:, 0] >= SURE_NAME, 0]
        found.update(names[i] for i in said.tolist())
    return found


def agreements(names: Mapping[str, Sequence[str]], pictures: Sequence[tuple[Sample, Told]]) -> dict[str, Share]:
    """What can be compared with the answers that there are."""
    found: dict[str, Share] = {}
    if {"picodet", "nanodet"} <= set(names):
        found["PicoDet's sure boxes that NanoDet has with the same name"] = measured(lambda _, told: boxes_alike(told), pictures)
    for teacher in ("labeler", "classifier"):
        if teacher in names:
            for among in (1, 5):
                title = f"people's labels among the {teacher}'s best {among}, where it has the word"
                found[title] = measured(labels_found(teacher, names[teacher], among), pictures)
    if {"picodet", "labeler"} <= set(names):
        for among in (1, 5):
            title = f"PicoDet's names of sure boxes among the labeler's best {among}, where it has the word"
            found[title] = measured(boxes_named(names["labeler"], COCO_NAMES, among), pictures)
    if {"mosaic", "deeplab"} <= set(names):
        title = "cells of DeepLab's things that MOSAIC gives to the same thing, where it has the word"
        found[title] = measured(cells_alike(names["mosaic"], names["deeplab"]), pictures)
    return found


def write_report(recipe: BoardRecipe) -> None:
    """Writes `report.md` and `sheet.png` into the folder of answers."""
    folder = Path(recipe.soft.folder)
    asked = [name for name in recipe.soft.teachers if (folder / name / "teacher.json").exists()]
    names = {name: Answers(folder, name).names() for name in asked}
    told = {name: dict(Answers(folder, name).pictures()) for name in asked}
    lines = ["# What the teachers say", ""]
    for name in asked:
        rows = sum(len(next(iter(each.values()))) for each in told[name].values())
        common = ", ".join(f"{word} {count}" for word, count in histogram(name, names[name], told[name]).most_common(COMMON))
        lines += [f"## {name}", "", f"{len(told[name])} pictures, {rows} rows. {common}", ""]
    samples = IndexedShards([Path(p) for p in recipe.data.shards], Path(recipe.data.cache))
    answered = [i for i, key in enumerate(samples.keys) if all(key.decode() in told[name] for name in asked)]
    chosen = answered[:: max(1, len(answered) // PICTURES)]
    shown = [samples[i] for i in track(chosen, "agreement")]
    pictures: list[tuple[Sample, Told]] = [(s, {name: told[name][s.key] for name in asked}) for s in shown]
    lines += ["## Agreement", "", f"On {len(pictures)} pictures that all have answered for.", ""]
    lines += [f"- {title}: {share}" for title, share in agreements(names, pictures).items()]
    (folder / "report.md").write_text("\n".join(lines) + "\n")
    if pictures:
        sheet(pictures[:: max(1, len(pictures) // SHEET)][:SHEET], names).save(folder / "sheet.png")
