"""NanoDet-m through ncnn: the 80 classes of COCO on a CPU."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quantize.annotate.errors import AnnotateError
from quantize.annotate.models.detector import Detection
from quantize.annotate.record import Picture
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.nanodet import NanoDet

MOST = 100


@dataclass
class NanoDetector:
    """Scores under .3 are mostly noise."""

    net: NanoDet
    version: str
    min_score: float
    name: str = "nanodet_m"
    open: bool = False

    @classmethod
    def load(cls, where: str, device: str, min_score: float = 0.3) -> "NanoDetector":
        """`where` is the folder of nanodet_m.param and nanodet_m.bin; it always runs on the CPU."""
        folder = Path(where)
        try:
            net = NanoDet(folder)
        except FileNotFoundError as error:
            hint = "the folder models of github.com/nihui/ncnn-assets has it"
            raise AnnotateError(f"weights {error.filename} are missing, expected NanoDet-m in ncnn's format ({hint})") from None
        return cls(net, hashlib.sha256((folder / "nanodet_m.bin").read_bytes()).hexdigest()[:12], min_score)

    def __call__(self, pictures: Sequence[Picture], queries: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The boxes of each picture; queries are ignored."""
        found = []
        for picture in pictures:
            height, width = picture.shape[:2]
            (boxes,) = self.net.detect([picture], COCO_NAMES, self.min_score, MOST)
            rects = (boxes.boxes / [width, height, width, height]).tolist()
            found.append(
                [
                    Detection((x0, y0, x1, y1), COCO_NAMES[label], float(score))
                    for (x0, y0, x1, y1), label, score in zip(rects, boxes.labels, boxes.scores, strict=True)
                ]
            )
        return found
