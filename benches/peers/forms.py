"""Other forms of one QDQ network: another input size, unsigned activations, float."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

QDQ = ("QuantizeLinear", "DequantizeLinear")


def copy(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy to change."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    return result


def constants(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """The initializers by name."""
    return {tensor.name: tensor for tensor in graph.initializer}


def input_size(model: onnx.ModelProto) -> int:
    """Side of the square input."""
    return int(model.graph.input[0].type.tensor_type.shape.dim[2].dim_value)


def at_size(model: onnx.ModelProto, size: int) -> onnx.ModelProto:
    """The network for pictures of `size` × `size`: declared shapes, and the height and width that Reshape nodes name."""
    before, model = input_size(model), copy(model)
    if before == size:
        return model
    graph = model.graph
    known = constants(graph)
    for dim in graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value = size
    for name in {node.input[1] for node in graph.node if node.op_type == "Reshape"}:
        shape = numpy_helper.to_array(known[name]).copy()
        places, rest = shape[-2:] * size, shape[-2:] * size % before
        if len(shape) < 4 or rest.any():
            raise ValueError(f"{name}: a Reshape to {shape.tolist()}, which does not scale from {before} to {size} pixels")
        shape[-2:] = places // before
        known[name].CopyFrom(numpy_helper.from_array(shape, name))
    del graph.value_info[:]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    del inferred.graph.value_info[:]
    return inferred


def unsigned(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with u8 activations and a u8 input: zero points and input values move by 128."""
    model = copy(model)
    graph = model.graph
    known = constants(graph)
    for node in graph.node:
        if node.op_type not in QDQ or node.input[0] in known:
            continue
        name = f"{node.input[2]}_u8"
        if name not in known:
            zero = numpy_helper.to_array(known[node.input[2]])
            known[name] = numpy_helper.from_array((zero.astype(np.int16) + 128).astype(np.uint8), name)
            graph.initializer.append(known[name])
        node.input[2] = name
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    del graph.value_info[:]
    return model


def float_twin(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network without quantisation: float weights, float input, no Q/DQ.

    Quantisers drop a ReLU or ReLU6 in front of a QuantizeLinear whose range does the same; it comes back as Clip.
    """
    model = copy(model)
    graph = model.graph
    known = constants(graph)
    makers = {output: node for node in graph.node for output in node.output}
    kept: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    added: dict[str, onnx.TensorProto] = {}
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        if node.op_type not in QDQ:
            kept.append(node)
        elif node.input[0] in known:
            added[node.output[0]] = numpy_helper.from_array(dequantised(node, known), node.output[0])
        elif (
            node.op_type == "QuantizeLinear"
            and known[node.input[2]].data_type == onnx.TensorProto.INT8
            and (numpy_helper.to_array(known[node.input[2]]) == -128 and makers[node.input[0]].op_type in ("Conv", "Gemm", "Add"))
        ):
            name = f"{node.output[0]}_clipped"
            top = np.asarray(numpy_helper.to_array(known[node.input[1]]) * np.float32(255))
            for bound, value in (("low", np.zeros((), np.float32)), ("high", top)):
                added[f"{name}_{bound}"] = numpy_helper.from_array(value, f"{name}_{bound}")
            kept.append(helper.make_node("Clip", [node.input[0], f"{name}_low", f"{name}_high"], [name], name=name))
            renamed[node.output[0]] = name
        else:
            renamed[node.output[0]] = node.input[0]
    names = {output.name: renamed.get(output.name, output.name) for output in graph.output}
    kept += [helper.make_node("Identity", [made], [name], name=f"{name}_output") for name, made in names.items() if made != name]
    used = {name for node in kept for name in node.input}
    initializers = [tensor for tensor in [*known.values(), *added.values()] if tensor.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(kept)
    graph.initializer.extend(initializers)
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.checker.check_model(model)
    return model


def dequantised(node: onnx.NodeProto, known: dict[str, onnx.TensorProto]) -> NDArray[np.float32]:
    """What a DequantizeLinear makes of a constant."""
    values, scale = (numpy_helper.to_array(known[name]) for name in node.input[:2])
    zero = numpy_helper.to_array(known[node.input[2]]) if len(node.input) > 2 else np.zeros_like(scale)
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
    if scale.size > 1:
        shape = [-1 if index == axis % values.ndim else 1 for index in range(values.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    result: NDArray[np.float32] = (values.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
    return result


def input_scale(model: onnx.ModelProto) -> float:
    """Scale of the int8 input of a QDQ network, whose zero point is 0."""
    first = next(node for node in model.graph.node if model.graph.input[0].name in node.input)
    return float(numpy_helper.to_array(constants(model.graph)[first.input[1]]))


def first_layers(model: onnx.ModelProto, convolutions: int) -> onnx.ModelProto:
    """The network up to what is dequantised behind each of its first convolutions, all of which are outputs."""
    model = onnx.shape_inference.infer_shapes(copy(model))
    graph = model.graph
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs: list[str] = []
    for node in graph.node:
        if node.op_type == "Conv" and len(outputs) < convolutions:
            behind = readers[node.output[0]][0]
            while behind.op_type != "QuantizeLinear":
                behind = readers[behind.output[0]][0]
            outputs.append(next(reader for reader in readers[behind.output[0]] if reader.op_type == "DequantizeLinear").output[0])
    return onnx.utils.Extractor(model).extract_model([graph.input[0].name], outputs)


def output_scales(model: onnx.ModelProto) -> list[float]:
    """The scale of each output of a QDQ network."""
    known = constants(model.graph)
    makers = {output: node for node in model.graph.node for output in node.output}
    return [float(numpy_helper.to_array(known[makers[output.name].input[1]])) for output in model.graph.output]


def output_lengths(model: onnx.ModelProto) -> list[int]:
    """The number of values of each output."""
    return [int(np.prod([dim.dim_value for dim in output.type.tensor_type.shape.dim])) for output in model.graph.output]
