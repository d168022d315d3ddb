"""How far teachers agree with each other and with people's labels, where two of them have a word for the same thing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quantize.arithmetic.geometry import pairwise_iou
from quantize.data.shards import Sample
from quantize.data.soft_labels import Arrays, unpacked
from quantize.data.words import lemma, synonyms

SURE_BOX = 0.4
FAINT_BOX = 0.2
OVERLAP = 0.5
VOC_TO_ADE = {
    "car": "car", "chair": "chair", "diningtable": "table", "person": "person", "pottedplant": "plant",
    "sofa": "sofa",
}  # fmt: skip
"""DeepLab's things that MOSAIC has a name for."""


@dataclass(frozen=True)
class Share:
    """`right` of `count` cases."""

    right: int
    count: int

    def __str__(self) -> str:
        return f"{100 * self.right / self.count:.1f} % of {self.count}" if self.count else "nothing to compare"


Told = Mapping[str, Arrays]
"""One picture's answers by teacher."""


def word(name: str) -> str:
    """A name as it is compared: lower case, singular."""
    *first, last = name.lower().replace("-", " ").split()
    return " ".join([*first, lemma(last)])


def boxes_alike(told: Told) -> tuple[int, int]:
    """PicoDet's sure boxes that NanoDet has, too, by the same name: how many of how many."""
    pico, nano = told["picodet"], told["nanodet"]
    sure, faint = pico["scores"] >= SURE_BOX, nano["scores"] >= FAINT_BOX
    if not sure.any():
        return 0, 0
    overlap = pairwise_iou(unpacked(pico["boxes"][sure]), unpacked(nano["boxes"][faint]))
    same = pico["labels"][sure][:, None] == nano["labels"][faint]
    return int(((overlap >= OVERLAP) & same).any(axis=1).sum()), int(sure.sum())


def labels_found(teacher: str, names: Sequence[str], among: int) -> Callable[[Sample, Told], tuple[int, int]]:
    """Whether the label that people gave a picture is among a classifier's best names, where it has that very word."""
    known = {word(name) for name in names}

    def of(sample: Sample, told: Told) -> tuple[int, int]:
        said = {word(part) for label in sample.labels[:1] for part in synonyms(label)} & known
        best = {word(names[i]) for i in told[teacher]["names"][0][:among]}
        return int(bool(said & best)), int(bool(said))

    return of


def boxes_named(names: Sequence[str], coco: Sequence[str], among: int) -> Callable[[Sample, Told], tuple[int, int]]:
    """Whether PicoDet's name of a sure box is among the labeler's best names of that region, where it has that very word."""
    known = {word(name) for name in names}

    def of(sample: Sample, told: Told) -> tuple[int, int]:
        pico, labeler = told["picodet"], told["labeler"]
        sure = np.flatnonzero([s >= SURE_BOX and word(coco[k]) in known for s, k in zip(*_pairs(pico), strict=True)])
        if not len(sure) or len(labeler["rects"]) < 2:
            return 0, 0
        overlap = pairwise_iou(unpacked(pico["boxes"][sure]), unpacked(labeler["rects"][1:]))
        right = count = 0
        for i, row in zip(sure, overlap, strict=True):
            if row.max() > OVERLAP:
                best = {word(names[k]) for k in labeler["names"][1 + int(row.argmax())][:among]}
                right, count = right + (word(coco[pico["labels"][i]]) in best), count + 1
        return right, count

    return of


def _pairs(boxes: Arrays) -> tuple[list[float], list[int]]:
    return boxes["scores"].tolist(), boxes["labels"].tolist()


def cells_alike(ade: Sequence[str], voc: Sequence[str]) -> Callable[[Sample, Told], tuple[int, int]]:
    """Cells that DeepLab gives to a thing that MOSAIC has a name for, and that MOSAIC gives to it, too."""
    pairs = [(voc.index(a), ade.index(b)) for a, b in VOC_TO_ADE.items() if a in voc and b in ade]

    def of(sample: Sample, told: Told) -> tuple[int, int]:
        mosaic, deeplab = told["mosaic"]["cells"][0], told["deeplab"]["cells"][0]
        right = sum(int(((deeplab == a) & (mosaic == b)).sum()) for a, b in pairs)
        return right, sum(int((deeplab == a).sum()) for a, _ in pairs)

    return of


def measured(question: Callable[[Sample, Told], tuple[int, int]], pictures: Sequence[tuple[Sample, Told]]) -> Share:
    """The sum over pictures."""
    found = [question(sample, told) for sample, told in pictures]
    return Share(sum(right for right, _ in found), sum(count for _, count in found))
