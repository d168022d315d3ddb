"""Protocols on tiny sets of plain colours, with numbers worked out by hand or by the reference implementations."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quantize.evaluate.datasets import ade20k, captions, coco, coco_panoptic, imagenet, lvis, ovad, voc
from quantize.evaluate.datasets.files import DatasetError, Problems
from quantize.evaluate.datasets.kinds import CaptionItem, CaptionSet, Segment
from quantize.evaluate.predictor import DenseEmbeddings, Masks
from quantize.evaluate.protocols import attributes, classification, detection, given_boxes, panoptic, retrieval, segmentation
from quantize.evaluate.protocols.label_maps import label, windows
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.statistics import bootstrap, share, wilson_interval
from quantize.tests.public_sets import (
    CATEGORIES,
    COLOURS,
    ColourPredictor,
    colour_ids,
    detections,
    instance,
    paint,
    save,
    save_palette,
    write,
    write_coco,
)
from sklearn.metrics import average_precision_score
from torchmetrics.detection import PanopticQuality

QUICK = Settings(replicates=20)


def values(outcome: Outcome) -> dict[str, Any]:
    for estimate in outcome.metrics.values():
        assert np.isnan(estimate.value) or estimate.low - 1e-12 <= estimate.value <= estimate.high + 1e-12
    return {name: pytest.approx(estimate.value, abs=1e-6, nan_ok=True) for name, estimate in outcome.metrics.items()}


def boxed(tmp_path: Path) -> Path:
    """Three pictures: red and green; blue that looks red to one box, in a crowd; one that cannot be read."""
    pictures = {
        1: paint(60, 40, "white", ((0, 0, 20, 20), "red"), ((30, 10, 50, 30), "green")),
        2: paint(60, 40, "white", ((0, 0, 20, 20), "red"), ((30, 10, 50, 30), "blue")),
        3: paint(60, 40, "white"),
    }
    boxes = [
        instance(1, 1, 1, [0, 0, 20, 20], iscrowd=0), instance(2, 1, 3, [30, 10, 20, 20], iscrowd=0),
        instance(3, 2, 90, [0, 0, 20, 20], iscrowd=0), instance(4, 2, 90, [30, 10, 20, 20], iscrowd=0),
        instance(5, 2, 1, [0, 30, 60, 10], iscrowd=1), instance(6, 3, 1, [0, 0, 9, 9], iscrowd=0),
    ]  # fmt: skip
    write_coco(tmp_path, boxes, pictures)
    (tmp_path / "val2017/000000000003.jpg").write_bytes(b"no picture")
    return tmp_path


def test_given_boxes(tmp_path: Path) -> None:
    """Red and green right; of the two that are called blue one looks red: classes 1, 1, .5; boxes 3 of 4."""
    data = coco.load(boxed(tmp_path))
    outcome = given_boxes.measure(ColourPredictor(), data, QUICK)
    assert values(outcome) == {"mean class accuracy": 2.5 / 3, "top-1": 0.75}
    assert outcome.counts == {"pictures": 2, "boxes": 4}
    assert len(data.problems.unreadable) == 1
    top1 = outcome.metrics["top-1"]
    assert (top1.low, top1.high) == wilson_interval(3, 4)


def test_coco_detection(tmp_path: Path) -> None:
    """Red found (IoU .8), green found behind a false one, one of two blue ones found; nothing counts inside the crowd."""
    predictor = ColourPredictor(
        [
            detections(((30, 10, 50, 30), 1, 0.8), ((0, 20, 20, 40), 1, 0.9), ((0, 0, 16, 20), 0, 0.5)),
            detections(((30, 10, 50, 30), 2, 0.7), ((0, 31, 30, 40), 0, 0.99)),
        ]
    )
    outcome = detection.measure_coco(predictor, coco.load(boxed(tmp_path)), QUICK)
    half = 51 / 101  # recalls 0, .01, … .50
    assert values(outcome) == {"AP": (0.7 + 0.5 + half) / 3, "AP50": (1 + 0.5 + half) / 3, "AP75": (1 + 0.5 + half) / 3}
    assert outcome.counts == {"pictures": 2, "boxes": 4}


def test_lvis_detection_counts_only_what_was_looked_for(tmp_path: Path) -> None:
    categories = [{"id": i + 1, "name": name, "frequency": "rcf"[i]} for i, name in enumerate(("red", "green", "blue"))]
    images = [
        {
            "id": i, "width": 60, "height": 40, "coco_url": f"http://x/val2017/{i:012}.jpg",
            "neg_category_ids": [2] if i == 1 else [], "not_exhaustive_category_ids": [3] if i == 1 else [],
        }
        for i in (1, 2)
    ]  # fmt: skip
    for i in (1, 2):
        save(tmp_path / f"val2017/{i:012}.jpg", paint(60, 40, "white"))
    boxes = [instance(1, 1, 1, [0, 0, 20, 20]), instance(2, 1, 3, [30, 10, 20, 20]), instance(3, 2, 2, [0, 0, 20, 20])]
    write(tmp_path / "lvis_v1_val.json", {"images": images, "annotations": boxes, "categories": categories})
    first = detections(
        ((0, 0, 20, 20), 0, 0.3),
        ((5, 5, 15, 35), 1, 0.9),  # green was looked for here and is not there
        ((30, 10, 50, 30), 2, 0.5),
        ((0, 0, 20, 20), 2, 0.8),  # not all blue things have boxes: does not count
    )
    second = detections(((0, 0, 20, 20), 1, 0.6), ((0, 0, 20, 20), 0, 0.9))  # red was not looked for here
    outcome = detection.measure_lvis(ColourPredictor([first, second]), lvis.load(tmp_path), QUICK)
    found = values(outcome)
    assert (found["AP rare"], found["AP common"], found["AP frequent"]) == (1.0, 0.5, 1.0)
    assert found["AP"] == 2.5 / 3


def test_zero_shot_classification_with_templates(tmp_path: Path) -> None:
    words = "n00000001 red\nn00000002 green\nn00000003 white\n"
    write(tmp_path / "LOC_synset_mapping.txt", words)
    for i, (synset, ground, more) in enumerate(
        [("n00000001", "red", "red"), ("n00000002", "green", "white"), ("n00000003", "red", "red"), ("n00000099", "red", "red")]
    ):
        save(tmp_path / f"val/{synset}/{i}.JPEG", paint(20, 20, ground, ((0, 0, 8, 20), more)))
    save(tmp_path / "val/n00000001/9.JPEG", paint(4, 4, "red")).write_bytes(b"\xff\xd8")
    data = imagenet.load(tmp_path)
    predictor = ColourPredictor()
    outcome = classification.measure(predictor, data, Settings(templates=("a {} thing", "all {} again")))
    assert values(outcome) == {"top-1": 2 / 3, "top-5": 1.0}
    assert predictor.texts == [f"{a} {name} {b}" for a, b in (("a", "thing"), ("all", "again")) for name in data.names]
    assert data.problems.counts() == {"unreadable": 1, "unknown": 1}


def test_retrieval(tmp_path: Path) -> None:
    """Both pictures know their caption; the second caption of the first says what the second shows."""
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "green")):
        save(tmp_path / f"flickr30k-images/{name}.jpg", paint(16, 16, colour))
    texts = {"a": ["red", "blue"], "b": ["blue", "blue"], "c": ["green", "green"]}
    images = [
        {"filename": f"{name}.jpg", "split": "test", "sentences": [{"raw": text} for text in each]}
        for name, each in texts.items()
    ]
    write(tmp_path / "dataset_flickr30k.json", {"images": images})
    outcome = retrieval.measure(ColourPredictor(), captions.load_flickr30k(tmp_path), QUICK)
    found = values(outcome)
    assert found["text to image R@1"] == 5 / 6
    assert found["text to image R@5"] == found["image to text R@5"] == 1.0
    assert found["image to text R@1"] == 1.0  # of equal captions half are thought to stand before the right one
    assert outcome.counts == {"pictures": 3, "captions": 6}


def test_ranks_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images, texts = (rng.normal(size=(count, 4)).astype(np.float32) for count in (11, 30))
    owner = np.sort(rng.integers(0, 11, 30))
    owner[:11] = np.arange(11)
    whole = retrieval.rank_all(images, texts, owner)
    monkeypatch.setattr(retrieval, "BLOCK", 4)
    for first, second in zip(whole, retrieval.rank_all(images, texts, owner), strict=True):
        assert first == pytest.approx(second)
    similarity = texts @ images.T
    by_hand = [(row > row[own]).sum() for row, own in zip(similarity, owner, strict=True)]
    assert whole[0].tolist() == by_hand


def test_attributes_agree_with_sklearn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ["red", "green", "blue"]
    attribute_list = [
        {"id": i, "name": f"color:{name}", "is_has_att": "is", "freq_set": ("head", "tail")[i % 2]}
        for i, name in enumerate(names)
    ]
    boxes, images, scores, truth = [], [], [], []
    predictor = ColourPredictor()
    for image in range(6):
        shares = [int(n) for n in rng.integers(0, 4, 3) * 2]
        parts, x = [], 0
        for colour, width in zip(names, shares, strict=True):
            parts.append(((x, 0, x + width, 20), colour))
            x += width
        picture = paint(20, 20, "white", *parts)
        save(tmp_path / f"val2017/{image}.png", picture)
        images.append({"id": image, "file_name": f"{image}.png", "width": 20, "height": 20})
        known = rng.integers(-1, 2, 3).tolist()
        boxes.append(instance(image + 1, image, 1, [0, 0, 20, 20], att_vec=known))
        truth.append(known)
        scores.append(predictor.embed_images([picture])[0] @ predictor.embed_texts(names).T)
    content = {"images": images, "annotations": boxes, "categories": CATEGORIES, "attributes": attribute_list}
    write(tmp_path / "ovad2000.json", content)
    found = values(attributes.measure(predictor, ovad.load(tmp_path), QUICK))
    known, cosines = np.array(truth), np.array(scores)
    each = [average_precision_score(known[known[:, i] >= 0, i], cosines[known[:, i] >= 0, i]) for i in range(3)]
    assert found["mAP"] == np.mean(each)
    assert found["mAP head"] == (each[0] + each[2]) / 2
    assert found["mAP tail"] == each[1]
    assert np.isnan(found["mAP medium"].expected)


def test_weighted_attributes_agree_with_sklearn() -> None:
    rng = np.random.default_rng(2)
    scores, known = rng.integers(0, 9, 50).astype(np.float32), rng.integers(-1, 2, 50)
    weights = rng.integers(0, 4, 50).astype(np.float64)
    judged = known >= 0
    expected = average_precision_score(known[judged], scores[judged], sample_weight=weights[judged])
    assert attributes.Ranking.of(scores, known).precision(weights) == pytest.approx(expected)
    assert np.isnan(attributes.Ranking.of(scores, np.minimum(known, 0)).precision(weights))


def ade(tmp_path: Path) -> Path:
    write(tmp_path / "objectInfo150.txt", "Idx\tRatio\tName\n1\t.5\tred\n2\t.3\tgreen\n3\t.1\tblue\n")
    save(tmp_path / "images/validation/1.jpg", paint(32, 16, "red", ((16, 0, 32, 16), "green")))
    truth = np.ones((16, 32), np.uint8)
    truth[:, 24:] = 2
    truth[:4] = 0
    save(tmp_path / "annotations/validation/1.png", truth)
    save(tmp_path / "images/validation/2.jpg", paint(16, 16, "red"))
    save(tmp_path / "annotations/validation/2.png", np.array([[7]], np.uint8))
    save(tmp_path / "images/validation/3.jpg", paint(16, 16, "red"))
    write(tmp_path / "annotations/validation/3.png", "no map")
    return tmp_path


@pytest.mark.parametrize("sliding", [False, True])
def test_label_maps(tmp_path: Path, sliding: bool) -> None:
    """Of 384 pixels 192 are red and called so, 96 red and called green, 96 green and called so; blue is nowhere."""
    data = ade20k.load(ade(tmp_path))
    outcome = segmentation.measure(ColourPredictor(), data, Settings(20, sliding))
    assert values(outcome) == {"mIoU": (192 / 288 + 96 / 192) / 2, "pixel accuracy": 288 / 384}
    assert outcome.counts == {"pictures": 1, "classes": 3}
    assert [each.split("/")[-1] for each in data.problems.unreadable] == [
        "2.png: 1x1 pixels, expected 16x16", "3.png: no picture that can be read",
    ]  # fmt: skip
    assert data.problems.unknown == {"id 7": 1}


def test_label_maps_with_a_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """White is no class, so it becomes the background; σ(-2.5) is below .4 and σ(7.5) above."""
    monkeypatch.setattr(voc, "NAMES", ("red", "green"))
    write(tmp_path / "ImageSets/Segmentation/val.txt", "a\n")
    save(tmp_path / "JPEGImages/a.jpg", paint(16, 16, "white", ((0, 0, 8, 8), "red")))
    truth = np.zeros((16, 16), np.uint8)
    truth[:8, :4], truth[:8, 4:8] = 1, 2
    truth[15] = 255
    save_palette(tmp_path / "SegmentationClass/a.png", truth)
    found = values(segmentation.measure(ColourPredictor(), voc.load(tmp_path, True), QUICK))
    assert found == {"mIoU": (32 / 64 + 0 + 1) / 3, "pixel accuracy": (240 - 32) / 240}
    found = values(segmentation.measure(ColourPredictor(), voc.load(tmp_path, False), QUICK))
    assert found == {"mIoU": (32 / 64 + 0) / 2, "pixel accuracy": 0.5}


def test_windows_overlap_by_half_and_reach_the_end() -> None:
    assert windows(20, 10, False) == [(0, 0, 10, 20)]
    assert windows(20, 10, True) == [(0, 0, 10, 10), (0, 5, 10, 15), (0, 10, 10, 20)]
    assert windows(10, 23, True) == [(0, 0, 10, 10), (5, 0, 15, 10), (10, 0, 20, 10), (13, 0, 23, 10)]
    assert windows(1, 3, True) == [(0, 0, 1, 1), (1, 0, 2, 1), (2, 0, 3, 1)]
    assert windows(8, 8, True) == [(0, 0, 8, 8)]


def test_windows_are_averaged_as_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two windows disagree the mean of σ(10 · cos - 2.5) decides: .5 for both against .9 and .2."""
    whole = np.array([0.0, 0.0, 1.0, 1.0], np.float32)

    def seen(first: float, second: float) -> DenseEmbeddings:
        return DenseEmbeddings(np.array([[[first]], [[second]]], np.float32), whole)

    views = [((0, 0, 4, 4), seen(0.9, 0.5)), ((0, 0, 4, 4), seen(0.2, 0.5)), ((4, 0, 8, 4), seen(0.1, 0.05))]
    prompts = np.eye(2, dtype=np.float32)
    expected = [[1] * 4 + [0] * 4] * 4
    assert label(views, prompts, (4, 8), False).tolist() == expected
    monkeypatch.setattr("quantize.evaluate.protocols.label_maps.VALUES_AT_ONCE", 16)
    assert label(views, prompts, (4, 8), False).tolist() == expected
    assert label(views, prompts, (4, 8), True).tolist() == [[1] * 4 + [2] * 4] * 4


def test_panoptic_quality_agrees_with_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    things, stuff = {0, 1}, {2, 3}
    reference = PanopticQuality(things, stuff, allow_unknown_preds_category=True, return_sq_and_rq=True)
    total = np.zeros((4, 4))
    for _ in range(8):
        truth = np.kron(rng.integers(0, 7, (4, 4)), np.ones((8, 8), int))
        segments = [Segment(i, (i - 1) % 4, False) for i in range(1, 7) if (truth == i).any()]
        segments = [each for each in segments if each.label in things or each.id <= 4]
        truth[~np.isin(truth, [each.id for each in segments])] = 0
        answer = np.roll(truth, rng.integers(-2, 3), axis=1)
        # Void in answers is excused by torchmetrics, but not by panopticapi: here all else is one false thing.
        answer[(rng.random((32, 32)) < 0.2) | (answer == 0)] = 9
        named = {each.id: each.label for each in segments if (answer == each.id).any()} | {9: 1}
        total += panoptic.compare(truth, segments, answer, named, 4)
        pairs = []
        for ids, names in ((answer, named), (truth, {each.id: each.label for each in segments})):
            table = np.full(10, 77)
            table[list(names)] = list(names.values())
            category = table[ids]
            pairs.append(torch.from_numpy(np.stack([category, np.where(np.isin(category, [2, 3, 77]), 0, ids)], -1))[None])
        reference.update(*pairs)
    pq, sq, rq = reference.compute().tolist()
    iou, true, false, missed = total
    assert min(true.sum(), false.sum(), missed.sum()) > 3
    whole = true + (false + missed) / 2
    assert (iou / whole).mean() == pytest.approx(pq, abs=1e-6)
    assert (iou / true).mean() == pytest.approx(sq, abs=1e-6)
    assert (true / whole).mean() == pytest.approx(rq, abs=1e-6)


def test_crowds_are_neither_missed_nor_false() -> None:
    truth = np.repeat([[1, 2, 0, 3]], 10, axis=0).repeat(10, axis=1)
    segments = [Segment(1, 0, False), Segment(2, 0, True), Segment(3, 0, False)]
    answer = np.repeat([[1, 2, 3, 0]], 10, axis=0).repeat(10, axis=1)
    assert panoptic.compare(truth, segments, answer, {1: 0, 2: 0, 3: 0}, 1).tolist() == [[1], [1], [0], [1]]
    assert panoptic.compare(truth, segments, answer, {1: 0, 2: 1, 3: 0}, 2)[2].tolist() == [0, 1]


def test_things_are_cut_from_the_label_map_by_their_boxes() -> None:
    labels = np.zeros((100, 100), np.int64)
    labels[10:30, 10:50] = 1
    labels[:, 55:] = 2
    labels[95:, :5] = 3
    found = detections(((5, 5, 30, 40), 0, 0.9), ((10, 5, 60, 40), 0, 0.8), ((12, 5, 29, 40), 0, 0.7), ((0, 50, 9, 60), 0, 0.6))
    answer, named = panoptic.merge(labels, found, np.array([1]), frozenset({1}))
    # The third lies in the first, the fourth has nothing of its name; of stuff 3 there is too little.
    assert named == {1: 1, 2: 1, 3: 0, 4: 2}
    assert (answer[10:30, 10:30] == 1).all()
    assert (answer[10:30, 30:50] == 2).all()
    assert (answer[labels == 2] == 4).all()
    assert (answer[labels == 3] == 0).all()
    assert np.bincount(answer.ravel()).tolist() == [25, 400, 400, 10_000 - 25 - 800 - 4500, 4500]


def test_masks_cut_things_where_there_are_some() -> None:
    logits = np.full((2, 8, 8), -1.0, np.float32)
    logits[1, :, :4] = 1.0
    whole = Masks(logits, np.array([0, 0, 1, 1], np.float32), np.array([1, 0, 1]))
    boxes = detections(((0, 0, 16, 8), 0, 0.9), ((0, 0, 16, 16), 0, 0.8), ((0, 6, 16, 16), 0, 0.7))
    labels = np.full((16, 16), 1)
    answer, named = panoptic.merge(labels, replace(boxes, masks=whole), np.array([1]), frozenset({1}))
    assert named == {1: 1, 2: 1}
    assert (answer[:8, :8] == 1).all()
    assert (answer[8:, :8] == 2).all()
    assert (answer[:, 8:] == 0).all()


def test_panoptic_sets(tmp_path: Path) -> None:
    """A red thing found whole on white stuff; a green one that no box is around is missed, and its pixels belong to nothing."""
    picture = paint(100, 80, "white", ((10, 10, 40, 40), "red"), ((60, 10, 80, 30), "green"))
    ids = np.array([0, 0, 0, 0, 70_000, 0])[colour_ids(picture)]
    ids[colour_ids(picture) == list(COLOURS).index("red")] = 300
    ids[colour_ids(picture) == list(COLOURS).index("green")] = 5
    ids[:2] = 4242
    rgb = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)
    save(tmp_path / "annotations/panoptic_val2017/1.png", rgb)
    save(tmp_path / "val2017/1.jpg", picture)
    segments = [{"id": id, "category_id": c, "iscrowd": 0} for id, c in ((300, 1), (5, 2), (70_000, 3))]
    names = [
        {"id": 1, "name": "red", "isthing": 1},
        {"id": 2, "name": "green", "isthing": 1},
        {"id": 3, "name": "white", "isthing": 0},
    ]
    annotation = {"image_id": 1, "file_name": "1.png", "segments_info": segments}
    content = {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [annotation], "categories": names}
    write(tmp_path / "annotations/panoptic_val2017.json", content)
    data = coco_panoptic.load(tmp_path)
    predictor = ColourPredictor([detections(((8, 8, 42, 42), 0, 0.9))])
    outcome = panoptic.measure(predictor, data, QUICK)
    assert values(outcome) == {"PQ": 2 / 3, "SQ": 2 / 3, "RQ": 2 / 3, "PQ things": 0.5, "PQ stuff": 1.0}
    assert data.problems.unknown == {"segment 4242 of 1.png": 1}
    write(tmp_path / "annotations/panoptic_val2017/1.png", "no map")
    with pytest.raises(DatasetError, match=r"1\.png: .*, expected at least one panoptic map"):
        panoptic.measure(ColourPredictor([detections()]), coco_panoptic.load(tmp_path), QUICK)


def test_a_bootstrap_is_repeatable_and_covers_the_mean() -> None:
    values = np.random.default_rng(5).normal(0.5, 0.1, 400)
    (first,) = bootstrap(lambda weights: np.array([weights @ values / weights.sum()]), 400, 500)
    (second,) = bootstrap(lambda weights: np.array([weights @ values / weights.sum()]), 400, 500)
    assert first == second
    assert first.value == pytest.approx(values.mean())
    # The normal interval of a mean: 1.96 · .1 / 20.
    assert first.high - first.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    (nothing,) = bootstrap(lambda weights: np.array([0.5]), 3, 0)
    assert (nothing.value, np.isnan(nothing.low)) == (0.5, True)


def test_a_share_has_wilsons_interval_and_none_of_nothing_is_nothing() -> None:
    found = share(np.array([True, True, False]))
    assert (found.value, found.low, found.high) == (2 / 3, *wilson_interval(2, 3))
    assert np.isnan(share(np.zeros(0, bool)).value)


def test_pictures_that_are_all_broken_are_one_line(tmp_path: Path) -> None:
    data = CaptionSet([CaptionItem(tmp_path / "none.jpg", ["red"])], Problems())
    with pytest.raises(DatasetError, match=r"none\.jpg: no such file, expected at least one picture"):
        retrieval.measure(ColourPredictor(), data, QUICK)
