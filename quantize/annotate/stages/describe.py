"""Captions of regions: the captioner sees the crop of a box (UMG-CLIP, arXiv 2401.06397)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quantize.annotate.models.captioner import Captioner, load_captioner
from quantize.annotate.record import Picture, PseudoBox, Record
from quantize.annotate.settings import Settings

MARGIN = 0.1
"""Of the box's sides, added on each side: a thing is recognised more easily with some of its surroundings."""


def build(settings: Settings) -> "Describe":
    """From the settings `captioner` and `region_captions`."""
    return Describe(load_captioner(settings.captioner, settings.device), settings.region_captions, settings.batch)


@dataclass
class Describe:
    """The `most` largest boxes of each picture; the captioner gets `batch` crops at once."""

    captioner: Captioner
    most: int
    batch: int

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Fills the boxes' `caption`."""
        wanted = [(n, i) for n, record in enumerate(records) for i in largest(record.pseudo_boxes, self.most)]
        crops = [crop(records[n].picture(), records[n].pseudo_boxes[i]) for n, i in wanted]
        said = [text for at in range(0, len(crops), self.batch) for text, _ in self.captioner(crops[at : at + self.batch])]
        boxes = [list(record.pseudo_boxes) for record in records]
        for (n, i), text in zip(wanted, said, strict=True):
            boxes[n][i] = replace(boxes[n][i], caption=text)
        model = self.captioner.name, self.captioner.version
        return [r.done("describe", *model, pseudo_boxes=tuple(b)) for r, b in zip(records, boxes, strict=True)]


def largest(boxes: Sequence[PseudoBox], most: int) -> list[int]:
    """Positions of the largest boxes, largest first."""

    def area(i: int) -> float:
        x0, y0, x1, y1 = boxes[i].box
        return (x1 - x0) * (y1 - y0)

    return sorted(range(len(boxes)), key=lambda i: -area(i))[:most]


def crop(picture: Picture, box: PseudoBox) -> Picture:
    """The box's pixels with the margin."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box.box
    dx, dy = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    left, right = max(0, int((x0 - dx) * width)), min(width, int((x1 + dx) * width) + 1)
    top, bottom = max(0, int((y0 - dy) * height)), min(height, int((y1 + dy) * height) + 1)
    return picture[top:bottom, left:right]
