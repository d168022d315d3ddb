"""Graph edits and static int8 on graphs small enough to check by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from quantize.export.steps import cosine, run
from quantize.int8.graph import dequantise_input, fuse_pads, macs, shorten, weights_only
from quantize.int8.ptq import static_int8

RNG = np.random.default_rng(0)
Floats = NDArray[np.float32]


def floats(*shape: int) -> Floats:
    return RNG.normal(size=shape).astype(np.float32)


def graph(nodes: list[onnx.NodeProto], inputs: list[int], output: list[int | str], **constants: NDArray[Any]) -> onnx.ModelProto:
    """`x` → `y`."""
    made = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def padded_conv(pads: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 1, 1), own: tuple[int, ...] = (0, 0, 0, 0)) -> onnx.ModelProto:
    return graph(
        [
            helper.make_node("Pad", ["x", "pads"], ["padded"]),
            helper.make_node("Conv", ["padded", "w", "b"], ["conv"], kernel_shape=[3, 3], strides=[2, 2], pads=own, name="conv"),
            helper.make_node("Relu", ["conv"], ["y"]),
        ],
        [1, 3, 8, 8],
        [1, 5, "h", "w"],
        pads=np.array(pads, np.int64),
        w=floats(5, 3, 3, 3) * np.array([1, 20, 0.05, 1, 1], np.float32)[:, None, None, None],
        b=floats(5),
    )


def outputs(model: onnx.ModelProto, x: NDArray[Any], path: Path) -> Floats:
    onnx.save(model, path)
    return run(path, {"x": x})[0]


@pytest.mark.parametrize("pads", [(0, 0, 0, 0, 0, 0, 1, 1), (0, 0, 1, 0, 0, 0, 2, 1)])
def test_pads_move_into_the_convolution(pads: tuple[int, ...], tmp_path: Path) -> None:
    model, x = padded_conv(pads), floats(1, 3, 8, 8)
    before = outputs(model, x, tmp_path / "before.onnx")
    fuse_pads(model)
    assert [n.op_type for n in model.graph.node] == ["Conv", "Relu"]
    (found,) = [list(a.ints) for a in model.graph.node[0].attribute if a.name == "pads"]
    assert found == [pads[2], pads[3], pads[6], pads[7]]
    assert outputs(model, x, tmp_path / "after.onnx") == pytest.approx(before, abs=1e-5)


def test_a_convolution_that_pads_by_itself_is_left_alone() -> None:
    with pytest.raises(ValueError, match=r"conv: already padded by \[1, 1, 1, 1\], expected zeros"):
        fuse_pads(padded_conv(own=(1, 1, 1, 1)))


def test_short_names_change_no_value_and_spare_those_of_inputs_and_outputs(tmp_path: Path) -> None:
    model, x = padded_conv(), floats(1, 3, 8, 8)
    model.graph.output[0].name = model.graph.node[-1].output[0] = "0"
    before = outputs(model, x, tmp_path / "before.onnx")
    shorten(model)
    assert np.array_equal(outputs(model, x, tmp_path / "after.onnx"), before)
    named = [list(node.input) + list(node.output) for node in model.graph.node]
    assert named == [["x", "1", "2"], ["2", "3", "4", "5"], ["5", "0"]]
    assert [node.name for node in model.graph.node] == ["", "conv", ""]


def test_static_int8_is_plain_qdq_with_int8_input(tmp_path: Path) -> None:
    onnx.save(padded_conv(), tmp_path / "float.onnx")
    inputs = [np.asarray(np.rint(np.clip(floats(1, 3, 8, 8), -1, 1) * 100) / 100, np.float32) for _ in range(8)]
    static_int8(tmp_path / "float.onnx", tmp_path / "int8.onnx", inputs, 1 / 100)
    model = onnx.load(tmp_path / "int8.onnx")
    assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.INT8
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    by_output = {n.output[0]: n for n in model.graph.node}
    (conv,) = [n for n in model.graph.node if n.op_type == "Conv"]
    x, w, b = (by_output[i] for i in conv.input)
    assert x.input[0] == "x"
    assert constants[x.input[1]] == pytest.approx(1 / 100)
    assert constants[x.input[2]] == 0
    assert constants[w.input[0]].dtype == np.int8
    assert constants[w.input[1]].shape == (5,)  # one scale per channel, so that the small one keeps its digits
    assert (constants[w.input[2]] == 0).all()
    assert np.abs(constants[w.input[0]]).reshape(5, -1).max(1).min() >= 126
    assert constants[b.input[0]].dtype == np.int32
    assert [list(a.ints) for a in conv.attribute if a.name == "pads"] == [[0, 0, 1, 1]]
    expected = run(tmp_path / "float.onnx", {"x": inputs[0]})[0]
    found = run(tmp_path / "int8.onnx", {"x": np.rint(inputs[0] * 100).astype(np.int8)})[0]
    assert cosine(found.reshape(1, -1), expected.reshape(1, -1), 1) > 0.999


def test_the_float_twin_takes_the_same_int8_input(tmp_path: Path) -> None:
    model = padded_conv()
    fuse_pads(model)
    path, x = tmp_path / "twin.onnx", RNG.integers(-128, 128, (1, 3, 8, 8)).astype(np.int8)
    expected = outputs(model, x.astype(np.float32) * np.float32(0.25), path)
    dequantise_input(path, 0.25)
    onnx.checker.check_model(onnx.load(path))
    assert run(path, {"x": x})[0] == pytest.approx(expected, abs=1e-5)


def product(w: Floats) -> onnx.ModelProto:
    return graph([helper.make_node("MatMul", ["x", "w"], ["y"])], [4, len(w)], [4, w.shape[1]], w=w)


def test_weights_only_is_exact_for_what_int8_holds(tmp_path: Path) -> None:
    scale = np.array([0.5, 2.0, 0.125], np.float32)
    q = RNG.integers(-127, 128, (16, 3)).astype(np.float32)
    q[0] = 127
    # whole numbers and powers of two: every order of the sums gives the same
    model, x = product(q * scale), RNG.integers(-9, 10, (4, 16)).astype(np.float32)
    expected = outputs(model, x, tmp_path / "float.onnx")
    weights_only(model)
    onnx.checker.check_model(model)
    assert [n.op_type for n in model.graph.node] == ["DequantizeLinear", "MatMul"]
    assert {i.data_type for i in model.graph.initializer if len(i.dims) == 2} == {TensorProto.INT8}
    assert (outputs(model, x, tmp_path / "int8.onnx") == expected).all()


def test_weights_only_errs_by_half_a_step_at_most(tmp_path: Path) -> None:
    w = floats(32, 6) * np.logspace(-3, 2, 6).astype(np.float32)
    w[:, 0] = 0
    model = product(w)
    weights_only(model)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 32
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 32
    found = outputs(model, np.eye(32, dtype=np.float32), tmp_path / "int8.onnx")
    assert (np.abs(found - w) <= np.abs(w).max(0) / 127 * 0.5001 + 1e-12).all()


def test_macs_by_hand() -> None:
    model = graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["a", "d"], ["b"], kernel_shape=[3, 3], group=6, pads=[1, 1, 1, 1]),
            helper.make_node("GlobalAveragePool", ["b"], ["c"]),
            helper.make_node("Flatten", ["c"], ["e"]),
            helper.make_node("Gemm", ["e", "g"], ["f"], transB=1),
            helper.make_node("MatMul", ["f", "m"], ["y"]),
        ],
        [1, 4, 10, 10],
        [1, 7],
        w=floats(6, 4, 3, 3), d=floats(6, 1, 3, 3), g=floats(8, 6), m=floats(8, 7),
    )  # fmt: skip
    assert macs(model) == 5 * 5 * 6 * 4 * 9 + 5 * 5 * 6 * 9 + 6 * 8 + 8 * 7
