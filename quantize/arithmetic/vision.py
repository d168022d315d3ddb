"""The integer arithmetic of the Rust engine in numpy, on the same QDQ file. `crates/kernels/src/lib.rs` states the arithmetic.

`python -m quantize.arithmetic.vision MODEL.onnx INPUT.safetensors OUTPUT.safetensors` runs the tensor `input` and writes all
outputs.
Chains that the engine leaves in float (a softmax and the layer behind it) are computed in float here, too.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

from quantize.arithmetic import functions
from quantize.arithmetic.integers import (
    INFINITY,
    Array,
    F,
    Line,
    Quantised,
    Responses,
    Shares,
    Sums,
    bias_units,
    conv,
    mean,
    product,
    real_conv,
    real_product,
    saturate,
    softmax,
    spread,
    upsample,
    windows,
)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """By name."""
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def real(x: Any) -> Array:
    """In float32, what a node of float values reads."""
    if isinstance(x, Sums):
        raise ValueError(f"{x}: sums that are not quantised, expected a tensor")
    return x.value if isinstance(x, Quantised | Line | Shares | Responses) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether it is quantised and not stored in the file."""
    return isinstance(x, Quantised) and not x.constant


def line(op: str, inputs: list[Any], a: dict[str, Any]) -> Line | None:
    """Nodes with a constant of every channel; None if there is none, or nothing that they are a line of."""
    x, others = inputs[0], [real(constant).astype(np.float64) for constant in inputs[1:] if not is_tensor(constant)]
    if isinstance(x, Quantised) and not x.constant:
        x = Line(x, np.array(1.0), np.array(0.0), np.array(1, F))
    if not isinstance(x, Line) or not others or others[0].size == 1:
        return None
    m, b, first = x.multiplier, x.offset, others[0]
    match op:
        case "Mul":
            return replace(x, multiplier=m * first, offset=b * first)
        case "Div":
            return replace(x, multiplier=m / first, offset=b / first)
        case "Add":
            return replace(x, offset=b + first)
        case "Sub":
            return replace(x, offset=b - first)
        case "PRelu":
            return replace(x, slope=first.astype(F))
        case "BatchNormalization":
            scale, shift, mean_, variance = (values.reshape(-1, 1, 1) for values in others)
            factor = scale / np.sqrt(variance + np.float64(F(a.get("epsilon", 1e-5))))
            return replace(x, multiplier=m * factor, offset=(b - mean_) * factor + shift)
    return None


def joined(op: str, x: Any, y: Any) -> Sums | None:
    """Add and Mul of two quantised tensors, a sum and a tensor, a product and its bias; None if they are of one tensor."""
    if is_tensor(x) and is_tensor(y) and x is not y:
        if op == "Mul":
            return Sums([(x.centred * y.centred, x.scale * y.scale)])
        return Sums([(x.centred, x.scale), (y.centred, -y.scale if op == "Sub" else y.scale)])
    if op != "Add" or not (isinstance(x, Sums) or isinstance(y, Sums)):
        return None
    sums, other = (x, y) if isinstance(x, Sums) else (y, x)
    if is_tensor(other):
        return Sums([*sums.terms, (other.centred, other.scale)])
    values, unit = sums.terms[0]
    return Sums([(values + bias_units(other, unit), unit)])


def clip(inputs: list[Any], a: dict[str, Any]) -> Any:
    """Of integers, of sums, or of float values."""
    x, *bounds = (*inputs, None, None)[:3]
    names = zip(bounds, (("min", -INFINITY), ("max", INFINITY)), strict=True)
    low, high = (float(real(bound)) if bound is not None else a.get(name, default) for bound, (name, default) in names)
    if isinstance(x, Sums):
        return x.within(low, high)
    value = real(x)
    return np.clip(value, low, high).astype(value.dtype)


def moved(op: str, x: Array, others: list[Any], a: dict[str, Any]) -> Any:
    """The ops that move values; Split has several results."""
    match op:
        case "Transpose":
            return x.transpose(a.get("perm"))
        case "Flatten":
            return x.reshape(int(np.prod(x.shape[: a.get("axis", 1)])), -1)
        case "Reshape":
            return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(others[0])])
        case "Squeeze":
            return x.squeeze(tuple(others[0]) if others else None)
        case "Unsqueeze":
            return np.expand_dims(x, tuple(others[0]))
        case "Slice":
            starts, ends, axes, *steps = (list(map(int, i)) for i in others)
            for at, (start, end, axis) in enumerate(zip(starts, ends, axes, strict=True)):
                x = x.take(range(x.shape[axis])[start : end : steps[0][at] if steps else 1], axis)
            return x
        case "Split":
            return np.split(x, np.cumsum(others[0])[:-1], a.get("axis", 0))
    raise ValueError(f"{op}: no op that moves values")


def pooled(op: str, x: Quantised, others: list[Any], a: dict[str, Any]) -> Any:
    """Windows and whole pictures, smaller or larger."""
    match op:
        case "MaxPool":
            view = windows(x.q[0], a, np.iinfo(x.q.dtype).min)
            return Quantised(view.max((3, 4))[None], x.scale, x.zero)
        case "AveragePool":
            return mean(x, a)
        case "GlobalAveragePool" | "ReduceMean":
            keep = bool(a.get("keepdims", 1))
            count = np.array(x.q.shape[2] * x.q.shape[3])
            return Sums([(x.centred.sum((2, 3), keepdims=keep), x.scale)], count)
        case "Resize" if a["mode"] == b"nearest":
            return Quantised(x.q.repeat(2, 2).repeat(2, 3), x.scale, x.zero)
        case "Resize":
            return Sums([(upsample(x.centred), x.scale)], np.array(16))
    raise ValueError(f"{op}: no pooling")


def compute(node: onnx.NodeProto, inputs: list[Any], a: dict[str, Any]) -> Any:
    """The value of one node: Quantised where only quantised values move, Sums where they add up, an array in float."""
    x, op, others = inputs[0], node.op_type, inputs[1:]
    match op:
        case "Conv" if isinstance(x, Quantised) and isinstance(others[0], Quantised):
            return conv(x, others[0], others[1] if len(others) > 1 else None, a)
        case "Conv":
            return real_conv(real(x), real(others[0]), real(others[1]) if len(others) > 1 else None, a)
        case "Gemm" | "MatMul" if isinstance(x, Quantised) and isinstance(others[0], Quantised):
            return product(x, others[0], others[1] if len(others) > 1 else None, bool(a.get("transB", 0)))
        case "Gemm" | "MatMul":
            w = real(others[0]).T if a.get("transB", 0) else real(others[0])
            return real_product(real(x), w) + (real(others[1]) if len(others) > 1 else F(0))
        case "Add" | "Mul" | "Sub" if (sums := joined(op, *inputs)) is not None:
            return sums
        case "Mul" | "Div" | "Add" | "Sub" | "PRelu" | "BatchNormalization" if (found := line(op, inputs, a)) is not None:
            return found
        case "Relu" if isinstance(x, Sums):
            return x.within(0, INFINITY)
        case "Relu" if isinstance(x, Line):
            return replace(x, bounds=(0.0, INFINITY))
        case "Clip":
            return clip(inputs, a)
        case "Softmax" if is_tensor(x):
            return Shares(x, a.get("axis", -1))
        case "Softmax":
            return softmax(real(x), a.get("axis", -1))
        case "LRN":
            return Responses(x, a)
        case "Pad":
            sides = [int(n) for n in others[0]]
            return np.pad(real(x), list(zip(sides[:4], sides[4:], strict=True)), constant_values=float(others[1]))
        case "Concat" if all(is_tensor(term) and term.unit == x.unit for term in inputs):
            return x.moved(np.concatenate([term.q for term in inputs], a["axis"]))
        case "Concat":
            return np.concatenate([real(term) for term in inputs], a["axis"])
        case "Relu" if is_tensor(x):
            return x.moved(np.maximum(x.q, x.zero))
        case "MaxPool" if isinstance(x, np.ndarray):
            return windows(x[0], a, np.iinfo(x.dtype).min).max((3, 4))[None]
        case "Identity" | "Dropout":
            return x
        case "Split" if is_tensor(x):
            return [x.moved(part) for part in moved(op, x.q, others, a)]
        case "Transpose" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Slice" if is_tensor(x):
            return x.moved(moved(op, x.q, others, a))
        case "Transpose" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Slice" | "Split":
            return moved(op, real(x), others, a)
        case "MaxPool" | "AveragePool" | "GlobalAveragePool" | "ReduceMean" | "Resize":
            return pooled(op, x, others, a)
        case _ if op in functions.OPS:
            return functions.apply(op, [real(term) for term in inputs], a)
    raise ValueError(f"{node.name}: found op {op}, expected one that the engine lowers")


def quantise(x: Any, scale: Array, zero: Array, axis: int) -> Array:
    """What a QuantizeLinear makes of sums or values."""
    if isinstance(x, Sums | Line | Shares | Responses):
        return x.quantise(scale, zero)
    value = real(x)
    return saturate(value / spread(scale, value.ndim, axis), spread(zero, value.ndim, axis))


def run(model: onnx.ModelProto, image: Array) -> dict[str, Array]:
    """All outputs in float32 for `image`, the input `[1, C, H, W]`."""
    graph = model.graph
    values: dict[str, Any] = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    constants = set(values)
    values[graph.input[0].name] = image
    for node in graph.node:
        a = attributes(node)
        inputs: list[Any] = [values[name] if name else None for name in node.input]
        match node.op_type:
            case "Constant":
                values[node.output[0]] = numpy_helper.to_array(a["value"])
            case "DequantizeLinear":
                q, scale, zero = (*inputs, np.zeros_like(inputs[1], inputs[0].dtype))[:3]
                values[node.output[0]] = Quantised(q, scale, zero, a.get("axis", 1), node.input[0] in constants)
            case "QuantizeLinear":
                scale, zero = (*inputs[1:], np.zeros_like(inputs[1], np.uint8))[:2]
                values[node.output[0]] = quantise(inputs[0], scale, zero, a.get("axis", 1))
            case "Split":
                values.update(zip(node.output, compute(node, inputs, a), strict=True))
            case _:
                values[node.output[0]] = compute(node, inputs, a)
        if all(name in constants or not name for name in node.input):
            constants.update(node.output)
    return {output.name: real(values[output.name]) for output in graph.output}


def main() -> None:
    """The command."""
    model, source, target = (Path(argument) for argument in sys.argv[1:4])
    outputs = run(onnx.load(model), load_file(source)["input"])
    save_file({name: np.ascontiguousarray(value, np.float32) for name, value in outputs.items()}, target)


if __name__ == "__main__":
    main()
