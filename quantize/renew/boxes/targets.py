"""What is known of the boxes that a bundle proposes: a detector's scores, people's boxes, the label of a single thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantize.arithmetic.geometry import Floats, area, intersections, pairwise_iou
from quantize.board.regions import DETECTORS, LEAST_SIDE
from quantize.board.split import is_held_out
from quantize.data.soft_labels import Answers, unpacked
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.renew.boxes.candidates import Candidates
from quantize.renew.supervision import label_of
from quantize.settings.board import BoardRecipe

RAMP = (0.4, 0.6)
"""A box counts as one of a detector's in full from the second IoU on, not at all up to the first."""
SAME_BOX = 0.6
"""IoU from which on a box is called what the known one is called."""
SURE = 0.3
"""Score from which on a detector's name is one among all names."""
MOST_GIVEN = 8
"""A picture's known boxes that are learned beside the proposed ones."""
LEAST_THING = 0.05
"""Of a picture's area: a box that may be the single thing that its label names."""
PART = 0.7
"""Share of a box inside the thing from which on it may be called so."""
NO_NAME = -1


@dataclass(frozen=True)
class Boxed:
    """The known boxes of a picture."""

    rects: Floats
    """`[K, 4]`, fractions"""
    names: list[str]
    scores: Floats
    """`[K]`, 1 for people's."""


def known_boxes(recipe: BoardRecipe, records: Mapping[str, Mapping[str, Any]]) -> dict[str, Boxed]:
    """People's boxes, and a detector's where people drew none."""
    found: dict[str, Boxed] = {}
    folder = Path(recipe.soft.folder)
    if recipe.soft.folder and (folder / DETECTORS[0]).exists():
        answers = Answers(folder, DETECTORS[0])
        names = answers.names()
        for key, told in answers.pictures():
            scores = told["scores"].astype(np.float32)
            found[key] = Boxed(unpacked(told["boxes"]), [names[i] for i in told["labels"].tolist()], scores)
    for key, record in records.items():
        if boxes := record.get("boxes"):
            rects = np.array([box["box"] for box in boxes], np.float32).clip(0, 1)
            found[key] = Boxed(rects, [str(box["name"]) for box in boxes], np.ones(len(boxes), np.float32))
    return found


def given_boxes(known: Mapping[str, Boxed]) -> dict[str, Floats]:
    """Those that are sure and large enough to be seen, at most `MOST_GIVEN` a picture."""
    found = {}
    for key, boxed in known.items():
        large = (boxed.rects[:, 2:] - boxed.rects[:, :2]).min(axis=1, initial=1) >= LEAST_SIDE
        found[key] = boxed.rects[np.flatnonzero(large & (boxed.scores >= SURE))[:MOST_GIVEN]]
    return found


@dataclass(frozen=True)
class Targets:
    """Of N boxes in P pictures; names are positions among K."""

    name: Tensor
    """`[N]`, `NO_NAME` where none is known."""
    weight: Tensor
    """`[N]`, of the name."""
    detector: Tensor
    """`[N, 80]`, f16: how far a box is one of each of COCO's names."""
    label: Tensor
    """`[P]`, the name of the single thing."""
    unsure: Tensor
    """`[N]`: boxes that may be part of their picture's single thing, or hold it."""
    judged: Tensor
    """`[P]`: whether a detector or people have looked for COCO's names."""
    drawn: Tensor
    """`[P]`: how often a picture is drawn; 0 if it is set aside or nothing is known of it."""


def targets(
    recipe: BoardRecipe,
    seen: Candidates,
    known: Mapping[str, Boxed],
    records: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
) -> Targets:
    """From what is `known` of boxes, and the pictures' records."""
    at = {name: i for i, name in enumerate(names)}
    rows, pictures = len(seen.boxes), len(seen.keys)
    name, weight = np.full(rows, NO_NAME), np.ones(rows, np.float32)
    detector = np.zeros((rows, len(COCO_NAMES)), np.float16)
    label, unsure = np.full(pictures, NO_NAME), np.zeros(rows, bool)
    judged, drawn = np.zeros(pictures, bool), np.zeros(pictures, np.float32)
    ends = np.cumsum(seen.counts)
    for p, (key, start, end) in enumerate(zip(seen.keys.tolist(), ends - seen.counts, ends, strict=True)):
        record, here = records[key], slice(start, end)
        boxes = seen.boxes[here]
        said = [label_of(str(record[k])) for k in ("label",) if k in record]
        if said and said[0] in at and not record.get("boxes"):
            thing = single_thing(boxes, seen.objectness[here])
            if thing is not None:
                label[p] = name[start + thing] = at[said[0]]
                inside = intersections(boxes, boxes[[thing]])[:, 0]
                unsure[here] = inside >= PART * np.minimum(area(boxes), area(boxes[[thing]]))
                unsure[start + thing] = False
        elif key in known:
            boxed = known[key]
            judged[p] = set(boxed.names) <= set(COCO_NAMES)
            name[here], weight[here], detector[here] = told(boxes, boxed, at)
        if label[p] >= 0 or judged[p] or (name[here] >= 0).any():
            source = str(record.get("source", ""))
            held = is_held_out(key, source, recipe.data)
            drawn[p] = 0.0 if held else recipe.data.source_weights.get(source, 1.0)
    arrays: list[NDArray[Any]] = [name, weight, detector, label, unsure, judged, drawn]
    return Targets(*(torch.from_numpy(array) for array in arrays))


def told(boxes: Floats, boxed: Boxed, at: Mapping[str, int]) -> tuple[NDArray[np.int64], Floats, NDArray[np.float16]]:
    """Name, its weight and the share of each of COCO's names, for boxes `[N, 4]`."""
    scores = np.zeros((len(boxes), len(COCO_NAMES)), np.float32)
    name, weight = np.full(len(boxes), NO_NAME), np.ones(len(boxes), np.float32)
    if not len(boxed.rects):
        return name, weight, scores.astype(np.float16)
    overlap = pairwise_iou(boxes, boxed.rects)
    share = np.clip((overlap - RAMP[0]) / (RAMP[1] - RAMP[0]), 0, 1) * boxed.scores
    for column, each in enumerate(boxed.names):
        if each in COCO_NAMES:
            own = COCO_NAMES.index(each)
            scores[:, own] = np.maximum(scores[:, own], share[:, column])
    fits = np.where((overlap >= SAME_BOX) & (boxed.scores >= SURE), overlap * boxed.scores, 0)
    best = fits.argmax(axis=1)
    for row in np.flatnonzero(fits.max(axis=1) > 0):
        name[row], weight[row] = at.get(boxed.names[best[row]], NO_NAME), boxed.scores[best[row]]
    return name, weight, scores.astype(np.float16)


def single_thing(boxes: Floats, objectness: Floats) -> int | None:
    """Which of the proposed boxes is the single thing of a picture: large, in the middle, and like an object; None if none is.

    As `vocab add` chooses (src/cli/vocab), whose constants were found on such pictures.
    """
    areas = area(boxes)
    usable = np.flatnonzero((areas >= LEAST_THING) & ~np.isnan(objectness))
    if not len(usable):
        return None
    centre = (boxes[usable, :2] + boxes[usable, 2:]) / 2
    away = ((centre - 0.5) ** 2).sum(axis=1)
    worth = areas[usable] ** 0.6 * np.exp(-4 * away) / (1 + np.exp(-objectness[usable]))
    worth *= np.where(areas[usable] > 0.9, 0.4, 1.0)
    return int(usable[worth.argmax()])
