"""The arithmetic of the Rust engine on text.onnx in numpy, node by node. `crates/kernels/src/product` states that of products.

Every step in float32 is rounded and every sum has the kernels' order, so that the two agree bit for bit.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from quantize.arithmetic.vision import attributes

Array = NDArray[Any]
F = np.float32
GROUP = 64
TINY = F(1e-30)
LANES = 16
ERF = [F(c) for c in (0.070523078, 0.042282012, 0.009270527, 0.0001520143, 0.0002765672, 0.0000430638)]
EXP = [F(c) for c in (0.5, 0.16666667, 0.041666668, 0.008333334, 0.0013888889)]
LN_2 = (F(0.6933594), F(-0.00021219444))


def quantise_rows(x: Array) -> tuple[Array, Array]:
    """f32 `[rows, inputs]` → int8 `[rows, groups, GROUP]`, padded with zeros, and scales `[rows, groups]`."""
    groups = -(-x.shape[1] // GROUP)
    x = np.pad(x, ((0, 0), (0, groups * GROUP - x.shape[1]))).reshape(len(x), groups, GROUP)
    most = np.abs(x).max(2, keepdims=True)
    factor = np.where(most < TINY, F(0), F(127) / np.maximum(most, TINY))
    q = np.clip(np.rint(x * factor), -127, 127).astype(np.int8)
    return q, np.where(most < TINY, F(0), most / F(127))[..., 0]


def product(x: Array, weights: Array, scale: Array, bias: Array) -> Array:
    """f32 `[rows, inputs]` times int8 `[inputs, outputs]`."""
    q, scales = quantise_rows(x)
    groups = q.shape[1]
    padded = np.pad(weights, ((0, groups * GROUP - len(weights)), (0, 0))).reshape(groups, GROUP, -1)
    total = np.zeros((len(x), weights.shape[1]), F)
    for group in range(groups):
        # Products of int8 add up exactly in float64.
        sums = q[:, group].astype(np.float64) @ padded[group].astype(np.float64)
        total = total + sums.astype(F) * scales[:, group, None]
    result: Array = total * scale + bias
    return result


def erf(x: Array) -> Array:
    """7.1.28 of Abramowitz and Stegun."""
    z = np.abs(x)
    p = np.full_like(z, ERF[-1])
    for coefficient in reversed(ERF[:-1]):
        p = coefficient + z * p
    p = F(1) + z * p
    with np.errstate(over="ignore"):
        for _ in range(4):
            p = p * p
    signed: Array = np.copysign(F(1) - F(1) / p, x)
    return signed


def exp(x: Array) -> Array:
    """Of numbers up to 0."""
    x = np.maximum(x, F(-87))
    n = np.rint(x * F(np.log2(np.e)))
    r = (x - n * LN_2[0]) - n * LN_2[1]
    a, b, c, d, e = EXP
    series = F(1) + r + r * r * (a + r * (b + r * (c + r * (d + r * e))))
    power: Array = series * np.ldexp(F(1), n.astype(np.int32)).astype(F)
    return power


def ordered_sum(x: Array, axis: int, *, keep: bool) -> Array:
    """Along one axis, in order."""
    total = np.zeros_like(x.take(0, axis))
    for i in range(x.shape[axis]):
        total = total + x.take(i, axis)
    return np.expand_dims(total, axis) if keep else total


def softmax(x: Array) -> Array:
    """Along the last axis, summed in order."""
    e = exp(x - x.max(-1, keepdims=True))
    shares: Array = e / ordered_sum(e, -1, keep=True)
    return shares


def lane_sum(x: Array) -> Array:
    """Along the last axis, in the order of `crates/kernels/src/layer_norm`."""
    blocks = -(-x.shape[-1] // LANES)
    x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, blocks * LANES - x.shape[-1])]).reshape(*x.shape[:-1], blocks, LANES)
    lanes = np.zeros_like(x[..., 0, :])
    for block in range(blocks):
        lanes = lanes + x[..., block, :]
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = lanes[..., :half] + lanes[..., half:]
    return lanes


def layer_norm(x: Array, scale: Array, bias: Array, epsilon: float) -> Array:
    """Along the last axis."""
    mean = lane_sum(x) / F(x.shape[-1])
    centred = x - mean
    variance = lane_sum(centred * centred) / F(x.shape[-1])
    normal: Array = centred * (F(1) / np.sqrt(variance + F(epsilon))) * scale + bias
    return normal


def matmul(a: Array, b: Array) -> Array:
    """Of float matrices, summed in order."""
    total = np.zeros((*a.shape[:-1], b.shape[-1]), F)
    for k in range(a.shape[-1]):
        total = total + a[..., :, k : k + 1] * b[..., k : k + 1, :]
    return total


def reshape(x: Array, shape: Array) -> Array:
    """0 keeps a dimension."""
    return x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape)])


def compute(node: onnx.NodeProto, inputs: list[Any]) -> Any:
    """The value of one node; a `DequantizeLinear` yields its inputs, for the product behind it."""
    a = attributes(node)
    x = inputs[0]
    match node.op_type:
        case "DequantizeLinear":
            return tuple(inputs)
        case "MatMul" if isinstance(inputs[1], tuple):
            weights, scale, _ = inputs[1]
            rows = product(x.reshape(-1, x.shape[-1]), weights, scale, np.zeros_like(scale))
            return rows.reshape(*x.shape[:-1], -1)
        case "MatMul":
            return matmul(x, inputs[1])
        case "LayerNormalization":
            return layer_norm(x, inputs[1], inputs[2], a["epsilon"])
        case "Softmax":
            return softmax(x)
        case "Erf":
            return erf(x)
        case "Add":
            return x + inputs[1]
        case "Sub":
            return x - inputs[1]
        case "Mul":
            return x * inputs[1]
        case "Div":
            # tract multiplies by the reciprocal
            return x * (F(1) / inputs[1])
        case "Sqrt":
            return np.sqrt(x)
        case "Cast":
            return x.astype(F)
        case "Gather":
            return x[inputs[1]]
        case "Reshape":
            return reshape(x, inputs[1])
        case "Transpose":
            return x.transpose(a["perm"])
        case "Unsqueeze":
            return np.expand_dims(x, tuple(int(axis) for axis in inputs[1]))
        case "Shape":
            return np.array(x.shape, np.int64)
        case "Slice":
            return x[int(inputs[1][0]) : int(inputs[2][0])]
        case "ReduceSum":
            (axis,) = (int(axis) for axis in inputs[1])
            return ordered_sum(x, axis, keep=bool(a.get("keepdims", 1)))
    raise ValueError(f"{node.name}: found op {node.op_type}, expected one of a text tower")


def run(model: onnx.ModelProto, ids: Array) -> Array:
    """`embedding` f32 `[N, D]` of token ids `[N, L]`, none of them masked."""
    values: dict[str, Any] = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    values |= {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    for node in model.graph.node:
        values[node.output[0]] = compute(node, [values[name] for name in node.input])
    embedding: Array = values["embedding"]
    return embedding
