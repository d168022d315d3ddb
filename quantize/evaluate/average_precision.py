"""COCO average precision of detections in memory, computed by pycocotools."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from quantize.evaluate.predictor import Detections
from quantize.geometry import Floats


@dataclass(frozen=True)
class AveragePrecision:
    """Means over the classes that occur in the ground truth; 0 to 1."""

    ap: float
    """Mean over IoU thresholds .50 to .95."""
    ap50: float
    """At IoU .50."""


def corners_to_xywh(box: Floats) -> list[float]:
    """COCO's box format: left, top, width, height."""
    x0, y0, x1, y1 = (float(v) for v in box)
    return [x0, y0, x1 - x0, y1 - y0]


def average_precision(
    truth: Sequence[tuple[Floats, Sequence[str]]],
    found: Sequence[Detections],
    names: Sequence[str],
) -> AveragePrecision:
    """Compares detections with labelled boxes, picture by picture.

    Args:
        truth: for each picture its boxes `[N, 4]` (source pixels) and their names.
        found: the detections in the same pictures; labels index `names`.
        names: the classes.
    """
    index = {name: i for i, name in enumerate(names)}
    annotations: list[dict[str, Any]] = [
        {"image_id": image, "category_id": index[name], "bbox": corners_to_xywh(box), "iscrowd": 0}
        for image, (boxes, labels) in enumerate(truth)
        for box, name in zip(boxes, labels, strict=True)
    ]
    for number, annotation in enumerate(annotations, start=1):  # pycocotools reads id 0 as "unmatched"
        annotation |= {"id": number, "area": annotation["bbox"][2] * annotation["bbox"][3]}
    results = [
        {
            "image_id": image,
            "category_id": int(label),
            "bbox": corners_to_xywh(box),
            "score": float(score),
        }
        for image, each in enumerate(found)
        for box, label, score in zip(each.boxes, each.labels, each.scores, strict=True)
    ]
    if not results or not annotations:
        return AveragePrecision(0.0, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its progress on stdout
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(len(truth))],
            "categories": [{"id": i, "name": name} for i, name in enumerate(names)],
            "annotations": annotations,
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50 = np.maximum(evaluation.stats[:2], 0.0)
    return AveragePrecision(float(ap), float(ap50))
