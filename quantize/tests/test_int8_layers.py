"""Sensitivity ranks a planted bad layer first; mixed precision keeps its budget and finds what brute force finds."""

from itertools import combinations
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from quantize.arithmetic import vision
from quantize.export.steps import run
from quantize.int8.bundles import outputs_of
from quantize.int8.mixed import choose
from quantize.int8.network import QdqNet
from quantize.int8.ptq import Method
from quantize.int8.sensitivity import Bench, sensitivity, write
from quantize.tests.networks import SCALE, planted, prepared, separable


def bench(model: onnx.ModelProto, folder: Path) -> Bench:
    return Bench(prepared(model, folder), Method(ranges="minmax"), range(6))


@pytest.mark.parametrize("bad", ["b", "c"])
def test_a_planted_bad_layer_is_first(bad: str, tmp_path: Path) -> None:
    b = bench(planted(bad), tmp_path)
    rows = sensitivity(b, b.groups())
    assert {r.name for r in rows} == {"a", "b", "c", "d"}
    assert rows[0].name == bad
    assert rows[0].gain is not None
    assert rows[0].gain == max(r.gain for r in rows if r.gain is not None)
    assert rows[0].alone > 3 * rows[1].alone


def test_all_float_is_float_and_all_int8_is_int8(tmp_path: Path) -> None:
    b = bench(planted("b"), tmp_path)
    assert b.measure(b.nodes)[0].total < 1e-5  # weights are clipped to their range of least error
    inputs = [np.rint(x / SCALE).astype(np.int8) for x in b.inputs]
    model = b.build(())
    for found, x in zip(outputs_of(model, inputs), inputs, strict=True):
        # ONNX Runtime rounds once more here and there
        assert np.abs(found["embedding"] - vision.run(model, x)["embedding"]).max() < 0.02 * np.abs(found["embedding"]).max()


@pytest.mark.parametrize("layer", ["expand", "depthwise", "project"])
def test_a_float_layer_holds_float_weights_between_int8_tensors(layer: str, tmp_path: Path) -> None:
    b = bench(separable(), tmp_path)
    model = b.build([layer])
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    by_output = {n.output[0]: n for n in model.graph.node}
    node = next(n for n in model.graph.node if n.name == layer)
    assert constants[node.input[1]].dtype == np.float32
    assert by_output[node.input[0]].op_type == "DequantizeLinear"
    for other in model.graph.node:
        if other.op_type == "Conv" and other.name != layer:
            assert by_output[other.input[1]].op_type == "DequantizeLinear"
    onnx.save(model, tmp_path / "mixed.onnx")
    for x in b.inputs[:2]:
        image = np.rint(x / SCALE).astype(np.int8)
        found = vision.run(model, image)["embedding"]
        (wanted,) = run(tmp_path / "mixed.onnx", {"image": image})
        step = np.abs(wanted).max() / 127
        assert np.abs(found - wanted).max() < 2.5 * step
        assert np.abs(found - wanted).mean() < 0.05 * step
        with torch.no_grad():
            trained = QdqNet(model).eval()(torch.from_numpy(image.astype(np.float32)))["embedding"].numpy()
        assert np.abs(trained - found).mean() < 0.05 * step


def test_a_float_layer_behind_a_clip_loses_no_more_than_int8(tmp_path: Path) -> None:
    b = bench(separable("Clip", spread=3.0), tmp_path)
    whole = b.measure(())[0].total
    for layer in ("expand", "depthwise", "project"):
        assert b.measure([layer])[0].total < 1.3 * whole


def test_the_budget_is_kept_and_the_best_is_chosen(tmp_path: Path) -> None:
    b = bench(planted("c"), tmp_path)
    groups, total = b.groups(), sum(b.macs.values())
    budget = b.macs["c"] + b.macs["d"]
    chosen, start = choose(b, groups, budget)
    assert sum(c.macs for c in chosen) <= budget
    assert [c.macs for c in chosen] == [b.macs[c.name] for c in chosen]
    assert chosen[-1].noise < start
    fitting = [s for n in range(5) for s in combinations(groups, n) if sum(b.macs[x] for x in s) <= budget]
    best = min(b.measure(s)[0].total for s in fitting)
    assert chosen[-1].noise <= best * 1.05
    assert b.measure([c.name for c in chosen])[0].total == pytest.approx(chosen[-1].noise)
    assert total > budget


def test_a_budget_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    b = bench(planted("b"), tmp_path)
    with pytest.raises(ValueError, match=rf"budget: found 3 MACs, expected at least {b.macs['d']}, those of d"):
        choose(b, b.groups(), 3)


def test_blocks_are_parts_of_names(tmp_path: Path) -> None:
    model = planted("b")
    for node, name in zip(model.graph.node, ["/x/p/a", "/x/p/r", "/x/q/b", "/x/q/r", "/x/q/c", "/x/q/s", "/y/d"], strict=True):
        node.name = name
    b = bench(model, tmp_path)
    assert list(b.groups(2)) == ["x/p", "x/q", "y"]
    assert b.groups(2)["x/q"] == ["/x/q/b", "/x/q/r", "/x/q/c", "/x/q/s"]
    assert list(b.groups(1)) == ["x", "y"]


def test_the_report_holds_a_row_a_layer_and_a_plot(tmp_path: Path) -> None:
    b = bench(planted("b"), tmp_path)
    rows = sensitivity(b, b.groups(), gains=2)
    write(rows, b.measure(())[0], tmp_path / "report")
    lines = (tmp_path / "report/sensitivity.md").read_text().splitlines()
    assert [line.split("|")[1].strip() for line in lines[4:]] == [f"`{r.name}`" for r in rows]
    assert lines[-1].endswith("| – |")
    assert (tmp_path / "report/sensitivity.png").read_bytes().startswith(b"\x89PNG")
