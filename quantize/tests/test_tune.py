"""A bundle from a labelled set: what is split how, what is learned, what is written, and what is refused."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from quantize.bundle.manifest import BundleError, read_manifest
from quantize.bundle.write import sha256
from quantize.evaluate.average_precision import LabelledBoxes
from quantize.evaluate.predictor import Detections
from quantize.labels.labelled import Content, DataSet, LabelError, Labelled, Left, Thing
from quantize.labels.recognise import EXPECTED
from quantize.tests import label_forms
from quantize.tests.synthetic import COLOURS, SHAPES, shape_picture
from quantize.tune import __main__ as command
from quantize.tune.learn import Plan
from quantize.tune.measure import judged
from quantize.tune.plan import as_typed, check_names, split
from quantize.tune.scores import Rows, fit, matched
from quantize.tune.seen import inside, jittered
from quantize.tune.tune import Asked, tune

STEPS = 60


def picture(key: str, *names: str, part: str = "") -> Labelled:
    return Labelled(key, Content(Path(key)), (9, 9), part, [Thing(name, (0.1, 0.1, 0.5, 0.5)) for name in names])


def shapes(root: Path, count: int) -> Path:
    """A VOC set of one coloured shape a picture."""
    rng = np.random.default_rng(3)
    for i in range(count):
        colour, shape = list(COLOURS)[i % 3], SHAPES[i % len(SHAPES)]
        pixels, rect, _ = shape_picture(rng, colour, shape, 64)
        x0, y0, x1, y1 = (64 * v for v in rect)
        (root / "JPEGImages").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / f"JPEGImages/{i:02}.jpg")
        box = f"<xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        thing = f"<object><name>{colour}_{shape}</name><bndbox>{box}</bndbox></object>"
        label_forms.text(root / f"Annotations/{i:02}.xml", f"<annotation><filename>{i:02}.jpg</filename>{thing}</annotation>")
    return root


def test_names_are_words_as_they_are_typed() -> None:
    assert [as_typed(name) for name in ("traffic_light", "T-shirt", " Oak  Table ")] == ["traffic light", "t shirt", "oak table"]
    data = DataSet(Path("d"), "f", [picture("a", "mug", "Mug", "0"), picture("b", "0")], Left())
    assert check_names(data) == ["mug", "0"]
    with pytest.raises(LabelError, match=r"d: found names that are numbers \(0\), expected words"):
        check_names(DataSet(Path("d"), "f", [picture("b", "0")], Left()))
    with pytest.raises(LabelError, match="d: found no labels, expected pictures with boxes"):
        check_names(DataSet(Path("d"), "f", [picture("b")], Left()))
    named = picture("b")
    named.labels.append("mug")
    with pytest.raises(LabelError, match="d: found names of whole pictures alone"):
        check_names(DataSet(Path("d"), "f", [named], Left()))


def test_parts_have_no_picture_in_common_and_every_name_is_learned() -> None:
    pictures = [picture(f"p{i}", "mug") for i in range(39)] + [picture("rare", "oak table", "mug")]
    found = split(pictures, 0)
    keys = [{p.key for p in part} for part in (found.learned, found.calibration, found.held_out)]
    assert [len(part) for part in keys] == [26, 4, 10]
    assert len(set.union(*keys)) == 40
    assert "rare" in keys[0]
    assert split(pictures, 0) == found
    assert split(pictures, 1) != found


def test_the_parts_of_a_set_are_kept() -> None:
    pictures = [picture(f"{part}{i}", "mug", part=part) for part in ("train", "val", "test") for i in range(6)]
    found = split(pictures, 0)
    for part, name in ((found.learned, "train"), (found.calibration, "val"), (found.held_out, "test")):
        assert {p.part for p in part} == {name}
    found = split([p for p in pictures if p.part != "test"], 0)
    assert {p.part for p in found.held_out} == {"val"}
    assert {p.part for p in (*found.learned, *found.calibration)} == {"train"}
    with pytest.raises(LabelError, match="found 3 usable pictures, expected at least 10"):
        split(pictures[:3], 0)


def test_detections_are_right_wrong_or_missed() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [0, 50, 40, 90]], np.float32)
    truth = LabelledBoxes(boxes, np.array([0, 1, 0]), np.array([False, False, True]))
    found = Detections(
        np.array([[0, 0, 10, 9], [1, 0, 10, 10], [20, 0, 30, 10], [5, 60, 15, 70], [0, 0, 9, 9]], np.float32),
        np.array([0, 0, 0, 0, 1]),
        np.array([0.9, 0.8, 0.7, 0.6, 0.1], np.float32),
    )
    verdict = judged(found, truth, ["mug", "table"], 0.5)
    assert [name for _, name, _ in verdict.right] == ["mug"]
    assert [round(score, 1) for _, _, score in verdict.wrong] == [0.8, 0.7]  # a second box, another name; a crowd's is neither
    assert [name for _, name in verdict.missed] == ["table"]
    assert verdict.mistakes == 3


def test_few_boxes_move_scores_little() -> None:
    rng = np.random.default_rng(0)
    start = (-2.0, 0.3, 0.7)

    def rows(count: int) -> Rows:
        x = rng.normal(size=(count, 2)).astype(np.float32)
        right = rng.random(count) < 1 / (1 + np.exp(-(1.0 + 2.0 * x[:, 0])))
        return Rows(x, right.astype(np.float32), np.ones(count, np.float32), np.ones(count, bool))

    few, many = fit(rows(4), start), fit(rows(20_000), start)
    assert many == pytest.approx((1.0, 2.0, 0.0), abs=0.1)
    assert np.linalg.norm(np.subtract(few, start)) < 0.5 * np.linalg.norm(np.subtract(many, start))
    nothing = Rows(np.zeros((5, 2), np.float32), np.zeros(5, np.float32), np.ones(5, np.float32), np.ones(5, bool))
    assert fit(nothing, start) == start
    assert nothing.probability((0.0, 1.0, 1.0)).tolist() == [0.5] * 5


def test_the_threshold_says_as_many_boxes_as_before() -> None:
    scores = np.array([0.9, 0.05, 0.4, 0.3, 0.7], np.float32)
    assert matched(scores, 3, 0.2) == 0.4
    assert matched(scores, 5, 0.2) == 0.2  # all of them, or none: nothing to go by
    assert matched(scores, 0, 0.2) == 0.2
    assert matched(scores, 1, 0.2) == 0.6


def test_jittered_boxes_stay_near_and_inside() -> None:
    boxes = np.array([[0, 0, 40, 40], [20, 30, 60, 50]], np.float32)
    found = jittered(boxes, np.array([0, 0, 64, 64], np.float32), np.random.default_rng(0))
    assert np.abs(found - boxes).max() <= 0.16 * 40 + 1e-4
    assert found.min() >= 0
    assert inside(boxes, np.array([[0, 0, 40, 20]], np.float32)) == pytest.approx([0.5, 0.0])
    assert inside(boxes, np.zeros((0, 4), np.float32)).tolist() == [0, 0]


@pytest.fixture(scope="module")
def tuned(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp("tuned")
    data = shapes(folder / "shapes", 40)
    asked = Asked(data, folder / "mine", bundle, folder / "work", plan=Plan(steps=STEPS, rate=2e-3, every=20, drop=0.0))
    tune(asked)
    return asked


def test_a_tuned_bundle_differs_in_its_boxes_alone(tuned: Asked, bundle: Path) -> None:
    figures = json.loads((tuned.work / "figures.json").read_text())
    assert figures["before"].keys() == figures["after"].keys() >= {"AP50", "given boxes", "right", "missed"}
    for told in figures["before"], figures["after"]:
        assert told["right"] + told["missed"] == 10
    manifest = read_manifest(tuned.out)
    assert manifest.name == "mine"
    assert manifest.image == read_manifest(bundle).image
    for name in ("vision.onnx", "text.onnx", "tokenizer.json", "negatives.vocab.safetensors"):
        assert sha256(tuned.out / name) == sha256(bundle / name)
    assert sha256(tuned.out / "prompt.onnx") != sha256(bundle / "prompt.onnx")
    assert not tuned.out.with_name("mine.draft").exists()
    assert "| AP50 |" in (tuned.out / "CARD.md").read_text()


def test_the_report_shows_what_was_held_out(tuned: Asked) -> None:
    page = (tuned.work / "report.html").read_text()
    assert page.count("<figure>") == 10
    assert page.count("data:image/jpeg;base64,") == 20
    assert "Pascal VOC annotations: 40 pictures, 40 boxes of 3 names" in page
    assert "red box" in page
    assert page.rstrip().endswith("</html>")


def test_a_stopped_run_ends_with_the_same_bits(tuned: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = replace(tuned, out=tmp_path / "mine", work=tmp_path / "work")
    keep = torch.save

    def stop(*arguments: object) -> None:
        keep(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            tune(again)
    # the draft of a state that was being written is gone: the run goes on from the beginning, with what was seen
    assert list((tmp_path / "work/seen").glob("*.npz"))
    assert not again.out.exists()
    tune(again)
    assert sha256(again.out / "prompt.onnx") == sha256(tuned.out / "prompt.onnx")
    # and once more, from the last state
    tune(replace(again, out=tmp_path / "other"))
    assert sha256(tmp_path / "other/prompt.onnx") == sha256(tuned.out / "prompt.onnx")


def test_nothing_is_overwritten(tuned: Asked, tmp_path: Path) -> None:
    before = sha256(tuned.out / "model.toml")
    with pytest.raises(BundleError, match=r"mine: found something there, expected a new folder; --force replaces it"):
        tune(tuned)
    with pytest.raises(BundleError, match="found the bundle that is tuned"):
        tune(replace(tuned, out=tuned.base, force=True))
    with pytest.raises(BundleError, match="found no bundle there, expected one to replace, or a new folder"):
        tune(replace(tuned, out=tmp_path, force=True))
    assert sha256(tuned.out / "model.toml") == before


def test_the_command_says_what_is_wrong(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tune", *map(str, arguments), "--base", str(bundle)])
        code = command.main()
        return code, capsys.readouterr().err

    assert run(tmp_path / "absent", "--bundle", tmp_path / "mine") == (
        2, f"tune: {tmp_path}/absent: found no such file or folder, expected {EXPECTED}\n"
    )  # fmt: skip
    code, said = run(shapes(tmp_path / "few", 4), "--bundle", tmp_path / "mine")
    assert (code, said.splitlines()[-1]) == (2, "tune: found 4 usable pictures, expected at least 10")
    assert not (tmp_path / "mine").exists()
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path, "--bundle", "b", "--held-out", "1.5")
