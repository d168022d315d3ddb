"""Boxes by the detectors (VESL of CLOC, arXiv 2410.02746): open ones are asked for a picture's phrases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from quantize.annotate.models.detector import Detector, load_detector
from quantize.annotate.record import DECIMALS, PseudoBox, Record
from quantize.annotate.settings import Settings
from quantize.annotate.stages.check import clipped


def build(settings: Settings) -> "Detect":
    """From the settings `detectors`, `min_scores` and `max_queries`."""
    detectors = [load_detector(spec, settings.device, settings.min_scores) for spec in settings.detectors]
    return Detect(detectors, settings.max_queries)


def queries(record: Record, most: int) -> list[str]:
    """The phrases to ask for: without generic words, each once, those first that most texts say."""
    counts: dict[str, int] = {}
    for phrases in record.phrases:
        for text in dict.fromkeys(p.text for p in phrases if not p.generic):
            counts[text] = counts.get(text, 0) + 1
    return sorted(counts, key=lambda text: -counts[text])[:most]


@dataclass
class Detect:
    """Boxes of all detectors take the place of those that the input came with."""

    detectors: list[Detector]
    max_queries: int

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Fills `pseudo_boxes`: by an open detector `phrase` is the query that found a box, by a closed one empty."""
        pictures = [record.picture() for record in records]
        asked = [queries(record, self.max_queries) for record in records]
        boxes: list[list[PseudoBox]] = [[] for _ in records]
        found = list(records)
        for detector in self.detectors:
            for i, detections in enumerate(detector(pictures, asked)):
                for d in detections:
                    rect = clipped([round(v, DECIMALS) for v in d.box])
                    if rect:
                        boxes[i].append(PseudoBox(rect, d.name, d.score, detector.name, phrase=d.name if detector.open else ""))
            found = [record.done("detect", detector.name, detector.version) for record in found]
        return [replace(record, pseudo_boxes=tuple(b)) for record, b in zip(found, boxes, strict=True)]
