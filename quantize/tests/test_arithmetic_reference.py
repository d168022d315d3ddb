"""The numpy specification, on maps and boxes small enough to work out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
from quantize.arithmetic import reference
from quantize.arithmetic.geometry import Floats
from quantize.bundle.manifest import BundleError, Detection, Pool, Score, read_manifest

SETTINGS = Detection((8,), 4, max_candidates=2, min_objectness=0.5, candidate_iou=0.5, label_iou=0.5)


def level(objectness: list[float], distances: tuple[int, int, int, int]) -> Floats:
    """One row of cells; each side's distribution has all its weight in one bin."""
    logits = np.full((4, 4, 1, len(objectness)), -60, np.float32)
    for side, bin_ in enumerate(distances):
        logits[side, bin_] = 60
    return np.concatenate([np.array(objectness, np.float32).reshape(1, 1, -1), logits.reshape(16, 1, -1)])


def test_cells_decode_around_their_centres() -> None:
    boxes, objectness = reference.decode(level([0.5, -1.0], (0, 1, 2, 3)), stride=8)
    assert boxes.tolist() == [[4, -4, 20, 28], [12, -4, 28, 28]]
    assert objectness.tolist() == [0.5, -1.0]


def test_distances_are_expectations() -> None:
    maps = np.zeros((17, 1, 1), np.float32)
    boxes, _ = reference.decode(maps, stride=8)
    assert boxes[0].tolist() == [4 - 12, 4 - 12, 4 + 12, 4 + 12]


def test_candidates_are_clipped_suppressed_and_sorted() -> None:
    content = np.array([0, 0, 100, 8], np.float32)
    outputs = {"level8": level([1.0, 2.0, -0.1, 0.5, 0.0, 3.0], (1, 1, 1, 1))}
    boxes, objectness = reference.candidates(outputs, SETTINGS, content)
    assert boxes.tolist() == [[36, 0, 52, 8], [4, 0, 20, 8]]
    assert objectness.tolist() == [3.0, 2.0]


def test_boxes_outside_the_content_are_no_candidates() -> None:
    content = np.array([0, 20, 100, 40], np.float32)
    boxes, _ = reference.candidates({"level8": level([5.0], (1, 1, 1, 1))}, SETTINGS, content)
    assert len(boxes) == 0


def test_a_region_vector_pools_chooses_maps_by_size_and_ends_with_the_size() -> None:
    columns = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    outputs = {"fine": columns[None], "coarse": np.full((1, 4, 4), 7, np.float32)}
    pool = Pool(("fine", "coarse"), (32.0,), expand=1.0, square=False, samples=4)
    content = np.array([0, 0, 64, 64], np.float32)
    small = reference.region_vector(outputs, (pool,), 64, content, np.array([16, 16, 32, 32], np.float32))
    assert small.tolist() == pytest.approx([2.5, math.log(1 / 4), math.log(1 / 4)])
    large = reference.region_vector(outputs, (pool,), 64, content, np.array([0, 0, 64, 32], np.float32))
    assert large.tolist() == pytest.approx([7, 0, math.log(1 / 2)])


def test_a_square_pool_grows_the_shorter_side_and_stays_in_the_content() -> None:
    rows = np.tile(np.arange(8, dtype=np.float32)[:, None], (1, 8))
    outputs = {"fine": rows[None]}
    content = np.array([0, 16, 64, 64], np.float32)
    pool = Pool(("fine",), (), expand=2.0, square=True, samples=2)
    vector = reference.region_vector(outputs, (pool,), 64, content, np.array([24, 28, 40, 36], np.float32))
    # 16 × 8 becomes 32 × 32 about y = 32, so rows 16 to 48 px, sampled at 24 and 40 px.
    assert vector[0] == pytest.approx((24 / 8 + 40 / 8) / 2 - 0.5)


def test_negatives_close_to_a_prompt_are_left_out() -> None:
    prompts = np.array([[1, 0], [0, 1]], np.float32)
    bank = np.array([[0.6, -0.8], [0.0, 1.0], [-1.0, 0.0]], np.float32)
    assert reference.negatives_for(prompts, bank, 0.6).tolist() == pytest.approx(np.array([[0.6, -0.8], [-1, 0]]))
    assert len(reference.negatives_for(prompts, bank, 0.5)) == 1


def test_region_scores_by_hand() -> None:
    prompts, negatives = np.eye(3, dtype=np.float32)[:2], np.eye(3, dtype=np.float32)[2:]
    embedding = np.array([[1, 0, 0]], np.float32)
    scores = reference.region_scores(embedding, np.array([0.5], np.float32), prompts, negatives, Score(2.0, (0.1, 1.5, 2.0)))
    first, second = 2 - math.log(2), 0 - math.log(math.exp(2) + 1)
    expected = [1 / (1 + math.exp(-(0.1 + 1.5 * margin + 2 * 0.5))) for margin in (first, second)]
    assert scores[0].tolist() == pytest.approx(expected)


def test_synonyms_share_a_place_and_are_told_apart_by_likelihood() -> None:
    cat, dog, cats = (0.8, 0.6), (-0.6, 0.8), (0.6, 0.8)
    negatives = np.array([[0, 1], [-1, 0]], np.float32)
    score, objectness = Score(10.0, (-0.5, 0.5, 1.0)), np.array([0.5], np.float32)

    def scores(*prompts: tuple[float, float]) -> list[float]:
        seen = np.array([[1, 0]], np.float32)
        found = reference.region_scores(seen, objectness, np.array(prompts, np.float32), negatives, score)
        return [float(p) for p in found[0]]

    alone, twins, copies = scores(cat, dog), scores(cat, dog, cats), scores(cat, dog, cat, cat)
    assert twins[0] == pytest.approx(alone[0])
    margin = 6 - math.log(math.exp(-6) + 1 + math.exp(-10))
    assert twins[2] == pytest.approx(math.exp(-2) / (1 + math.exp(-(0.5 * margin))))
    assert copies == pytest.approx([alone[0], alone[1], alone[0], alone[0]])


def test_of_rival_names_a_box_takes_the_better() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10]], np.float32)
    scores = np.array([[0.9, 0.8, 0.7], [0.1, 0.6, 0.1], [0.1, 0.5, 0.1]], np.float32)
    alike = reference.likeness(np.array([[1, 0], [0.9, math.sqrt(0.19)], [0, 1]], np.float32))
    assert alike[0].tolist() == [1, 1, 0]
    rows, labels = reference.name_boxes(boxes, scores, 0.3, 0.5, alike)
    assert list(zip(rows.tolist(), labels.tolist(), strict=True)) == [(0, 0), (0, 2), (2, 1)]


def test_parts_of_a_thing_keep_less_of_the_names_that_the_whole_has_better() -> None:
    whole, half, small = [0, 0, 100, 100], [50, 0, 120, 100], [10, 10, 41, 41]
    scores = np.array([[0.9, 0.1], [0.5, 0.8], [0.3, 0.1]], np.float32)
    found = reference.discount_parts(np.array([whole, half, small], np.float32), scores, np.eye(2, dtype=np.float32))
    assert found.tolist() == np.array([[0.9, 0.1], [np.float32(0.5) * np.float32(0.4), 0.8], [0.3, 0.1]], np.float32).tolist()
    synonyms = reference.discount_parts(np.array([whole, half], np.float32), scores[:2], np.ones((2, 2), np.float32))
    assert synonyms[1].tolist() == (np.array([0.5, 0.8], np.float32) * np.float32(0.4)).tolist()
    other = np.array([half, whole], np.float32)
    assert reference.discount_parts(other, scores[[1, 0]], np.eye(2, dtype=np.float32))[1, 0] == np.float32(0.9)


def test_tags_compete_with_other_prompts_and_negatives() -> None:
    prompts, negatives = np.eye(4, dtype=np.float32)[:2], np.eye(4, dtype=np.float32)[2:]
    embedding = np.array([[1, 0, 0, 0]], np.float32)
    scores = reference.tag_scores(embedding, prompts, negatives, Score(3.0, (0.0, 1.0)))
    margins = (3 - math.log(3), 0 - math.log(math.exp(3) + 2))
    expected = [1 / (1 + math.exp(-m)) for m in margins]
    assert scores[0].tolist() == pytest.approx(expected)
    assert reference.tag_scores(embedding, prompts, negatives[:0], Score(0.0, (0.0, 1.0)))[0].tolist() == [0.5, 0.5]


def test_names_are_suppressed_one_by_one() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 0, 60, 10]], np.float32)
    scores = np.array([[0.9, 0.1], [0.8, 0.6], [0.2, 0.3]], np.float32)
    rows, labels = reference.name_boxes(boxes, scores, 0.25, 0.5)
    assert list(zip(rows.tolist(), labels.tolist(), strict=True)) == [(0, 0), (1, 1), (2, 1)]


def test_unit_vectors() -> None:
    assert reference.unit(np.array([[3, 4], [0, 0]], np.float32)).tolist() == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))


def test_a_folder_without_a_manifest_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"model\.toml: No such file or directory, expected the manifest"):
        read_manifest(tmp_path)
