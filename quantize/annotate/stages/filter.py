"""Removes boxes that are too small, too large, too thin or duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quantize.annotate.record import PseudoBox, Record
from quantize.annotate.settings import Settings
from quantize.arithmetic.geometry import nms, pairwise_iou

SAME_PLACE = 0.8
"""IoU above which two boxes hold the same thing."""


def build(settings: Settings) -> "Filter":
    """From the settings on boxes."""
    return Filter(settings.min_area, settings.max_area, settings.max_aspect, settings.max_iou, settings.max_boxes)


@dataclass
class Filter:
    """Areas are shares of the picture's, aspect is the longer side over the shorter in pixels, `max_iou` holds within a name."""

    min_area: float
    max_area: float
    max_aspect: float
    max_iou: float
    max_boxes: int

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Keeps the rest, best score first."""
        return [self._one(record) if record.pseudo_boxes else record for record in records]

    def _one(self, record: Record) -> Record:
        height, width = record.picture().shape[:2]
        kept: list[PseudoBox] = []
        removed: list[str] = []
        for box in record.pseudo_boxes:
            reason = self._reason(box, width / height)
            if reason:
                removed.append(f"pseudo_boxes: {reason}")
            else:
                kept.append(box)
        unique = self._unique(kept)
        removed += ["pseudo_boxes: duplicate"] * (len(kept) - len(unique))
        certain = one_name(unique)
        removed += ["pseudo_boxes: has another name, too"] * (len(unique) - len(certain))
        unique = certain
        removed += ["pseudo_boxes: too many"] * max(0, len(unique) - self.max_boxes)
        return replace(record, pseudo_boxes=tuple(unique[: self.max_boxes]), removed=(*record.removed, *removed))

    def _reason(self, box: PseudoBox, aspect: float) -> str:
        x0, y0, x1, y1 = box.box
        wide, high = (x1 - x0) * aspect, y1 - y0
        area = (x1 - x0) * (y1 - y0)
        if area < self.min_area:
            return "tiny"
        if area > self.max_area:
            return "huge"
        return "thin" if max(wide, high) > self.max_aspect * min(wide, high) else ""

    def _unique(self, boxes: list[PseudoBox]) -> list[PseudoBox]:
        kept: list[PseudoBox] = []
        for name in dict.fromkeys(box.name for box in boxes):
            named = [box for box in boxes if box.name == name]
            rects = np.array([box.box for box in named], np.float32)
            scores = np.array([box.score for box in named], np.float32)
            kept += [named[i] for i in nms(rects, scores, self.max_iou)]
        return sorted(kept, key=lambda box: -box.score)


def one_name(boxes: list[PseudoBox]) -> list[PseudoBox]:
    """Without boxes that no text mentions and whose place another box names better: one with a phrase, or of a better score."""
    kept: list[PseudoBox] = []
    for box in sorted(boxes, key=lambda box: (not box.phrase, -box.score)):
        places = np.array([other.box for other in kept], np.float32).reshape(-1, 4)
        overlap = pairwise_iou(np.array([box.box], np.float32), places).max(initial=0.0)
        if box.phrase or overlap <= SAME_PLACE:
            kept.append(box)
    return sorted(kept, key=lambda box: -box.score)
