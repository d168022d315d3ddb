"""Average precision, box accuracy, NMS and NanoDet's decoding on boxes made by hand."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image
from quantize.arithmetic.geometry import Floats, nms, pairwise_iou
from quantize.evaluate.average_precision import average_precision
from quantize.evaluate.boxes import box_accuracy
from quantize.evaluate.coco_detection import right_detections
from quantize.evaluate.coco_detector import decode
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections
from quantize.evaluate.samples import Sample

NAMES = ("cat", "dog")


def boxes(*rows: Sequence[float]) -> Floats:
    return np.array(rows, np.float32).reshape(-1, 4)


def found(rows: Sequence[Sequence[float]], labels: Sequence[int], scores: Sequence[float]) -> Detections:
    return Detections(boxes(*rows), np.array(labels, np.int64), np.array(scores, np.float32))


def test_perfect_detections_have_an_ap_of_one() -> None:
    truth = [(boxes((0, 0, 100, 100)), ["cat"]), (boxes((10, 10, 60, 60), (50, 50, 90, 90)), ["dog", "cat"])]
    answers = [
        found([(0, 0, 100, 100)], [0], [0.9]),
        found([(10, 10, 60, 60), (50, 50, 90, 90)], [1, 0], [0.8, 0.7]),
    ]
    result = average_precision(truth, answers, NAMES)
    assert result.ap == pytest.approx(1.0)
    assert result.ap50 == pytest.approx(1.0)


def test_the_first_labelled_box_can_be_found_too() -> None:
    """pycocotools reads a match with annotation id 0 as no match."""
    result = average_precision([(boxes((0, 0, 50, 50)), ["cat"])], [found([(0, 0, 50, 50)], [0], [0.5])], NAMES)
    assert result.ap50 == pytest.approx(1.0)


def test_loose_boxes_count_up_to_their_iou() -> None:
    """IoU .8 passes the thresholds .50, .55 … .80, which are 7 of 10."""
    result = average_precision([(boxes((0, 0, 100, 100)), ["cat"])], [found([(0, 0, 80, 100)], [0], [0.5])], NAMES)
    assert result.ap50 == pytest.approx(1.0)
    assert result.ap == pytest.approx(0.7)


def test_a_better_scored_false_box_halves_precision() -> None:
    truth = [(boxes((0, 0, 100, 100)), ["cat"])]
    answers = [found([(200, 200, 300, 300), (0, 0, 100, 100)], [0, 0], [0.9, 0.5])]
    assert average_precision(truth, answers, NAMES).ap50 == pytest.approx(0.5)


def test_classes_without_truth_do_not_count_and_missed_ones_do() -> None:
    truth = [(boxes((0, 0, 100, 100)), ["cat"])]
    right, wrong = found([(0, 0, 100, 100)], [0], [0.9]), found([(0, 0, 100, 100)], [1], [0.9])
    assert average_precision(truth, [right], NAMES).ap50 == pytest.approx(1.0)
    assert average_precision(truth, [wrong], NAMES).ap50 == 0.0
    assert average_precision(truth, [found([], [], [])], NAMES).ap50 == 0.0


def test_box_accuracy_weighs_classes_alike() -> None:
    truth, answers = np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0])
    result = box_accuracy(truth, answers)
    assert (result.top1, result.mean_class, result.count) == (0.75, 0.5, 4)
    assert box_accuracy(truth, np.array([-1, -1, -1, 1])).mean_class == 0.5


def test_iou_and_nms() -> None:
    rows = boxes((0, 0, 10, 10), (5, 0, 15, 10), (0, 0, 10, 10), (20, 20, 20, 30))
    assert pairwise_iou(rows, rows)[0].tolist() == pytest.approx([1, 1 / 3, 1, 0])
    assert nms(rows, np.array([0.5, 0.9, 0.5, 0.1], np.float32), 0.5).tolist() == [1, 0, 3]
    assert nms(rows, np.array([0.5, 0.9, 0.5, 0.1], np.float32), 0.3).tolist() == [1, 3]


def test_a_labelled_box_is_matched_once() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (100, 50)).save(picture, "JPEG")
    record = {"source": "coco", "boxes": [{"box": [0.0, 0.0, 0.5, 1.0], "name": "dog"}]}
    sample = Sample("a", record, {"jpg": picture.getvalue()})
    dog, cat = COCO_NAMES.index("dog"), COCO_NAMES.index("cat")
    rows = [(0, 0, 50, 50), (0, 0, 48, 50), (0, 0, 50, 50), (60, 0, 90, 50)]
    right = right_detections(found(rows, [dog, dog, cat, dog], [0.5, 0.6, 0.9, 0.95]), sample)
    assert right.tolist() == [False, True, False, False]


def test_a_detectors_cells_decode_to_boxes_around_their_centres() -> None:
    scores = np.zeros((4, 80), np.float32)
    bins = np.full((4, 4, 8), -50, np.float32)
    bins[:, 0, 0] = bins[:, 1, 1] = bins[:, 2, 2] = bins[:, 3, 3] = 50
    result = decode(scores, bins.reshape(4, 32), stride=32, side=64)
    assert result.tolist() == [[16, 0, 64, 64], [48, 0, 64, 64], [16, 16, 64, 64], [48, 16, 64, 64]]


def test_the_80_names_are_all_there() -> None:
    assert len(set(COCO_NAMES)) == 80
    assert (COCO_NAMES[0], COCO_NAMES[-1]) == ("person", "toothbrush")
