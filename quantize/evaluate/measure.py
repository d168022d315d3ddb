"""The metrics that a card and a manifest hold, by flat names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantize.evaluate.boxes import evaluate_boxes
from quantize.evaluate.coco_detection import evaluate_detection
from quantize.evaluate.grocery import Accuracy, evaluate_grocery
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.retrieval import evaluate_retrieval
from quantize.evaluate.samples import Sample, ShardError
from quantize.evaluate.segmentation import camvid_truth, evaluate_segmentation, panoptic_truth

Metrics = dict[str, float]
"""Shares from 0 to 1 by name; `table.py` says what each one is."""
QUICK_LIMIT = 12
"""Samples of each source in a quick run."""


@dataclass(frozen=True)
class ValidationSet:
    """The samples of each protocol."""

    coco: Sequence[Sample]
    grocery: Sequence[Sample]
    camvid: Sequence[Sample]
    flickr: Sequence[Sample]

    @classmethod
    def of(cls, by_source: Mapping[str, Sequence[Sample]], limit: int | None = None) -> "ValidationSet":
        """From samples by source; `limit` keeps only the first so many of each.

        Raises:
            ShardError: a source is missing.
        """
        sources = ("coco128_val2017", "grocery_test", "camvid_test", "flickr8k")
        for source in sources:
            if source not in by_source:
                found = ", ".join(by_source) or "nothing"
                raise ShardError(f"validation shard: found {found}, expected samples of {source}, too (--data)")
        return cls(*(by_source[source][:limit] for source in sources))


def measure(predictor: Predictor, data: ValidationSet) -> Metrics:
    """Runs every protocol."""
    detection = evaluate_detection(predictor, data.coco)
    boxes = evaluate_boxes(predictor, data.coco)
    grocery = evaluate_grocery(predictor, data.grocery)
    recall = evaluate_retrieval(predictor, data.flickr)
    panoptic = [sample for sample in data.coco if "panoptic.png" in sample.files]
    return {
        "coco_ap": detection.precision.ap,
        "coco_ap50": detection.precision.ap50,
        "coco_ece": detection.calibration_error,
        "gtbox_top1": boxes.top1,
        "gtbox_mean_class": boxes.mean_class,
        **_accuracy("grocery_coarse", grocery.coarse),
        **_accuracy("grocery_fine", grocery.fine),
        "grocery_ece": grocery.calibration_error,
        "camvid_miou": evaluate_segmentation(predictor, data.camvid, *camvid_truth(data.camvid)),
        "panoptic_miou": evaluate_segmentation(predictor, panoptic, *panoptic_truth(panoptic)),
        **{f"flickr_t2i_r{k}": value for k, value in recall.text_to_image.items()},
        **{f"flickr_i2t_r{k}": value for k, value in recall.image_to_text.items()},
    }


def _accuracy(name: str, value: Accuracy) -> Metrics:
    return {f"{name}_top1": value.top1, f"{name}_low": value.low, f"{name}_high": value.high}
