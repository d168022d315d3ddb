"""`python -m quantize.int8`: bundles out of the tiny float twins, and what is said about what cannot be used."""

import json
import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from quantize.bundle.manifest import read_manifest
from quantize.evaluate.onnx import OnnxPredictor
from quantize.int8 import __main__ as command
from quantize.int8 import calibration, compare
from quantize.int8.ptq import prepare
from quantize.settings.board import BoardRecipe
from quantize.tests.networks import pictures, separable
from quantize.tests.synthetic import changed, shape_picture, write_recipe, write_shard

PICTURE = shape_picture(np.random.default_rng(99), "blue", "ball", 48)[0]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["int8", *(str(a) for a in arguments)])
    monkeypatch.setattr(calibration.calibration_samples, "__defaults__", (8,))
    return command.main()


@pytest.fixture(scope="module")
def recipe_file(bundle: Path, workplace: Path) -> Path:
    """The recipe whose float twins the fixture `bundle` has written."""
    assert bundle.is_dir()
    return write_recipe(workplace)


def test_post_training_writes_a_bundle_that_runs(
    recipe_file: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "int8"
    flags = ["--ranges", "mse", "--weights", "mse", "--equalise", "activations", "--bias"]
    assert run(monkeypatch, "ptq", recipe_file, "--out", out, "--like", bundle, *flags) == 0
    assert read_manifest(out) == read_manifest(bundle)
    cosines = tomllib.loads((out / "model.toml").read_text())["metrics"]["int8_cosine"]
    assert min(cosines["image_embedding"], cosines["embedding"], cosines["dense"]) > 0.9
    found, wanted = (OnnxPredictor(folder).embed_images([PICTURE])[0] for folder in (out, bundle))
    assert float(found @ wanted) > 0.75
    weights = [numpy_helper.to_array(i) for i in onnx.load(out / "vision.onnx").graph.initializer if len(i.dims) == 4]
    assert weights
    assert {w.dtype for w in weights} == {np.dtype(np.int8)}


def test_fine_tuning_writes_a_bundle_with_other_weights(
    recipe_file: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "qat"
    flags = ["--source", bundle, "--like", bundle, "--steps", 2, "--batch", 2, "--every", 1, "--learning-rate", 0.5]
    assert run(monkeypatch, "qat", recipe_file, "--out", out, *flags) == 0
    for name in ("vision.onnx", "prompt.onnx"):
        before, after = (onnx.load(folder / name).graph for folder in (bundle, out))
        assert [n.op_type for n in before.node] == [n.op_type for n in after.node]
        pairs = zip(before.initializer, after.initializer, strict=True)
        assert any(not np.array_equal(numpy_helper.to_array(a), numpy_helper.to_array(b)) for a, b in pairs)
    assert json.loads((out / "qat.json").read_text())["steps"] == 2
    assert np.isfinite(OnnxPredictor(out).embed_images([PICTURE])).all()


def test_mixed_precision_keeps_float_weights_of_the_chosen_blocks(
    recipe_file: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantize.int8.sensitivity.Bench.groups", lambda b, _: {"d": [n for n in b.nodes if "/nanodet/" in n]})
    out = tmp_path / "mixed"
    assert run(monkeypatch, "mixed", recipe_file, "--out", out, "--like", bundle, "--budget", 1, "--pictures", 1) == 0
    chosen = json.loads((out / "mixed.json").read_text())
    assert chosen["nodes"]
    assert chosen["blocks"][-1]["noise"] < chosen["noise"]
    model = onnx.load(out / "vision.onnx")
    constants = {i.name: i.data_type for i in model.graph.initializer}
    kept = [n for n in model.graph.node if n.op_type == "Conv" and n.name in chosen["nodes"]]
    assert kept
    assert all(constants[n.input[1]] == onnx.TensorProto.FLOAT for n in kept)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ptq", "{recipe}", "--out", "{tmp}/x"], "float/vision.onnx is missing; run `python -m quantize.export`"),
        (["ptq", "{tmp}/no.toml", "--out", "{tmp}/x"], "no.toml is missing; expected a TOML file"),
        (["ptq", "{recipe}", "--out", "{tmp}/x", "--float", "{tmp}/broken.json"], "expected the mixed.json of"),
        (["compare", "a={tmp}/nothing", "--data", "{tmp}/no.tar"], "no.tar: no such file, expected a validation shard"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.json").write_text('{"blocks": 3}')
    filled = [a.format(recipe=write_recipe(tmp_path), tmp=tmp_path) for a in arguments]
    assert run(monkeypatch, *filled) == 2
    error = capsys.readouterr().err
    assert error.startswith("int8: ")
    assert error.count("\n") == 1
    assert said in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mixed", "r", "--out", "x", "--budget", "0"], "found 0.0, expected a share of all products"),
        (["qat", "r", "--out", "x", "--steps", "0"], "found 0, expected a whole number from 1"),
        (["compare", "nameless"], "found nameless, expected NAME=FOLDER"),
    ],
)
def test_flags_out_of_range_are_refused(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, *arguments)
    assert said in capsys.readouterr().err


def test_no_calibration_picture_and_wrong_shapes_are_said(trained: BoardRecipe, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"calibration: found no usable picture in .*shapes\.tar, expected at least one"):
        calibration.calibration_samples(changed(trained, shards=[str(write_shard(tmp_path / "shapes.tar", {}))]))
    onnx.save(separable(), tmp_path / "float.onnx")
    wrong = [x[:, :, :4] for x in pictures(2)]
    with pytest.raises(ValueError, match=r"image: found inputs of shape \[1, 3, 4, 8\], expected \[1, 3, 8, 8\]"):
        prepare(tmp_path / "float.onnx", wrong, None)


def test_the_table_states_differences_to_the_first_bundle() -> None:
    first = dict.fromkeys(compare.COUNTED, 0.5)
    second = first | {"coco_ap": 0.41}
    head, _, *rows = compare.markdown({"float": first, "int8": second}).splitlines()
    assert head.count("|") == len(compare.COUNTED) + 3
    assert rows[0].startswith("| float | 50.0 |")
    assert rows[1].startswith("| int8 | 41.0 (-9.0) | 50.0 (+0.0) |")
    assert rows[1].endswith("| 49.00 (-1.0) |")


def test_measured_bundles_are_not_measured_again(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(dict.fromkeys(compare.COUNTED, 0.25)))
    table = compare.compare([("a", tmp_path)], tmp_path / "no.tar", tmp_path / "no binary", None, tmp_path)
    assert table.splitlines()[2].startswith("| a | 25.0 |")


def test_a_small_set_calibrates_with_forty_pictures(trained: BoardRecipe) -> None:
    found = calibration.calibration_samples(trained)
    assert len(found) == calibration.LEAST
    assert len({sample.key for sample in found}) == 32  # the others are mirrored
    first, other = found[0], found[32]
    assert np.array_equal(other.picture, first.picture[:, ::-1])
    for box, mirrored in zip(first.boxes, other.boxes, strict=True):
        assert mirrored.rect == pytest.approx((1 - box.rect[2], box.rect[1], 1 - box.rect[0], box.rect[3]))
    assert len(calibration.calibration_samples(trained, 1)) == calibration.LEAST
