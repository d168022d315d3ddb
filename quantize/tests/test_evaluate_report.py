"""Tables, JSON and charts of measurements, and `python -m quantize.evaluate --protocol`."""

import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quantize.evaluate.__main__ import main
from quantize.evaluate.on_dataset import listing
from quantize.evaluate.protocols.outcome import Outcome
from quantize.evaluate.protocols.registry import protocols
from quantize.evaluate.report import as_json, markdown, plot
from quantize.evaluate.statistics import Estimate
from quantize.tests.public_sets import instance, paint, write_coco

ROOT = Path(__file__).parents[2]
COLUMNS = {
    "binary": Outcome({"AP": Estimate(0.1234, 0.1, 0.15), "AP rare": Estimate(math.nan, math.nan, math.nan)}, {"pictures": 3}),
    "onnx": Outcome({"AP": Estimate(0.2, math.nan, math.nan), "AP50": Estimate(1.0, 0.5, 1.0)}, {"pictures": 3}),
}


def test_the_table() -> None:
    assert markdown("A set", COLUMNS) == (
        "## A set\n\n"
        "| percent | binary | onnx |\n| --- | ---: | ---: |\n"
        "| AP | 12.3 (10.0–15.0) | 20.0 |\n| AP rare | – | – |\n| AP50 | – | 100.0 (50.0–100.0) |\n\n"
        "On 3 pictures; in brackets the 95 % interval.\n"
    )
    apart = markdown("A set", COLUMNS | {"onnx": Outcome({}, {"pictures": 2, "unreadable": 1})})
    assert "On binary: 3 pictures; onnx: 2 pictures, 1 unreadable; in brackets" in apart


def test_json_has_no_numbers_that_are_none() -> None:
    found = json.loads(as_json("A set", COLUMNS, {"replicates": 5}), parse_constant=lambda name: pytest.fail(name))
    assert found["settings"] == {"replicates": 5}
    assert found["runtimes"]["binary"]["metrics"]["AP"] == {"value": 0.1234, "low": 0.1, "high": 0.15}
    assert found["runtimes"]["binary"]["metrics"]["AP rare"]["value"] is None


def test_the_chart_has_a_bar_for_each_number(tmp_path: Path) -> None:
    plot("A set", COLUMNS, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as chart:
        pixels = np.asarray(chart.convert("RGB"))
    # matplotlib's first two colours: one bar of 12 %, and two of 20 and 100 %.
    first, second = ((pixels == colour).all(axis=2).sum() for colour in ((31, 119, 180), (255, 127, 14)))
    assert second / first == pytest.approx(120 / 12.3, rel=0.15)


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str


Evaluate = Callable[..., Done]


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """`python -m quantize.evaluate` in the repository's root, without the seconds that its imports take."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["evaluate", *(str(a) for a in arguments)])
        return Done(main(), *capsys.readouterr())

    return run


def test_every_protocol_is_listed_with_its_files() -> None:
    text = listing()
    for name, protocol in protocols().items():
        assert f"{name}: {protocol.title}" in text
    for file in ("instances_val2017.json", "lvis_v1_val.json", "ILSVRC2012_val_00000001.JPEG", "gtFine_labelIds.png"):
        assert file in text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--protocol", "coco"], "evaluate: --protocol: found coco, expected one of coco-detection, "),
        (["--protocol", "ovad", "--data", "none", "--runtime", "onnx"], "evaluate: none/ovad2000.json: nothing there, "),
        (["--protocol", "ovad", "--data", "none", "--runtime", "float"], "evaluate: --runtime float: found no --float-model"),
        (["--protocol", "ovad", "--data", "none", "--runtime", "onnx", "--model", "none"], "evaluate: none/model.toml: "),
        (["--protocol", "imagenet", "--templates", "LICENSE-MIT"], 'evaluate: LICENSE-MIT: found "'),
        (["--runtime", "onnx", "float"], "evaluate: --runtime: found 2, expected one for the shards"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(evaluate: Evaluate, arguments: list[str], error: str) -> None:
    done = evaluate(*arguments)
    assert done.code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(error)
    assert done.stderr.count("\n") == 1


def test_runtimes_are_measured_side_by_side(evaluate: Evaluate, tmp_path: Path) -> None:
    runtimes = ["onnx", *(["binary"] if "EDGECLIP_BINARY" in os.environ else [])]
    pictures = {i: paint(90, 60, "white", ((10, 10, 50, 50), "red")) for i in (1, 2, 3)}
    boxes = [instance(i, i, (1, 3)[i % 2], [10, 10, 40, 40], iscrowd=0) for i in (1, 2, 3)]
    data = write_coco(tmp_path / "coco", boxes, pictures)
    (data / "val2017/000000000003.jpg").write_bytes(b"no picture")
    binary = ["--binary", os.environ["EDGECLIP_BINARY"]] if len(runtimes) > 1 else []
    out = tmp_path / "out"
    done = evaluate(
        "--protocol", "coco-boxes", "--data", data, "--runtime", *runtimes, *binary, "--replicates", "9", "--out", out
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert done.stdout.strip() == (out / "coco-boxes.md").read_text().strip()
    assert "evaluate: 1 left out: " in done.stderr
    found = json.loads((out / "coco-boxes.json").read_text())
    assert list(found["runtimes"]) == runtimes
    for measured in found["runtimes"].values():
        assert measured["counts"] == {"pictures": 2, "boxes": 2, "unreadable": 1}
        assert measured["metrics"]["top-1"]["value"] == pytest.approx(0.5)
    with Image.open(out / "coco-boxes.png") as chart:
        assert chart.width > 500
