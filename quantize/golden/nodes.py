"""ONNX's own node tests of quantised operators and of those that the engine lowers, as networks of one quantised picture.

`python -m quantize.golden.nodes` writes `crates/engine/tests/nodes.safetensors`: each network and what ONNX's reference
computes. The picture becomes the test's first input by Q, DQ and Reshape, its other inputs are constants, every output is
quantised again.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

FILE = Path(__file__).parents[2] / "crates/engine/tests/nodes.safetensors"

# What the kernels compute, alone or as a chain of nodes, and the operators of quantised tensors.
OPS = {
    "QuantizeLinear",
    "DequantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
    "Conv",
    "Gemm",
    "MatMul",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Relu",
    "Clip",
    "LeakyRelu",
    "PRelu",
    "Sigmoid",
    "HardSigmoid",
    "HardSwish",
    "Tanh",
    "Elu",
    "Erf",
    "Gelu",
    "Softmax",
    "LogSoftmax",
    "Concat",
    "Slice",
    "Split",
    "Transpose",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Pad",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "ReduceMean",
    "Resize",
    "BatchNormalization",
    "LayerNormalization",
    "ArgMax",
    "ConvTranspose",
    "GlobalMaxPool",
    "ReduceSum",
    "ReduceMax",
    "ReduceMin",
    "Expand",
    "Tile",
    "Gather",
    "DepthToSpace",
    "SpaceToDepth",
    "Max",
    "Min",
    "Sum",
    "Abs",
    "Neg",
    "Exp",
    "Log",
    "Sqrt",
    "Reciprocal",
    "Floor",
    "Ceil",
    "Round",
    "Sign",
    "Selu",
    "Celu",
    "Softsign",
    "Softplus",
    "ThresholdedRelu",
    "Mish",
    "Swish",
}

# Most bytes of a network, and values of its input.
BYTES, VALUES = 3000, 1000

# Types of first inputs that a quantised picture can stand for.
TYPES = (np.float32, np.int8, np.uint8)


def step(values: NDArray[Any]) -> float:
    """A scale in which 127 is the largest value."""
    return max(float(np.abs(values[np.isfinite(values)]).max(initial=0.0)), 0.01) / 127


class Network:
    """Nodes and constants in the order in which they are made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A constant called `name`."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
        return name

    def quantised(self, name: str, scale: float, kind: Any = np.int8, back: bool = True) -> str:
        """Q, and DQ, of the tensor `name`."""
        unit = [
            self.constant(f"{name}_scale", np.array(scale, np.float32)),
            self.constant(f"{name}_zero", np.array(128 if kind == np.uint8 and back else 0, kind)),
        ]
        self.nodes.append(helper.make_node("QuantizeLinear", [name, *unit], [f"{name}_q"], f"{name}_q"))
        if not back:
            return f"{name}_q"
        self.nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", *unit], [f"{name}_dq"], f"{name}_dq"))
        return f"{name}_dq"


def network(case: Any) -> tuple[onnx.ModelProto, NDArray[np.float32]] | None:
    """The test as a network and its picture; None if it cannot be one."""
    model, sets = case.model, case.data_sets
    if len(model.graph.node) != 1 or not sets or model.graph.node[0].op_type not in OPS:
        return None
    inputs, outputs = [list(part) for part in sets[0]]
    arrays = all(isinstance(value, np.ndarray) for value in [*inputs, *outputs])
    if not arrays or not inputs or inputs[0].dtype not in TYPES or not 0 < inputs[0].size <= VALUES:
        return None
    first, made = inputs[0], Network()
    is_float = first.dtype == np.float32
    scale = step(first) if is_float else 1.0
    picture = first.astype(np.float32).reshape(1, 1, 1, -1)
    x = made.quantised("picture", scale) if is_float else made.quantised("picture", scale, first.dtype.type, back=False)
    made.nodes.append(helper.make_node("Reshape", [x, made.constant("shape", np.array(first.shape, np.int64))], ["x"], "reshape"))
    x = made.quantised("x", scale) if is_float else "x"
    node, names = onnx.NodeProto(), [value.name for value in model.graph.input]
    node.CopyFrom(model.graph.node[0])
    node.name = "node"
    places = {names[0]: x} | {
        name: made.constant(f"c{at}", value) for at, (name, value) in enumerate(zip(names, inputs, strict=True)) if at
    }
    node.input[:] = [places.get(name, name) for name in node.input]
    made.nodes.append(node)
    ends = []
    for value, declared in zip(outputs, model.graph.output, strict=True):
        ends.append(made.quantised(declared.name, step(value)) if value.dtype == np.float32 else declared.name)
    info = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, picture.shape)]
    graph = helper.make_graph(
        made.nodes, "node", info, [helper.make_empty_tensor_value_info(end) for end in ends], made.constants
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=min(model.ir_version, 10)), picture


def cases() -> dict[str, NDArray[Any]]:
    """Networks, pictures and outputs by name."""
    found: dict[str, NDArray[Any]] = {}
    for case in load_model_tests(kind="node"):
        made = network(case) if case.model is not None else None
        if made is None or len(made[0].SerializeToString()) > BYTES:
            continue
        model, picture = made
        try:
            outputs = ReferenceEvaluator(model).run(None, {"picture": picture})
        except Exception:
            # The reference lacks some operators between quantised tensors.
            continue
        name = case.name.removeprefix("test_")
        found[f"{name}:network"] = np.frombuffer(model.SerializeToString(), np.uint8)
        found[f"{name}:picture"] = picture
        scales = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        for index, (end, value) in enumerate(zip(model.graph.output, outputs, strict=True)):
            found[f"{name}:{index}"] = np.ascontiguousarray(np.asarray(value).astype(np.float32))
            scale = scales.get(end.name.removesuffix("_dq") + "_scale", np.array(1.0))
            found[f"{name}:{index}:step"] = scale.astype(np.float32).reshape(1)
    return found


if __name__ == "__main__":
    save_file(cases(), FILE)
