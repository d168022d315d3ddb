"""Static post-training int8: float ONNX → plain QDQ ONNX (per-channel symmetric weights, per-tensor activations, int32 bias)."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

# of the activations of a tensor; the full range costs 2.4 points of AP50, 99.9 % costs 5
PERCENTILE = 99.99
QUANTISED_OPS = [
    "Conv", "Gemm", "Add", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize", "LeakyRelu", "Relu", "Clip",
    "Reshape", "Transpose", "Split", "Slice", "Flatten",
]  # fmt: skip


class Reader(CalibrationDataReader):  # type: ignore[misc]
    """Feeds calibration inputs one by one."""

    def __init__(self, name: str, inputs: list[NDArray[np.float32]]) -> None:
        self.items: Iterator[dict[str, NDArray[np.float32]]] = iter([{name: x} for x in inputs])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self.items, None)


def fuse_pads(model: onnx.ModelProto) -> None:
    """Moves a constant zero Pad in front of a Conv into the Conv (TensorFlow's SAME padding at stride 2 is asymmetric)."""
    graph = model.graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    values |= {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    pads = {n.output[0]: n for n in graph.node if n.op_type == "Pad" and n.input[1] in values}
    for node in graph.node:
        if node.op_type == "Conv" and node.input[0] in pads:
            pad = pads[node.input[0]]
            top, left, bottom, right = (int(values[pad.input[1]][i]) for i in (2, 3, 6, 7))
            for attribute in node.attribute:
                if attribute.name == "pads":
                    if any(attribute.ints):
                        raise ValueError(
                            f"{node.name}: already padded by {list(attribute.ints)}, expected zeros before a Pad is fused"
                        )
                    attribute.ints[:] = [top, left, bottom, right]
            node.input[0] = pad.input[0]
    for pad in pads.values():
        graph.node.remove(pad)


def fold(source: Path, target: Path) -> None:
    """Folds constants and padding, and infers shapes."""
    quant_pre_process(str(source), str(target), skip_symbolic_shape=True)
    model = onnx.load(target)
    fuse_pads(model)
    onnx.save(onnx.shape_inference.infer_shapes(model), target)


def static_int8(source: Path, target: Path, inputs: list[NDArray[np.float32]], fixed_input_scale: float | None) -> None:
    """Quantises `source`. With `fixed_input_scale` the graph's input becomes int8 with that scale and zero point 0."""
    name = onnx.load(source).graph.input[0].name
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        fold(source, prepared)
        model = onnx.load(prepared)
        # tract 0.23.9 computes Softmax → Q → DQ → Gemm wrongly by a factor; a distribution is also poorly served by 8 bits
        distributions = {n.output[0] for n in model.graph.node if n.op_type == "Softmax"}
        kept = [n.name for n in model.graph.node if n.op_type not in QUANTISED_OPS or distributions & set(n.input)]
        overrides = {}
        if fixed_input_scale is not None:
            overrides[name] = [{"scale": np.array(fixed_input_scale, np.float32), "zero_point": np.array(0, np.int8)}]
        quantize_static(
            str(prepared), str(target), Reader(name, inputs),
            quant_format=QuantFormat.QDQ, op_types_to_quantize=QUANTISED_OPS, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, nodes_to_exclude=kept,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True, "CalibPercentile": PERCENTILE}
            | {"TensorQuantOverrides": overrides},
        )  # fmt: skip
    model = onnx.load(target)
    if fixed_input_scale is not None:
        int8_input(model, name)
    weights_only(model)
    shorten(model)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def int8_input(model: onnx.ModelProto, name: str) -> None:
    """Cuts the QuantizeLinear behind the input: the caller feeds the int8 values."""
    graph = model.graph
    first = [n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name]
    if len(first) != 1:
        raise ValueError(f"{name}: {len(first)} QuantizeLinear nodes read the input, expected 1")
    for node in graph.node:
        for i, value in enumerate(node.input):
            if value == first[0].output[0]:
                node.input[i] = name
    graph.node.remove(first[0])
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT8


def dequantise_input(path: Path, scale: float) -> None:
    """Gives a float graph the int8 input of its quantised twin, so that both are fed the same."""
    model = onnx.load(path)
    graph = model.graph
    name = graph.input[0].name
    for node in graph.node:
        for i, value in enumerate(node.input):
            if value == name:
                node.input[i] = f"{name}_float"
    graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), f"{name}_scale"))
    graph.node.insert(0, helper.make_node("DequantizeLinear", [name, f"{name}_scale"], [f"{name}_float"]))
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT8
    onnx.save(model, path)


def weights_only(model: onnx.ModelProto) -> None:
    """Weights of products that stayed float become int8 with a scale an output column, dequantised in the graph."""
    graph = model.graph
    float_weights = {i.name: i for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT and len(i.dims) == 2}
    for node in [n for n in graph.node if n.op_type in ("MatMul", "Gemm") and n.input[1] in float_weights]:
        initializer = float_weights[node.input[1]]
        w = numpy_helper.to_array(initializer)
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        axis = 0 if transposed else 1
        scale = (np.maximum(np.abs(w).max(1 - axis, keepdims=True), 1e-8) / 127).astype(np.float32)
        q = np.clip(np.rint(w / scale), -127, 127).astype(np.int8)
        names = [f"{initializer.name}_{part}" for part in ("int8", "scale", "zero", "dequantised")]
        for array, tensor_name in zip((q, scale.reshape(-1), np.zeros(scale.size, np.int8)), names[:3], strict=True):
            graph.initializer.append(numpy_helper.from_array(array, tensor_name))
        dq = helper.make_node("DequantizeLinear", names[:3], [names[3]], name=names[3], axis=axis)
        graph.node.insert(list(graph.node).index(node), dq)
        node.input[1] = names[3]
        graph.initializer.remove(initializer)


def shorten(model: onnx.ModelProto) -> None:
    """Numbers the tensors, whose names are a twentieth of the file; inputs, outputs and nodes other than Q and DQ keep theirs."""
    graph = model.graph
    kept = {value.name for value in [*graph.input, *graph.output]}
    free = (number for number in map(str, count()) if number not in kept)
    # Names that stay, the empty one of an input left out among them.
    numbers = {name: name for name in kept | {""}}

    def short(name: str) -> str:
        if name not in numbers:
            numbers[name] = next(free)
        return numbers[name]

    for node in graph.node:
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.name = ""
    for initializer in graph.initializer:
        initializer.name = short(initializer.name)
    del graph.value_info[:]


def macs(model: onnx.ModelProto) -> int:
    """Multiply-accumulates of all convolutions and matrix products, from inferred shapes."""
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in [*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input]
    }
    shapes |= {i.name: list(i.dims) for i in inferred.graph.initializer}
    total = 0
    for node in inferred.graph.node:
        if node.op_type == "Conv":
            total += int(np.prod(shapes[node.output[0]])) * int(np.prod(shapes[node.input[1]][1:]))
        elif node.op_type in ("Gemm", "MatMul"):
            total += int(np.prod(shapes[node.output[0]])) * shapes[node.input[0]][-1]
    return total
