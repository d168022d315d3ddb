"""The pictures that a recipe trains on, with what its teachers said of them: boxes, and masks where people drew none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.board.regions import DETECTORS, found_boxes
from quantize.data.shards import Box, Sample, Shards
from quantize.data.soft_labels import Answers, Arrays
from quantize.settings.board import BoardRecipe

VOC_WORDS = {
    "aeroplane": "airplane", "diningtable": "dining table", "motorbike": "motorcycle", "pottedplant": "potted plant",
    "sofa": "couch", "tvmonitor": "tv",
}  # fmt: skip
NOTHING = 0
"""The mask teachers' class of what they have no name for."""
UNSURE = 255
THING_AREA = 0.1
"""Of a picture with a label; a smaller box in it is not what the label names."""
THING_SCORE = 0.8
"""Of the box that a picture's label names: the label is people's, the box is not."""
SURE_NAME = 0.6
"""In a picture with a label, a detector's less certain names stand for what it has no name for."""
MASK_SCORE = 0.5
"""Of teachers' masks."""


class Taught:
    """Adds the answers of the recipe's teachers to samples."""

    def __init__(self, recipe: BoardRecipe) -> None:
        """Without `soft.folder` samples stay as they are."""
        self.most, self.boxes, self.masks = recipe.soft.boxes, dict[str, Told](), dict[str, Told]()
        if recipe.soft.folder:
            folder = Path(recipe.soft.folder)
            asked = {name: Told(Answers(folder, name)) for name in recipe.soft.teachers if (folder / name).exists()}
            self.boxes = {name: asked[name] for name in DETECTORS if name in asked}
            self.masks = {name: asked[name] for name in ("deeplab", "mosaic") if name in asked}

    def __call__(self, sample: Sample) -> Sample:
        """With the detectors' boxes in place of those that came with the picture, if they were asked about it."""
        found = {name: told.rows[sample.key] for name, told in self.boxes.items() if sample.key in told.rows}
        if found:
            names = next(iter(self.boxes.values())).names
            sample = replace(sample, boxes=named_by_label(sample, found_boxes(sample, found, names, self.most)))
        cells = {name: told.rows[sample.key]["cells"][0] for name, told in self.masks.items() if sample.key in told.rows}
        if sample.mask is None and cells:
            mask, mask_names = joined({name: (cells[name], self.masks[name].names) for name in cells})
            sample = replace(sample, mask=mask, mask_names=mask_names, mask_score=MASK_SCORE)
        return sample


class Told:
    """A teacher's answers by key, and what their indices mean."""

    def __init__(self, answers: Answers) -> None:
        self.names = answers.names()
        self.rows: dict[str, Arrays] = dict(answers.pictures())


def named_by_label(sample: Sample, boxes: list[Box]) -> list[Box]:
    """In a picture of one labelled thing, the largest found box is that thing, whatever the detector took it for; boxes with
    unsure names keep none.
    """
    if not sample.labels or not boxes or any(box.score == 1.0 for box in boxes):
        return boxes
    area = [(b.rect[2] - b.rect[0]) * (b.rect[3] - b.rect[1]) for b in boxes]
    kept = [box if box.score >= SURE_NAME else replace(box, name="") for box in boxes]
    thing = int(np.argmax(area))
    if area[thing] >= THING_AREA:
        kept[thing] = replace(boxes[thing], name=sample.labels[0], score=max(boxes[thing].score, THING_SCORE))
    return kept


def joined(told: Mapping[str, tuple[NDArray[np.uint8], Sequence[str]]]) -> tuple[NDArray[np.int64], list[str]]:
    """One mask of what `deeplab` knows, things, before what `mosaic` knows, surfaces; where the former is unsure, nothing."""
    names = ["void"]
    mask = np.zeros(next(iter(told.values()))[0].shape, np.int64)
    for teacher in ("mosaic", "deeplab"):
        if teacher not in told:
            continue
        cells, words = told[teacher]
        for value in np.unique(cells).tolist():
            if value == UNSURE:
                mask[cells == value] = 0
            elif value != NOTHING:
                name = VOC_WORDS.get(words[value], words[value])
                if name not in names:
                    names.append(name)
                mask[cells == value] = names.index(name)
    return mask, names


def left_out(recipe: BoardRecipe) -> frozenset[str]:
    """Keys of pictures that training must not see, so that they measure what it never saw."""
    if not recipe.data.leave_out:
        return frozenset()
    lines = Path(recipe.data.leave_out).read_text().splitlines()
    return frozenset(line.split("\t")[0] for line in lines if line and not line.startswith("#"))


def training_samples(recipe: BoardRecipe) -> tuple[list[Sample], list[int], int]:
    """All pictures of the recipe's shards in order, where each shard ends among them, and how many were skipped as broken."""
    taught, absent = Taught(recipe), left_out(recipe)
    samples: list[Sample] = []
    ends, bad = [], 0
    for path in recipe.data.shards:
        shard = Shards([Path(path)])
        samples += [taught(sample) for sample in shard if sample.key not in absent]
        ends.append(len(samples))
        bad += shard.bad
    return samples, ends, bad
