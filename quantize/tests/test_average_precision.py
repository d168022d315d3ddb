"""Average precision against pycocotools and lvis, and its resampling."""

import contextlib
import io

import lvis
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from quantize.arithmetic.geometry import Floats
from quantize.evaluate.average_precision import LabelledBoxes, match, mean_precision, precisions, xywh
from quantize.evaluate.predictor import Detections
from quantize.evaluate.protocols.detection import TopDetections

CLASSES = 5
Case = tuple[list[LabelledBoxes], list[Detections]]


def boxes(rng: np.random.Generator, count: int) -> Floats:
    low = rng.uniform(0, 60, (count, 2))
    return np.concatenate([low, low + rng.uniform(5, 40, (count, 2))], axis=1).astype(np.float32)


def case(seed: int, pictures: int = 12, crowds: bool = False, federated: bool = False) -> Case:
    """Labelled boxes, and detections that are near them, twice there, wrong or missing; many scores are equal."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(pictures):
        count = int(rng.integers(0, 6))
        known, labels = boxes(rng, count), rng.integers(0, CLASSES - 1, count)
        near = np.repeat(known, 2, axis=0) + rng.normal(0, 2.5, (2 * count, 4)).astype(np.float32)
        at = np.concatenate([near, boxes(rng, 4)])
        names = np.concatenate([np.repeat(labels, 2), rng.integers(0, CLASSES, 4)])
        kept = rng.random(len(at)) < 0.8
        at[:, 2:] = np.maximum(at[:, 2:], at[:, :2] + 1)
        scores = (rng.integers(1, 30, len(at)) / 32).astype(np.float32)
        found.append(Detections(at[kept], names[kept], scores[kept]))
        judged = frozenset(labels.tolist()) | frozenset(rng.integers(0, CLASSES, 1).tolist()) if federated else None
        incomplete = frozenset(labels[:1].tolist()) if federated else frozenset()
        crowd = (rng.random(count) < 0.3) & crowds
        truth.append(LabelledBoxes(known, labels, crowd, judged, incomplete))
    return truth, found


def coco_format(truth: list[LabelledBoxes], found: list[Detections]) -> tuple[dict[str, object], list[dict[str, object]]]:
    annotations: list[dict[str, object]] = []
    for image, each in enumerate(truth):
        for box, label, crowd in zip(xywh(each.boxes).tolist(), each.labels.tolist(), each.crowd.tolist(), strict=True):
            known = {"image_id": image, "category_id": label + 1, "bbox": box, "iscrowd": int(crowd), "area": box[2] * box[3]}
            annotations.append(known | {"id": len(annotations) + 1, "segmentation": []})
    images = [
        {
            "id": i,
            "neg_category_ids": [label + 1 for label in each.judged or ()],
            "not_exhaustive_category_ids": [label + 1 for label in each.incomplete],
        }
        for i, each in enumerate(truth)
    ]
    categories = [{"id": i + 1, "name": str(i), "frequency": "rcf"[i % 3]} for i in range(CLASSES)]
    results: list[dict[str, object]] = [
        {"image_id": image, "category_id": label + 1, "bbox": box, "score": score}
        for image, each in enumerate(found)
        for box, label, score in zip(xywh(each.boxes).tolist(), each.labels.tolist(), each.scores.tolist(), strict=True)
    ]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}, results


def table(truth: list[LabelledBoxes], found: list[Detections], most: int | None = 100) -> NDArray[np.float64]:
    return precisions(truth, found, CLASSES, most).table(np.ones(len(truth)))


@pytest.mark.parametrize("seed", range(6))
def test_coco_agrees_with_pycocotools(seed: int) -> None:
    truth, found = case(seed, crowds=seed % 2 == 1)
    content, results = coco_format(truth, found)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = content
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ours = mean_precision(table(truth, found))
    assert 0.2 < ours.ap50 < 1
    assert ours.ap == pytest.approx(evaluation.stats[0], abs=1e-9)
    assert ours.ap50 == pytest.approx(evaluation.stats[1], abs=1e-9)
    by_class = evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=1).T
    assert np.nan_to_num(table(truth, found), nan=-1.0) == pytest.approx(by_class, abs=1e-9)


@pytest.mark.parametrize("sizes", [(0.0, 400.0), (400.0, 1e10)])
@pytest.mark.parametrize("seed", range(4))
def test_sizes_agree_with_pycocotools(seed: int, sizes: tuple[float, float]) -> None:
    truth, found = case(seed, crowds=seed % 2 == 1)
    content, results = coco_format(truth, found)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = content
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.params.areaRng = [list(sizes)]
        evaluation.params.areaRngLbl = ["chosen"]
        evaluation.evaluate()
        evaluation.accumulate()
    ours = precisions(truth, found, CLASSES, sizes=sizes).table(np.ones(len(truth)))
    theirs = evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=1).T
    assert (theirs > 0).any()
    assert np.nan_to_num(ours, nan=-1.0) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning")
@pytest.mark.parametrize("seed", range(6))
def test_lvis_agrees_with_its_package(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "float", float, raising=False)  # the package asks for a name that numpy has given up
    truth, found = case(seed, federated=True)
    content, results = coco_format(truth, found)
    known = lvis.LVIS.__new__(lvis.LVIS)
    known.logger, known.dataset = lvis.lvis.logging.getLogger("lvis"), content
    known._create_index()
    evaluation = lvis.LVISEval(known, lvis.LVISResults(known, results, max_dets=-1), "bbox")
    evaluation.run()
    ours = table(truth, found, None)
    assert mean_precision(ours).ap == pytest.approx(evaluation.results["AP"], abs=1e-9)
    assert mean_precision(ours).ap50 == pytest.approx(evaluation.results["AP50"], abs=1e-9)
    assert 0.2 < mean_precision(ours).ap50 < 1
    for group, key in enumerate(("APr", "APc", "APf")):
        expected = evaluation.results[key]
        assert mean_precision(ours[group::3]).ap == pytest.approx(max(expected, 0.0), abs=1e-9)


def test_a_weight_is_as_many_copies_of_a_picture() -> None:
    truth, found = case(3, crowds=True)
    weights = np.random.default_rng(0).integers(0, 3, len(truth))
    copies = np.repeat(np.arange(len(truth)), weights)
    # Among equal scores the order of copies would matter.
    jitter = np.random.default_rng(1)
    distinct = [Detections(each.boxes, each.labels, jitter.random(len(each.labels)).astype(np.float32)) for each in found]
    weighted = precisions(truth, distinct, CLASSES).table(weights.astype(np.float64))
    copied = table([truth[i] for i in copies], [distinct[i] for i in copies])
    assert (np.isnan(weighted) == np.isnan(copied)).all()
    assert np.nan_to_num(weighted) == pytest.approx(np.nan_to_num(copied), abs=1e-9)


def test_a_detection_takes_the_best_free_box_and_crowds_take_all() -> None:
    known = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 90, 90]], np.float32)
    crowd = np.array([False, False, True])
    found = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [52, 52, 60, 60], [55, 55, 70, 70]], np.float32)
    hits, ignored = match(found, known, crowd)
    assert hits.sum(axis=1).tolist() == [10, 9, 0, 0, 0]
    assert ignored.sum(axis=1).tolist() == [0, 0, 0, 10, 10]


def test_the_best_of_a_class_are_kept_over_all_pictures() -> None:
    rng = np.random.default_rng(1)
    best = TopDetections(classes=2, most=3)
    scores = rng.permutation(40).astype(np.float32) / 40
    for picture in range(10):
        chosen = scores[4 * picture : 4 * picture + 4]
        best.add(
            picture, Detections(np.full((4, 4), picture, np.float32), np.array([0, 1, 0, 0]), np.asarray(chosen, np.float32))
        )
    kept = list(best.by_picture(11))
    assert len(kept) == 11
    assert len(kept[10].scores) == 0
    for label, rows in ((0, [0, 2, 3]), (1, [1])):
        everywhere = np.sort(scores.reshape(10, 4)[:, rows].ravel())[::-1][:3]
        assert sorted(np.concatenate([each.scores[each.labels == label] for each in kept]), reverse=True) == everywhere.tolist()
    for picture, each in enumerate(kept):
        assert (each.boxes == picture).all()
