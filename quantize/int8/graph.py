"""Edits of ONNX graphs before and after quantising, and what they cost."""

from itertools import count
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization.shape_inference import quant_pre_process

LAYERS = ("Conv", "Gemm", "MatMul")


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


def int8_input(model: onnx.ModelProto, scale: float) -> None:
    """Cuts the QuantizeLinear behind the input: the caller feeds the int8 values, of `scale` and zero point 0."""
    graph = model.graph
    name = graph.input[0].name
    first = [n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name]
    if not first:  # every layer that reads the picture is float
        feed_int8(model, scale)
        return
    if len(first) != 1:
        raise ValueError(f"{name}: {len(first)} QuantizeLinear nodes read the input, expected 1")
    for node in graph.node:
        for i, value in enumerate(node.input):
            if value == first[0].output[0]:
                node.input[i] = name
    graph.node.remove(first[0])
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT8


def feed_int8(model: onnx.ModelProto, scale: float) -> None:
    """Puts a DequantizeLinear behind the input of a float graph, which becomes int8."""
    graph = model.graph
    name = graph.input[0].name
    for node in graph.node:
        for i, value in enumerate(node.input):
            if value == name:
                node.input[i] = f"{name}_float"
    graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), f"{name}_scale"))
    graph.node.insert(0, helper.make_node("DequantizeLinear", [name, f"{name}_scale"], [f"{name}_float"]))
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT8


def float_input(model: onnx.ModelProto) -> float | None:
    """Undoes `feed_int8`; the scale that the graph had, None if its input is float."""
    graph = model.graph
    first = graph.node[0]
    if first.op_type != "DequantizeLinear" or first.input[0] != graph.input[0].name:
        return None
    stored = [i for i in graph.initializer if i.name in first.input[1:]]
    scale = next(float(numpy_helper.to_array(i)) for i in stored if i.name == first.input[1])
    for initializer in stored:
        graph.initializer.remove(initializer)
    for node in graph.node:
        node.input[:] = [first.input[0] if name == first.output[0] else name for name in node.input]
    graph.node.remove(first)
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return scale


def dequantise_input(path: Path, scale: float) -> None:
    """Gives a float graph the int8 input of its quantised twin, so that both are fed the same."""
    model = onnx.load(path)
    feed_int8(model, scale)
    onnx.save(model, path)


def weights_only(model: onnx.ModelProto, kept: frozenset[str] = frozenset()) -> None:
    """Weights of products that stayed float become int8 with one scale per output column, dequantised in the graph.

    Nodes named in `kept` are left as they are.
    """
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


def layer_macs(model: onnx.ModelProto) -> dict[str, int]:
    """Multiply-accumulates of each convolution and matrix product by its node's name, in order, from inferred shapes."""
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in [*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input]
    }
    shapes |= {i.name: list(i.dims) for i in inferred.graph.initializer}
    counts = {}
    for node in inferred.graph.node:
        if node.op_type == "Conv":
            counts[node.name or node.output[0]] = int(np.prod(shapes[node.output[0]])) * int(np.prod(shapes[node.input[1]][1:]))
        elif node.op_type in LAYERS:
            # a dimension that is not known (a batch) counts as one
            counts[node.name or node.output[0]] = (
                max(1, int(np.prod([d or 1 for d in shapes[node.output[0]]]))) * shapes[node.input[0]][-1]
            )
    return counts


def macs(model: onnx.ModelProto) -> int:
    """Multiply-accumulates of all convolutions and matrix products."""
    return sum(layer_macs(model).values())
