"""Boxes of the 80 COCO names, from the picture and its mirror image."""

from collections.abc import Iterable

import numpy as np

from quantize.arithmetic.geometry import nms, pairwise_iou
from quantize.data.shards import Sample
from quantize.data.soft_labels import Arrays, packed
from quantize.evaluate.coco_detector import NMS_IOU, CocoDetector
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections, Picture

LEAST_SCORE = 0.05
MOST = 60


def mirrored(found: Detections, width: int) -> Detections:
    """The same boxes in the mirror image."""
    boxes = found.boxes.copy()
    boxes[:, [0, 2]] = width - found.boxes[:, [2, 0]]
    return Detections(boxes, found.labels, found.scores)


def agreed(first: Detections, second: Detections) -> Detections:
    """Boxes of two views, best first: the score is the mean of both views', the box their mean by score."""
    rows = []
    for label in np.union1d(first.labels, second.labels):
        mine, theirs = first.labels == label, second.labels == label
        boxes = np.concatenate([first.boxes[mine], second.boxes[theirs]])
        scores = np.concatenate([first.scores[mine], second.scores[theirs]])
        view = np.repeat([0, 1], [mine.sum(), theirs.sum()])
        kept = nms(boxes, scores, NMS_IOU)
        overlap = pairwise_iou(boxes[kept], boxes)
        for best, near in zip(kept.tolist(), overlap, strict=True):
            partners = np.flatnonzero((view != view[best]) & (near > NMS_IOU))
            if len(partners):
                other = partners[scores[partners].argmax()]
                weights = scores[[best, other]]
                rows.append((*(weights @ boxes[[best, other]] / weights.sum()), label, weights.mean()))
            else:
                rows.append((*boxes[best], label, scores[best] / 2))
    table = np.array(sorted(rows, key=lambda row: -row[-1]), np.float64).reshape(-1, 6)
    return Detections(table[:, :4].astype(np.float32), table[:, 4].astype(np.int64), table[:, 5].astype(np.float32))


class BoxTeacher:
    """Rows: `boxes`, `labels` (COCO's order), `scores`."""

    def __init__(self, net: CocoDetector, weights: str) -> None:
        self.names = list(COCO_NAMES)
        self.net, self.version = net, f"{weights} least {LEAST_SCORE} most {MOST} mirrored"

    def _detect(self, pictures: Iterable[Picture]) -> list[Detections]:
        return list(self.net.detect(pictures, COCO_NAMES, LEAST_SCORE, None))

    def __call__(self, sample: Sample) -> Arrays:
        height, width = sample.picture.shape[:2]
        plain, mirror = self._detect([sample.picture, np.ascontiguousarray(sample.picture[:, ::-1])])
        found = agreed(plain, mirrored(mirror, width))
        keep = np.flatnonzero(found.scores >= LEAST_SCORE)[:MOST]
        return {
            "boxes": packed(found.boxes[keep] / [width, height, width, height]),
            "labels": found.labels[keep].astype(np.uint8),
            "scores": found.scores[keep].astype(np.float16),
        }
