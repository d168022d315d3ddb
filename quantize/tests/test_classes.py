"""The detector's classes beside words: arithmetic, file, links, and the fit of their weights."""

from pathlib import Path

import numpy as np
import pytest
from quantize.arithmetic import reference
from quantize.arithmetic.classes import Called, ClassHead, Head, links, load_classes, save_classes
from quantize.bundle.manifest import Classes, Detection, Score, read_manifest
from quantize.classes.fit import logistic

F = np.float32
SETTINGS = Classes(("fine", "coarse"), (0.8, 0.9), (0.0, 0.25, 0.0, 1.5))


def head() -> ClassHead:
    fine = Head(np.array([[10, -20, 127], [0, 1, 0]], np.int8), np.array([0.5, 2], F), np.array([1, -1], F))
    coarse = Head(np.array([[1], [-1]], np.int8), np.ones(2, F), np.array([0.25, 0.75], F))
    return ClassHead(("cat", "dog"), {"fine": fine, "coarse": coarse}, np.eye(2, dtype=F))


def outputs() -> dict[str, np.ndarray]:
    """Two cells of the fine map, one of the coarse one."""
    fine = np.array([[9, 9, 9], [4, -1, 0.5]], F).T.reshape(3, 1, 2)
    return {"fine": fine, "coarse": np.zeros((1, 1, 1), F)}


def test_logits_of_a_cell_are_exact() -> None:
    # 4 is 127, -1 is -31.75 and .5 is 15.875 of the steps of 4 / 127.
    sums, step = (F(1270 + 20 * 32 + 127 * 16), F(-32)), F(F(4) / F(127))
    expected = [sums[0] * F(0.5) * step + F(1), sums[1] * F(2) * step - F(1)]
    found = head().logits(outputs(), SETTINGS.maps, np.array([[0, 1], [1, 0]]))
    # A cell of zeros has no direction: the bias is left.
    assert found.tolist() == [expected, [0.25, 0.75]]
    assert head().logits(outputs(), SETTINGS.maps, np.zeros((0, 2), np.int64)).shape == (0, 2)


def test_int8_weights_are_near_the_float_ones() -> None:
    rng = np.random.default_rng(0)
    weight, bias, values = rng.standard_normal((5, 96)), rng.standard_normal(5), np.abs(rng.standard_normal(96))
    found = Head.of(weight.astype(F), bias.astype(F)).logits(values.astype(F))
    assert np.abs(found - (weight @ values + bias)).max() < 0.1


def test_file_and_manifest_give_back_what_was_written(tmp_path: Path) -> None:
    save_classes(tmp_path / "classes.safetensors", head())
    read = load_classes(tmp_path / "classes.safetensors", SETTINGS)
    cells = np.array([[0, 0], [0, 1]])
    assert read.names == ("cat", "dog")
    np.testing.assert_array_equal(read.logits(outputs(), SETTINGS.maps, cells), head().logits(outputs(), SETTINGS.maps, cells))


def test_the_committed_bundle_has_a_head_for_each_stride() -> None:
    bundle = Path(__file__).parents[2] / "models/default"
    manifest = read_manifest(bundle)
    assert manifest.classes is not None
    read = load_classes(bundle / "classes.safetensors", manifest.classes)
    assert len(manifest.classes.maps) == len(manifest.detection.strides)
    assert read.embeddings.shape == (len(read.names), manifest.embedding)
    np.testing.assert_allclose(np.linalg.norm(read.embeddings, axis=1), 1, atol=1e-5)


def test_a_name_takes_its_nearest_class_as_far_as_it_means_the_same() -> None:
    names = np.array([[1, 0], [0.8, -0.6], [-0.28, 0.96], [0.6, 0]], F)
    nearest, closeness = links(names, np.eye(2, dtype=F), (0.75, 0.95))
    assert nearest.tolist() == [0, 0, 1, 0]
    np.testing.assert_allclose(closeness, [1, 0.25, 1, 0], atol=1e-6)


def test_a_class_moves_the_logit_of_words_as_far_as_it_counts() -> None:
    called = Called(np.array([[3, -2, 9]], F), np.array([0.5, 1, 0], F), (0.5, 0.25, -0.125, 1.5))
    words, margins, objectness = np.full((1, 3), -1, F), np.full((1, 3), 4, F), np.array([2], F)
    both = [0.5 + 0.25 * 4 - 0.125 * 2 + 1.5 * logit for logit in (3, -2)]
    np.testing.assert_allclose(called.beside(words, margins, objectness), [[(both[0] - 1) / 2, both[1], -1]], atol=1e-6)


def test_scores_of_far_names_stay_as_they_are() -> None:
    embeddings, negatives = np.array([[0.6, 0.8]], F), np.array([[-1, 0]], F)
    prompts = np.array([[1, 0], [0.6, -0.8]], F)
    score = Score(5.0, (-0.5, 0.25, 1.0))
    called = Called.of(np.array([[4, 4]], F), prompts, head(), SETTINGS)
    plain = reference.region_scores(embeddings, np.ones(1, F), prompts, negatives, score)
    found = reference.region_scores(embeddings, np.ones(1, F), prompts, negatives, score, called)
    assert found[0, 0] > plain[0, 0]
    assert found[0, 1] == plain[0, 1]


def test_proposals_say_where_each_candidate_comes_from() -> None:
    level = np.zeros((9, 1, 3), F)
    level[0, 0] = [1, 3, 2]
    settings = Detection((8,), 2, 9, 0.5, 0.65, 0.5)
    boxes, objectness, cells = reference.proposals({"level8": level}, settings, np.array([0, 0, 24, 8], F))
    assert objectness.tolist() == [3, 2, 1]
    assert cells.tolist() == [[0, 1], [0, 2], [0, 0]]
    assert boxes[0].tolist() == [8, 0, 16, 8]


@pytest.mark.parametrize("true", [(-1.0, 0.5), (0.3, -2.0)])
def test_the_fit_finds_the_weights_that_targets_were_made_with(true: tuple[float, float]) -> None:
    values = np.stack([np.ones(500), np.linspace(-3, 3, 500)], axis=1)
    found = logistic(values, 1 / (1 + np.exp(-values @ np.array(true))))
    np.testing.assert_allclose(found, true, atol=1e-3)
