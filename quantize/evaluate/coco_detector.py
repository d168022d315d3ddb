"""Supervised detectors of the 80 COCO names through the ncnn library.

Both have a Generalized Focal Loss head (Li et al., 2020): at each cell 80 class scores and, for each side of the box, a
distribution over distance bins whose mean is the distance in strides.
"""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import ncnn
import numpy as np

from quantize.arithmetic.geometry import Floats, Integers, nms, pairwise_iou
from quantize.arithmetic.preprocess import letterbox
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections, Picture
from quantize.evaluate.samples import Sample

NMS_IOU = 0.6
MAX_CANDIDATES = 200
"""Cells of each class that enter its NMS; the picture keeps at most 100 boxes."""


def decode(scores: Floats, bins: Floats, stride: int, side: int) -> Floats:
    """Boxes `[cells, 4]` in input pixels of one stride's grid.

    Args:
        scores: `[cells, classes]`, rows of the grid first.
        bins: `[cells, 4·B]` logits, sides in the order left, top, right, bottom.
        stride: input pixels a cell.
        side: side of the square input in pixels; boxes are clipped to it.
    """
    logits = bins.reshape(len(scores), 4, -1)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    left, top, right, bottom = (weights @ np.arange(logits.shape[2], dtype=np.float32)).T * stride
    columns = -(-side // stride)
    cells = np.arange(len(scores))
    x, y = (cells % columns + 0.5) * stride, (cells // columns + 0.5) * stride
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    return np.asarray(np.clip(boxes, 0, side), np.float32)


class CocoDetector:
    """A detector of the 80 COCO names; a subclass says which. Pictures are letterboxed on grey."""

    FILES: ClassVar[str]
    """Name of the `.param` and `.bin` files in the folder of weights."""
    SIDE: ClassVar[int]
    INPUT: ClassVar[str]
    HEADS: ClassVar[Mapping[int, tuple[str, str]]]
    """Output blobs of each stride: class scores, distance bins."""
    PIXELS: ClassVar[int]
    """ncnn's order of the channels."""
    MEAN: ClassVar[tuple[float, float, float]]
    NORM: ClassVar[tuple[float, float, float]]

    def __init__(self, folder: Path) -> None:
        """Loads the two files from a folder; raises FileNotFoundError."""
        self.net = ncnn.Net()
        self.net.opt.use_vulkan_compute = False
        self.net.opt.num_threads = 1  # its spinning threads are slow when cores are shared
        param, weights = folder / f"{self.FILES}.param", folder / f"{self.FILES}.bin"
        for path in (param, weights):
            if not path.is_file():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self.net.load_param_mem(self.graph(param.read_text()))
        self.net.load_model(str(weights))

    def graph(self, param: str) -> str:
        """The network's layers, from the content of its `.param` file."""
        return param

    def cells(self, picture: Picture) -> tuple[Floats, Floats]:
        """Every cell's box `[N, 4]` in source pixels and its class scores `[N, 80]`."""
        centred, placed = letterbox(picture, self.SIDE)
        rgb = np.ascontiguousarray((centred.view(np.uint8) ^ 0x80).transpose(1, 2, 0))
        pixels = ncnn.Mat.from_pixels(rgb, self.PIXELS, self.SIDE, self.SIDE)
        pixels.substract_mean_normalize(self.MEAN, self.NORM)
        extractor = self.net.create_extractor()
        extractor.input(self.INPUT, pixels)
        boxes, scores = [], []
        for stride, (score_blob, bin_blob) in self.HEADS.items():
            level = np.array(extractor.extract(score_blob)[1])
            bins = np.array(extractor.extract(bin_blob)[1])
            boxes.append(decode(level, bins, stride, self.SIDE))
            scores.append(level)
        found = [placed.to_source(tuple(box)) for box in np.concatenate(boxes).tolist()]
        return np.array(found, np.float32), np.concatenate(scores)

    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        """Detects; `names` must be the COCO names, the only ones it knows."""
        if tuple(names) != COCO_NAMES:
            raise ValueError(f"{type(self).__name__} knows the 80 COCO names only")
        return (self._detect(picture, threshold, top) for picture in pictures)

    def _detect(self, picture: Picture, threshold: float, top: int | None) -> Detections:
        boxes, scores = self.cells(picture)
        kept = []
        for label in range(scores.shape[1]):
            candidates = np.argsort(-scores[:, label], kind="stable")[:MAX_CANDIDATES]
            candidates = candidates[scores[candidates, label] >= threshold]
            chosen = candidates[nms(boxes[candidates], scores[candidates, label], NMS_IOU)]
            kept += [(scores[i, label], i, label) for i in chosen]
        kept = sorted(kept, key=lambda each: -each[0])[:top]
        rows = np.array([i for _, i, _ in kept], np.int64)
        return Detections(
            boxes[rows],
            np.array([label for _, _, label in kept], np.int64),
            np.array([score for score, _, _ in kept], np.float32),
        )

    def box_names(self, samples: Sequence[Sample], threshold: float = 0.05) -> Integers:
        """The best class of the cell whose box overlaps each labelled box most, picture after picture.

        Cells whose best score is under `threshold` do not count; a box that none overlaps has no answer, -1.
        """
        answers: list[int] = []
        for sample in samples:
            boxes, scores = self.cells(sample.picture())
            sure = scores.max(axis=1) >= threshold
            iou = pairwise_iou(sample.boxes()[0], boxes[sure])
            if not sure.any():
                answers += [-1] * len(iou)
                continue
            best = scores[sure].argmax(axis=1)[iou.argmax(axis=1)]
            answers += np.where(iou.max(axis=1) > 0, best, -1).tolist()
        return np.array(answers, np.int64)
