"""Calibration: the logistic fit, the random vocabularies, and the command's effect on a bundle."""

import json
import shutil
import tarfile
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quantize.board.split import is_held_out
from quantize.bundle.manifest import read_manifest
from quantize.calibrate import VOCABULARY_SIZES, Rows, Vocabularies, calibrate, fit_logistic, held_out, logit, unsaid_names
from quantize.evaluate.onnx import OnnxPredictor
from quantize.settings.board import BoardRecipe
from quantize.tests.synthetic import changed, write_shard


def test_the_fit_finds_the_weights_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40_000, 2))
    p = 1 / (1 + np.exp(-(-1.0 + 0.5 * x[:, 0] + 2.0 * x[:, 1])))
    y = (rng.random(len(x)) < p).astype(np.float64)
    weights, loss = fit_logistic(Rows(x, y, np.ones(len(y))))
    assert weights == pytest.approx((-1.0, 0.5, 2.0), abs=0.07)
    assert loss == pytest.approx(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), abs=1e-3)


def test_a_fit_to_what_cannot_be_told_apart_says_how_often_it_is_true() -> None:
    y = np.array([1.0, 0.0, 0.0, 0.0] * 50)
    weights, _ = fit_logistic(Rows(np.zeros((200, 1)), y, np.ones(200)))
    assert 1 / (1 + np.exp(-weights[0])) == pytest.approx(0.25, abs=1e-3)


def test_rows_count_by_their_weight() -> None:
    one, other = (np.zeros((1, 1), np.float32), np.array([True]), 3.0), (np.zeros((2, 1), np.float32), np.array([False] * 2), 0.5)
    weights, _ = fit_logistic(Rows.cat([one, other]))
    assert 1 / (1 + np.exp(-weights[0])) == pytest.approx(0.75, abs=1e-3)


def test_logit_undoes_the_sigmoid() -> None:
    x = np.linspace(-9, 9, 19).astype(np.float32)
    assert logit((1 / (1 + np.exp(-x))).astype(np.float32)) == pytest.approx(x, abs=0.01)
    assert np.isfinite(logit(np.array([0.0, 1.0], np.float32))).all()


def test_most_names_of_a_vocabulary_are_absent(bundle: Path) -> None:
    said, unsaid = [f"name {i}" for i in range(30)], [f"other {i}" for i in range(170)]
    vocabularies, rng = Vocabularies(OnnxPredictor(bundle), said, unsaid), np.random.default_rng(0)
    present = ["name 3", "name 4", "name 3"]
    sizes, with_present = set(), 0
    for _ in range(120):
        chosen = vocabularies.draw(present, rng)
        assert len(chosen) == len(set(chosen))
        sizes.add(len(chosen))
        there = [i for i in chosen if i in (3, 4)]
        assert len(there) <= max(1, len(chosen) // 10)
        with_present += bool(there)
        assert len(vocabularies.draw([], rng)) in (*VOCABULARY_SIZES, 100)
    assert sizes == {1, 2, 5, 20, 80, 100}  # at most half of the 200 names
    assert 40 < with_present < 80
    similarity = (vocabularies.bank @ vocabularies.vectors[[0, 1]].T).max(1)
    least, middle = float(similarity.min()), float(np.median(similarity))
    assert len(vocabularies.negatives([0, 1], middle)) == (similarity <= middle).sum() < len(similarity)
    assert len(vocabularies.negatives([0, 1], least - 0.01)) == 0


def test_unsaid_names_are_said_of_no_picture(recipe: BoardRecipe) -> None:
    assert unsaid_names(recipe, {"house", "box"}) == sorted(
        {"bird", "boat", "plant", "tool", "drum", "cake", "road", "lamp", "coat"}
    )


def test_only_held_out_pictures_calibrate(recipe: BoardRecipe) -> None:
    found = held_out(recipe)
    assert 2 < len(found) < 16
    assert all(is_held_out(s.key, s.source, recipe.data) for s, _ in found)
    assert held_out(changed(recipe, dev_share=0.0)) == []
    everything = held_out(changed(recipe, dev_share=0.0, dev_shares={"shapes": 1.0}))
    assert {s.source for s, _ in everything} == {"shapes"}
    sample, tags = everything[0]
    assert set(sample.labels) | {b.name for b in sample.boxes} <= set(tags)
    assert "green" in tags  # from the caption


def test_scores_are_fitted_into_the_manifest(recipe: BoardRecipe, bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    before = read_manifest(folder)
    calibrate(recipe, folder)
    after = read_manifest(folder)
    assert after.region.weights != before.region.weights
    assert after.image.weights != before.image.weights
    assert np.isfinite([*after.region.weights, *after.image.weights]).all()
    same = replace(after, region=before.region, image=before.image, max_similarity=before.max_similarity)
    assert same == before
    metrics = tomllib.loads((folder / "model.toml").read_text())["metrics"]
    assert set(metrics) == {"int8_cosine", "calibration"}
    assert metrics["calibration"]["pictures"] == len(held_out(recipe))


def test_machine_made_boxes_calibrate_where_people_drew_none(
    recipe: BoardRecipe, bundle: Path, workplace: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(workplace / "shapes.tar") as tar:
        for member in tar:
            key, _, extension = member.name.partition(".")
            content = tar.extractfile(member)
            assert content is not None
            samples.setdefault(key, {})[extension] = content.read()
    for parts in samples.values():
        record = json.loads(parts["json"])
        record["pseudo_boxes"] = [box | {"score": 0.8} for box in record.pop("boxes", [])]
        parts["json"] = json.dumps(record).encode()
    shard = write_shard(tmp_path / "guessed.tar", samples)
    folder = shutil.copytree(bundle, tmp_path / "bundle")
    calibrate(changed(recipe, shards=[str(shard)], dev_share=0.6), folder)
    assert "no held-out picture has people's boxes: a detector's are taken" in caplog.text
    assert read_manifest(folder).region.weights != read_manifest(bundle).region.weights


def test_calibration_without_held_out_boxes_says_so(recipe: BoardRecipe, bundle: Path) -> None:
    with pytest.raises(SystemExit, match=r"0 held-out pictures have boxes and 0 have tags, expected some of each"):
        calibrate(changed(recipe, dev_share=0.0), bundle)
