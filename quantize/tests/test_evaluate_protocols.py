"""Retrieval, segmentation, groceries, ConSE and their statistics, worked out by hand."""

import math

import numpy as np
import pytest
from quantize.arithmetic.geometry import sample_grid
from quantize.evaluate.conse import class_embeddings, combine, square_crop
from quantize.evaluate.grocery import accuracy
from quantize.evaluate.predictor import DenseEmbeddings
from quantize.evaluate.retrieval import recall
from quantize.evaluate.segmentation import IGNORED, confusion, label_map, mean_iou, panoptic_prompt
from quantize.evaluate.statistics import calibration_error, wilson_interval


def test_recall_counts_the_best_caption_of_a_picture_and_the_picture_of_each_caption() -> None:
    similarity = np.full((12, 24), 0.5, np.float32)
    owner = np.repeat(np.arange(12), 2)
    similarity[owner, np.arange(24)] = 0.9
    similarity[3, 0] = 1.0  # picture 3 comes before picture 0 for caption 0, and caption 0 before picture 3's own
    result = recall(similarity, owner)
    assert result.text_to_image == {1: pytest.approx(23 / 24), 5: 1.0, 10: 1.0}
    assert result.image_to_text == {1: pytest.approx(11 / 12), 5: 1.0, 10: 1.0}


def test_recall_of_a_model_that_finds_all_alike_is_that_of_chance() -> None:
    result = recall(np.zeros((388, 388), np.float32), np.arange(388))
    assert result.text_to_image == {1: 0.0, 5: 0.0, 10: 0.0}


def test_mean_iou_by_hand() -> None:
    truth = np.array([[0, 0, 1], [1, 1, IGNORED]])
    answers = np.array([[0, 1, 1], [1, 0, 0]])
    matrix = confusion(truth, answers, 3)
    assert matrix.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]
    # Class 0: 1 of 3; class 1: 2 of 4; class 2 does not occur.
    assert mean_iou(matrix) == pytest.approx((1 / 3 + 1 / 2) / 2)


def test_a_label_map_leaves_the_letterbox_border_out() -> None:
    embeddings = np.zeros((3, 4, 4), np.float32)
    embeddings[2] = 1.0
    embeddings[:, 1:3] = 0.0
    embeddings[0, 1:3, :2] = 1.0
    embeddings[1, 1:3, 2:] = 1.0
    dense = DenseEmbeddings(embeddings, np.array([0.0, 0.25, 1.0, 0.75], np.float32))
    labels = label_map(dense, np.eye(3, dtype=np.float32), 20, 40)
    assert labels.shape == (20, 40)
    assert (labels[5:15, :18] == 0).all()
    assert (labels[5:15, 22:] == 1).all()


def test_grid_samples_are_bilinear_and_hold_at_the_border() -> None:
    maps = np.array([[[0, 10], [20, 30]]], np.float32)
    at = np.array([-1.0, 0.25, 5.0], np.float32)
    expected = [[0, 2.5, 10], [5, 7.5, 15], [20, 22.5, 30]]
    assert sample_grid(maps, at, at)[0].tolist() == expected


@pytest.mark.parametrize(
    ("name", "prompt"),
    [("wall-other-merged", "wall"), ("door-stuff", "door"), ("wall-brick", "wall brick"), ("playingfield", "playingfield")],
)
def test_panoptic_names_lose_their_suffixes(name: str, prompt: str) -> None:
    assert panoptic_prompt(name) == prompt


def test_wilson_interval_by_hand() -> None:
    """8 of 10: (.8 + z²/20 ± z·sqrt(.016 + z²/400)) / (1 + z²/10) with z² = 3.8415."""
    low, high = wilson_interval(8, 10)
    assert low == pytest.approx(0.4902, abs=1e-4)
    assert high == pytest.approx(0.9433, abs=1e-4)
    assert wilson_interval(0, 10)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_calibration_error_by_hand() -> None:
    """Two at .9 of which one is right: off by .4; two at .15 of which none is: off by .15."""
    scores = np.array([0.9, 0.9, 0.15, 0.15], np.float32)
    right = np.array([True, False, False, False])
    assert calibration_error(scores, right) == pytest.approx((0.4 + 0.15) / 2)
    assert calibration_error(np.array([1.0, 0.0], np.float32), np.array([True, False])) == 0.0
    assert calibration_error(np.zeros(0, np.float32), np.zeros(0, bool)) == 0.0


def test_accuracy_takes_the_highest_score() -> None:
    result = accuracy(np.array([[0.1, 0.2], [0.9, 0.2], [0.3, 0.4]], np.float32), [1, 0, 0])
    assert result.top1 == pytest.approx(2 / 3)
    assert (result.low, result.high) == wilson_interval(2, 3)


def test_conse_weighs_names_by_probability() -> None:
    classes = class_embeddings([np.array([[2.0, 0.0]], np.float32), np.array([[0.0, 1.0], [0.0, 5.0]], np.float32)])
    assert classes.tolist() == [[1, 0], [0, 1]]
    embedding = combine(np.array([[0.75, 0.25]], np.float32), classes)[0]
    assert embedding.tolist() == pytest.approx([3 / math.sqrt(10), 1 / math.sqrt(10)])


def test_synonyms_are_averaged_at_unit_length() -> None:
    classes = class_embeddings([np.array([[9.0, 0.0], [0.0, 1.0]], np.float32)])
    assert classes[0].tolist() == pytest.approx([math.sqrt(0.5), math.sqrt(0.5)])


def test_square_crops_stay_inside_the_picture() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[..., 0] = np.arange(200)
    crop = square_crop(picture, np.array([80, 40, 100, 60], np.float32))
    assert crop.shape == (24, 24, 3)
    assert crop[0, 0, 0] == 78
    assert square_crop(picture, np.array([0, 0, 200, 100], np.float32)).shape == (100, 200, 3)
    assert square_crop(picture, np.array([199.5, 99.5, 200, 100], np.float32)).size > 0
