"""The networks in `crates/engine/tests/networks`: the committed files are what the reference computes; ONNX Runtime agrees."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from quantize.arithmetic import vision
from quantize.golden import networks
from quantize.golden.cases import NETWORKS
from quantize.golden.fixtures import ELEMENTS, Fixture
from safetensors.numpy import load_file

FIXTURES = {fixture.name: fixture for fixture in networks.networks()}
# of the values that one step computes, those that float arithmetic may round to the other side
SHARE = 0.01


def runtime(model: onnx.ModelProto, inputs: dict[str, Any]) -> dict[str, Any]:
    """All outputs by ONNX Runtime, QDQ in float as the file is written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # each step takes a few of the constants
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def step(fixture: Fixture, model: onnx.ModelProto, end: onnx.NodeProto) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """The nodes from quantised tensors to `end`, as a model, and the values of these tensors."""
    makers = {output: node for node in model.graph.node for output in node.output}
    constants = {c.name for c in model.graph.initializer}
    wanted, nodes, inputs = list(end.input), [end], {}
    while wanted:
        name = wanted.pop()
        value = fixture.values.get(name)
        if not name or name in constants:
            continue
        if isinstance(value, np.ndarray) and (name == "image" or makers[name].op_type == "QuantizeLinear"):
            inputs[name] = value
        elif makers[name] not in nodes:
            nodes.append(makers[name])
            wanted.extend(makers[name].input)
    ordered = [node for node in model.graph.node if node in nodes]
    declared = [helper.make_tensor_value_info(name, ELEMENTS[value.dtype], value.shape) for name, value in inputs.items()]
    kind = ELEMENTS[fixture.values[end.output[0]].dtype]
    result = helper.make_tensor_value_info(end.output[0], kind, None)
    graph = helper.make_graph(ordered, "step", declared, [result], list(model.graph.initializer))
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version), inputs


@pytest.mark.parametrize("name", FIXTURES)
def test_committed_outputs_are_those_of_the_reference(name: str) -> None:
    stored = load_file(NETWORKS / f"{name}.safetensors")
    model = onnx.load(NETWORKS / f"{name}.onnx")
    for output, value in vision.run(model, stored["image"]).items():
        assert value.tobytes() == stored[output].tobytes(), output


@pytest.mark.parametrize("name", FIXTURES)
def test_each_step_is_within_one_of_onnx_runtime(name: str) -> None:
    fixture = FIXTURES[name]
    model = fixture.model()
    differing, count = 0, 0
    for node in model.graph.node:
        if node.op_type != "QuantizeLinear":
            continue
        ours = fixture.values[node.output[0]]
        theirs = runtime(*step(fixture, model, node))[node.output[0]]
        distance = np.abs(ours.astype(int) - theirs.astype(int))
        assert distance.max() <= 1, node.name
        differing, count = differing + int(distance.sum()), count + distance.size
        # the scales are such that values use their range
        assert np.unique(ours).size > min(ours.size, 20) / 4, node.name
    print(f"{name}: {differing} of {count} values differ")
    assert differing <= SHARE * count


@pytest.mark.parametrize("name", FIXTURES)
def test_whole_networks_agree_with_onnx_runtime(name: str) -> None:
    fixture = FIXTURES[name]
    model = fixture.model()
    ours, theirs = vision.run(model, fixture.image), runtime(model, {"image": fixture.image})
    scales = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    for output, value in ours.items():
        maker = next(node for node in model.graph.node if output in node.output)
        unit = float(scales[maker.input[1]]) if maker.op_type == "DequantizeLinear" else 1e-5
        # a value that is rounded to the other side within may move others by more than one
        far = np.abs(value - theirs[output]) > 1.5 * unit
        assert value.shape == theirs[output].shape
        assert far.mean() <= SHARE, output
