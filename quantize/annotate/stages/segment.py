"""Masks by the segmenter: of the boxes (SAM) or of the whole picture (Mask2Former, DeepLab)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantize.annotate.models.segmenter import Segment, Segmenter, load_segmenter
from quantize.annotate.record import NO_MASK, PSEUDO_MASK, PseudoMask, Record
from quantize.annotate.settings import Settings

MOST = 65535


def build(settings: Settings) -> "Masks":
    """From the setting `segmenter`."""
    return Masks(load_segmenter(settings.segmenter, settings.device))


@dataclass
class Masks:
    """One index per segment; where several claim a pixel, the one of the best score has it."""

    segmenter: Segmenter

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Fills `pseudo_mask`."""
        pictures = [record.picture() for record in records]
        found = self.segmenter(pictures, [list(record.pseudo_boxes) for record in records])
        return [
            record.done(
                "segment", self.segmenter.name, self.segmenter.version,
                pseudo_mask=flatten(segments, picture.shape[:2]),
                companions={e: data for e, data in record.companions.items() if e != PSEUDO_MASK},
                given={k: value for k, value in record.given.items() if not k.startswith("pseudo_mask_")},
            )
            for record, picture, segments in zip(records, pictures, found, strict=True)
        ]  # fmt: skip


def flatten(segments: Sequence[Segment], shape: tuple[int, ...]) -> PseudoMask | None:
    """Segments painted over one another, worst score first; those of which nothing stays visible get no index."""
    order = sorted(segments, key=lambda s: s.score)[-MOST:]
    painted = np.zeros(shape, np.int64)
    for i, segment in enumerate(order, 1):
        painted[segment.mask] = i
    shown = [int(i) for i in np.unique(painted) if i > 0]
    if not shown:
        return None
    index = np.zeros(len(order) + 1, np.uint16)
    index[shown] = np.arange(1, len(shown) + 1)
    names = (NO_MASK, *(order[i - 1].name for i in shown))
    return PseudoMask(index[painted], names, (0.0, *(order[i - 1].score for i in shown)))
