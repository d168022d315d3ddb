"""ONNX's node tests as networks of a picture: what becomes one, and that the committed ones are what the reference computes."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from quantize.golden import nodes
from safetensors.numpy import load_file

STORED = load_file(nodes.FILE)
NAMES = sorted(name.removesuffix(":network") for name in STORED if name.endswith(":network"))
KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int8): TensorProto.INT8, np.dtype(np.int64): TensorProto.INT64}


def case(op: str, inputs: list[NDArray[Any]], output: NDArray[Any], count: int = 1, **attributes: Any) -> Any:
    """A node test with `count` nodes in a row."""
    names = [f"in{at}" for at in range(len(inputs))]
    declared = [
        helper.make_tensor_value_info(name, KINDS[value.dtype], value.shape) for name, value in zip(names, inputs, strict=True)
    ]
    chain = [helper.make_node(op, names if at == 0 else [f"mid{at}"], [f"mid{at + 1}"], **attributes) for at in range(count)]
    chain[-1].output[0] = "y"
    result = helper.make_tensor_value_info("y", KINDS[output.dtype], output.shape)
    model = helper.make_model(helper.make_graph(chain, "test", declared, [result]), opset_imports=[helper.make_opsetid("", 19)])
    return SimpleNamespace(model=model, data_sets=[(inputs, [output])], name=f"test_{op.lower()}")


def test_a_float_picture_is_quantised_before_and_behind_the_node() -> None:
    x = np.array([[-1.0, 0.5], [2.54, 0.0]], np.float32)
    made = nodes.network(case("Relu", [x], np.maximum(x, 0)))
    assert made is not None
    model, picture = made
    assert picture.shape == (1, 1, 1, 4)
    assert [node.op_type for node in model.graph.node] == [
        *["QuantizeLinear", "DequantizeLinear", "Reshape"],
        *["QuantizeLinear", "DequantizeLinear", "Relu", "QuantizeLinear", "DequantizeLinear"],
    ]
    [found] = ReferenceEvaluator(model).run(None, {"picture": picture})
    step = np.float32(2.54 / 127)
    assert np.allclose(found, np.maximum(np.rint(x / step) * step, 0), atol=1e-6)


def test_integers_are_their_own_quantised_form() -> None:
    x = np.array([[3, -128], [127, 0]], np.int8)
    made = nodes.network(case("Transpose", [x], x.T, perm=[1, 0]))
    assert made is not None
    model, picture = made
    assert [node.op_type for node in model.graph.node] == ["QuantizeLinear", "Reshape", "Transpose"]
    [found] = ReferenceEvaluator(model).run(None, {"picture": picture})
    assert np.array_equal(found, x.T)


def test_what_is_no_network_of_a_picture_is_left_out() -> None:
    x = np.zeros((2, 3), np.float32)
    assert nodes.network(case("Relu", [x], x, count=2)) is None, "two nodes"
    assert nodes.network(case("Sin", [x], x)) is None, "an operator that nothing lowers"
    assert nodes.network(case("Abs", [x.astype(np.int64)], x.astype(np.int64))) is None, "numbers that no picture has"
    many = np.zeros((1, nodes.VALUES + 1), np.float32)
    assert nodes.network(case("Relu", [many], many)) is None, "too many values"
    assert nodes.network(case("Relu", [many[:, :0]], many[:, :0])) is None, "none"


def test_the_committed_networks_are_small_and_of_known_operators() -> None:
    assert len(NAMES) > 100
    around = {"QuantizeLinear", "DequantizeLinear", "Reshape"}
    for name in NAMES:
        stored = STORED[f"{name}:network"].tobytes()
        assert len(stored) <= nodes.BYTES, name
        kinds = {node.op_type for node in onnx.load_from_string(stored).graph.node}
        assert kinds <= nodes.OPS | around, name


@pytest.mark.parametrize("name", NAMES[:: len(NAMES) // 12])
def test_committed_outputs_are_those_of_the_reference_and_of_onnx_runtime(name: str) -> None:
    model = onnx.load_from_string(STORED[f"{name}:network"].tobytes())
    picture = STORED[f"{name}:picture"]
    try:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        runtime = session.run(None, {"picture": picture})
    except (onnxruntime.capi.onnxruntime_pybind11_state.Fail, onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented):
        runtime = None
    for index, value in enumerate(ReferenceEvaluator(model).run(None, {"picture": picture})):
        stored = STORED[f"{name}:{index}"]
        assert np.array_equal(np.asarray(value).astype(np.float32).ravel(), stored.ravel()), index
        if runtime is not None:
            step = float(STORED[f"{name}:{index}:step"][0])
            assert np.abs(runtime[index].astype(np.float64) - stored).max() <= 1.01 * step, index
