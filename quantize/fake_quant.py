"""The integer arithmetic of the Rust engine in numpy, on the same QDQ file. `src/kernels/mod.rs` states the arithmetic.

`python -m quantize.fake_quant MODEL.onnx INPUT.safetensors OUTPUT.safetensors` runs the tensor `input` (int8) and writes all
outputs. Chains that the engine leaves in float (a softmax and the layer behind it) are computed in float here, too.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

Array = NDArray[Any]
F = np.float32


@dataclass
class Quantised:
    """`value = (q − zero) · scale`; scale and zero are numbers, or arrays for weights."""

    q: Array
    scale: Array
    zero: Array

    @property
    def centred(self) -> Array:
        """`q − zero` as int64; weights have their channels on axis 0."""
        return self.q.astype(np.int64) - self._spread(self.zero).astype(np.int64)

    @property
    def value(self) -> Array:
        """In float32."""
        return self.centred.astype(F) * self._spread(self.scale)

    def _spread(self, parameter: Array) -> Array:
        return parameter.reshape((-1,) + (1,) * (self.q.ndim - 1)) if parameter.ndim else parameter


@dataclass
class Sums:
    """Terms `sum · multiplier`, added up in order; multipliers are divided by the result's scale and then by `count`."""

    terms: list[tuple[Array, Array]]
    count: int = 1

    def quantise(self, scale: Array, zero: Array) -> Array:
        """In float32 throughout."""
        first, *others = (term.astype(F) * (factor / scale / F(self.count)) for term, factor in self.terms)
        return saturate(sum(others, first), zero)


def saturate(x: Array, zero: Array) -> Array:
    """`clamp(round_half_even(x) + zero)`."""
    return np.clip(np.rint(x) + F(zero), -128, 127).astype(np.int8)


def windows(x: Array, kernel: list[int], strides: list[int], pads: list[int], fill: int) -> Array:
    """`[C, H, W]` → `[C, rows, columns, kernel rows, kernel columns]`."""
    x = np.pad(x, ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return view[:, :: strides[0], :: strides[1]]


def conv(x: Quantised, weights: Quantised, bias: Quantised | None, a: dict[str, Any]) -> Sums:
    """Exact sums; padding is zero because `x − zero` is padded."""
    patches = windows(x.centred[0], a["kernel_shape"], a["strides"], a["pads"], 0)
    if a["group"] == 1:
        rows = patches.transpose(1, 2, 0, 3, 4).reshape(patches.shape[1] * patches.shape[2], -1)
        # Products of int8 add up exactly in float64.
        sums = rows.astype(np.float64) @ weights.q.reshape(weights.q.shape[0], -1).T.astype(np.float64)
        sums = sums.T.reshape(-1, *patches.shape[1:3])
    else:
        sums = np.einsum("chwij,cij->chw", patches.astype(np.float64), weights.q[:, 0].astype(np.float64))
    if bias is not None:
        sums = sums + bias.q.reshape(-1, 1, 1)
    return Sums([(sums[None].astype(np.int64), (x.scale * weights.scale).reshape(-1, 1, 1))])


def upsample(x: Array) -> Array:
    """Twice the height and width: 3 parts of the nearer and 1 of the farther neighbour on each axis; the sum of all is 16."""
    for axis in (2, 3):
        count = x.shape[axis]
        at = np.arange(2 * count)
        far = np.clip(at // 2 + np.where(at % 2 == 0, -1, 1), 0, count - 1)
        x = 3 * x.take(at // 2, axis) + x.take(far, axis)
    return x


def softmax(x: Array) -> Array:
    """Along the last axis, in float32."""
    e: Array = np.exp(x - x.max(-1, keepdims=True))
    shares: Array = e / e.sum(-1, keepdims=True)
    return shares


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """By name."""
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def compute(node: onnx.NodeProto, inputs: list[Any], a: dict[str, Any]) -> Any:
    """The value of one node: Quantised where only quantised values move, Sums where they add up, an array in float."""
    x = inputs[0]
    match node.op_type:
        case "Conv":
            return conv(x, inputs[1], inputs[2] if len(inputs) > 2 else None, a)
        case "Gemm" if isinstance(x, Quantised):
            sums = x.centred @ inputs[1].q.astype(np.int64).T + inputs[2].q
            return Sums([(sums, x.scale * inputs[1].scale)])
        case "Gemm":
            bias = inputs[2].value if isinstance(inputs[2], Quantised) else inputs[2]
            return x @ inputs[1].value.T + bias
        case "Add":
            return Sums([(term.centred, term.scale) for term in inputs])
        case "LeakyRelu":
            return np.where(x.value < 0, F(a["alpha"]) * x.value, x.value)
        case "Softmax":
            return softmax(x.value)
        case "Concat":
            return np.concatenate([term.value for term in inputs], a["axis"])
        case "Reshape":
            return x.value.reshape(inputs[1])
        case "Transpose":
            return x.value.transpose(a["perm"])
        case "Flatten":
            return x.value.reshape(x.q.shape[0], -1)
        case "Slice":
            starts, ends, axes = (int(i[0]) for i in inputs[1:4])
            return np.take(x.value, range(starts, min(ends, x.q.shape[axes])), axes)
        case "MaxPool":
            view = windows(x.q[0], a["kernel_shape"], a["strides"], a["pads"], -128)
            return Quantised(view.max((3, 4))[None], x.scale, x.zero).value
        case "AveragePool":
            view = windows(x.centred[0], a["kernel_shape"], a["strides"], a["pads"], 0)
            return Sums([(view.sum((3, 4))[None], x.scale)], view.shape[3] * view.shape[4])
        case "GlobalAveragePool":
            return Sums([(x.centred.sum((2, 3), keepdims=True), x.scale)], x.q.shape[2] * x.q.shape[3])
        case "Resize":
            return Sums([(upsample(x.centred), x.scale)], 16)
    raise ValueError(f"{node.name}: found op {node.op_type}, expected one that the engine lowers")


def run(model: onnx.ModelProto, image: Array) -> dict[str, Array]:
    """All outputs in float32 for `image`, the int8 input `[1, 3, S, S]`."""
    graph = model.graph
    values: dict[str, Any] = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    values[graph.input[0].name] = image
    for node in graph.node:
        inputs: list[Any] = [values[name] if name else None for name in node.input]
        match node.op_type:
            case "DequantizeLinear":
                values[node.output[0]] = Quantised(*inputs)
            case "QuantizeLinear":
                x, scale, zero = inputs
                if isinstance(x, Sums):
                    values[node.output[0]] = x.quantise(scale, zero)
                else:
                    real = x.value if isinstance(x, Quantised) else x
                    values[node.output[0]] = saturate(real / scale, zero)
            case _:
                values[node.output[0]] = compute(node, inputs, attributes(node))
    return {output.name: values[output.name].value for output in graph.output}


def main() -> None:
    """The command."""
    model, source, target = (Path(argument) for argument in sys.argv[1:4])
    outputs = run(onnx.load(model), load_file(source)["input"])
    save_file({name: np.ascontiguousarray(value, np.float32) for name, value in outputs.items()}, target)


if __name__ == "__main__":
    main()
