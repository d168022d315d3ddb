"""The small networks of `crates/engine/tests/networks`, each a few forms in which exporters and quantisers write networks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx

from quantize.arithmetic import vision
from quantize.arithmetic.integers import Array, F, Quantised
from quantize.golden.fixtures import Fixture

HALF = np.array(0.5, F)


def picture(shape: list[int], kind: type, seed: int) -> Array:
    """Noise over the whole range of int8 or uint8, or of unit variance."""
    rng = np.random.default_rng(seed)
    if kind is F:
        return rng.normal(size=shape).astype(F)
    range_ = np.iinfo(kind)
    return rng.integers(range_.min, range_.max + 1, shape).astype(kind)


def mobile(kind: type) -> Fixture:
    """Stem, depthwise, squeeze-and-excite with a hard sigmoid, an addition between quantised tensors, means, a classifier."""
    f = Fixture(f"mobile_{np.dtype(kind).name}", picture([1, 3, 13, 11], kind, 1), 2)
    x = f.quantised(
        f.node(
            "Clip",
            [f.conv(f.start(), 8, 3, strides=[2, 2], pads=(0, 0, 1, 1)), f.constant(np.array(0, F)), f.constant(np.array(6, F))],
        )
    )
    y = f.quantised(f.node("HardSwish", [f.quantised(f.conv(x, 24))]))
    y = f.quantised(f.node("Relu", [f.conv(y, 24, 5, 24)]))
    gate = f.quantised(f.node("ReduceMean", [y, f.constant(np.array([2, 3], np.int64))], keepdims=1))
    gate = f.quantised(f.node("Relu", [f.conv(gate, 6)]))
    gate = f.quantised(f.node("HardSigmoid", [f.quantised(f.conv(gate, 24))], alpha=1 / 6))
    y = f.quantised(f.node("Mul", [gate, y]))
    y = f.quantised(f.node("Add", [f.quantised(f.conv(y, 8)), x]))
    f.output(y)
    pooled = f.quantised(f.node("GlobalAveragePool", [y]))
    weights = f.weights([5, 8], 0)
    flat = f.quantised(f.node("Flatten", [pooled]), 1.0)
    f.output(f.quantised(f.node("Gemm", [flat, weights, f.bias(flat, weights)], transB=1)))
    return f


def residual() -> Fixture:
    """Additions to convolutions that are not quantised, on either side, with and without windows; a pruned tensor of zeros."""
    f = Fixture("residual", picture([1, 6, 7, 9], np.int8, 3), 4)
    x = f.start()
    y = f.quantised(f.node("Relu", [f.node("Add", [f.conv(x, 6, 3), x])]))
    y = f.quantised(f.node("Add", [x, f.conv(y, 6)]))
    f.output(y)
    f.output(f.quantised(f.node("Mul", [y, x])))
    return f


def pools() -> Fixture:
    """Pooling with all kinds of padding, upsampling, joining and splitting."""
    f = Fixture("pools", picture([1, 8, 10, 8], np.uint8, 5), 6)
    x = f.start(zero=120)
    largest = f.quantised(f.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 0, 0], ceil_mode=1))
    window = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 0]}
    means = [f.quantised(f.node("AveragePool", [x], count_include_pad=counts, **window)) for counts in (0, 1)]
    joined = f.quantised(f.node("Concat", [largest, *means], axis=1))
    f.output(joined)
    f.output(f.quantised(f.node("Relu", [f.node("AveragePool", [x], **window)])))
    starts, ends, axes = (f.constant(np.array([i], np.int64)) for i in (-16, 100, 1))
    f.output(f.quantised(f.node("Slice", [joined, starts, ends, axes])))
    parts = f.many("Split", [joined, f.constant(np.array([5, 19], np.int64))], 2, axis=1)
    small, large = (f.quantised(part) for part in parts)
    f.output(f.quantised(f.conv(large, 3)))
    twice = f.constant(np.array([1, 1, 2, 2], F))
    asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    f.output(f.quantised(f.node("Resize", [small, "", twice], mode="nearest", **asymmetric)))
    sizes = f.constant(np.array([1, 5, 10, 8], np.int64))
    f.output(f.quantised(f.node("Resize", [small, "", "", sizes], mode="linear")))
    return f


def activations() -> Fixture:
    """Functions of one tensor, by one node and by chains of nodes."""
    f = Fixture("activations", np.arange(-128, 128).astype(np.int8).reshape(1, 2, 16, 8), 7)
    x = f.start(0.04, -9)
    unary = ["Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "LeakyRelu", "Softplus", "Mish", "Gelu", "Relu"]
    results = [f.node(op, [x]) for op in unary]
    results.append(f.node("Gelu", [x], approximate="tanh"))
    results.append(f.node("Mul", [x, f.node("Sigmoid", [x])]))
    inner = f.node("Erf", [f.node("Div", [x, f.constant(np.array(np.sqrt(2), F))])])
    outer = f.node("Mul", [x, f.node("Add", [inner, f.constant(np.array(1, F))])])
    results.append(f.node("Mul", [outer, f.constant(HALF)]))
    shifted = f.node("Add", [x, f.constant(np.array([3], F))])
    clipped = f.node("Clip", [shifted, f.constant(np.array(0, F)), f.constant(np.array(6, F))])
    results.append(f.node("Div", [f.node("Mul", [x, clipped]), f.constant(np.array(6, F))]))
    results.append(f.node("Pow", [x, f.constant(np.array(2, F))]))
    results.append(f.node("Mul", [x, x]))
    for result in results:
        f.output(f.quantised(result))
    return f


def matrices() -> Fixture:
    """Products by either side of a matrix, biases in float and none, shapes that change."""
    f = Fixture("matrices", picture([1, 4, 3, 5], np.int8, 8), 9)
    x = f.start()
    flat = f.quantised(f.node("Flatten", [x]), 1.0)
    bias = f.constant(f.rng.normal(size=7).astype(F))
    f.output(f.quantised(f.node("Gemm", [flat, f.weights([7, 60], 0), bias], transB=1)))
    hidden = f.quantised(f.node("Relu", [f.node("Gemm", [flat, f.weights([60, 16], 1)])]))
    f.output(f.quantised(f.node("MatMul", [hidden, f.weights([16, 9], 1)])))
    product = f.node("MatMul", [hidden, f.weights([16, 7], 1, per_channel=False)])
    f.output(f.quantised(f.node("Add", [product, bias])))
    pooled = f.quantised(f.node("GlobalAveragePool", [x]))
    axes = f.constant(np.array([2, 3], np.int64))
    squeezed = f.quantised(f.node("Squeeze", [pooled, axes]), 1.0)
    again = f.quantised(f.node("Unsqueeze", [squeezed, axes]), 1.0)
    f.output(f.quantised(f.node("Mul", [x, f.quantised(f.node("Sigmoid", [f.quantised(f.conv(again, 4))]))])))
    return f


def tokens() -> Fixture:
    """Pixels as tokens with the channels on the last axis, and back."""
    f = Fixture("tokens", picture([1, 5, 4, 6], np.int8, 10), 11)
    x = f.start()
    shape = f.constant(np.array([0, 5, -1], np.int64))
    rows = f.quantised(f.node("Reshape", [x, shape]), 1.0)
    rows = f.quantised(f.node("Transpose", [rows], perm=[0, 2, 1]), 1.0)
    bias = f.constant(f.rng.normal(size=12).astype(F))
    hidden = f.quantised(f.node("Add", [f.node("MatMul", [rows, f.weights([5, 12], 1)]), bias]))
    hidden = f.quantised(f.node("Gelu", [hidden]))
    rows = f.quantised(f.node("Add", [rows, f.quantised(f.node("MatMul", [hidden, f.weights([12, 5], 1)]))]))
    f.output(rows)
    planes = f.quantised(f.node("Transpose", [rows], perm=[0, 2, 1]), 1.0)
    planes = f.quantised(f.node("Reshape", [planes, f.constant(np.array([1, 5, 4, 6], np.int64))]), 1.0)
    f.output(f.quantised(f.conv(planes, 4, 3)))
    return f


def stored_in_float() -> Fixture:
    """What PyTorch's fake quantisation exports: float weights that the graph quantises, float biases, copies; uint8 weights."""
    f = Fixture("stored_in_float", picture([1, 3, 6, 6], F, 12), 13)
    x = f.start()
    scale, zero = f.rng.uniform(0.01, 0.03, 6).astype(F), np.zeros(6, np.int8)
    stored = f.constant(f.rng.normal(size=(6, 3, 3, 3)).astype(F))
    parameters = [f.constant(scale), f.constant(zero)]
    weights = f.weights_of(stored, parameters)
    bias = f.constant(f.rng.normal(size=6).astype(F))
    y = f.quantised(f.node("Relu", [f.node("Conv", [x, weights, bias], kernel_shape=[3, 3], pads=[1] * 4)]))
    y = f.node("Identity", [y])
    unsigned = f.constant(f.rng.integers(0, 256, (4, 6, 1, 1)).astype(np.uint8))
    weights = f.dequantised(unsigned, np.array(0.004, F), np.array(128, np.uint8))
    f.output(f.quantised(f.node("Conv", [y, weights, f.constant(f.rng.normal(size=4).astype(F))], kernel_shape=[1, 1])))
    return f


def float_tail() -> Fixture:
    """A softmax between quantised tensors, and a float classifier at the end: both stay in float."""
    f = Fixture("float_tail", picture([1, 4, 5, 5], np.uint8, 14), 15)
    x = f.quantised(f.conv(f.start(zero=100), 6, 3))
    shares = f.quantised(f.node("Softmax", [f.node("Softmax", [x], axis=1)], axis=1))
    f.output(f.quantised(f.node("Mul", [x, shares])))
    flat = f.node("Flatten", [f.quantised(f.node("GlobalAveragePool", [x]))])
    stored = [f.constant(f.rng.normal(size=shape).astype(F)) for shape in ((3, 6), (3,))]
    f.output(f.node("Softmax", [f.node("Gemm", [flat, *stored], transB=1)], axis=-1))
    return f


def channels() -> Fixture:
    """A constant for every channel: products, sums, normalisation, PRelu, and chains of them."""
    f = Fixture("channels", picture([1, 5, 9, 70], np.uint8, 16), 17)
    x = f.start(zero=110)
    each = [f.constant(f.rng.normal(size=shape).astype(F)) for shape in ((5, 1, 1), (1, 5, 1, 1), (5, 1, 1), (5, 1, 1))]
    f.output(f.quantised(f.node("Mul", [x, each[0]])))
    f.output(f.quantised(f.node("Add", [f.node("Mul", [x, each[0]]), each[1]])))
    f.output(f.quantised(f.node("Relu", [f.node("Sub", [f.node("Div", [x, each[2]]), each[1]])])))
    stored = [f.constant(f.rng.uniform(0.5, 2, 5).astype(F)) for _ in range(4)]
    normal = f.node("BatchNormalization", [x, *stored], epsilon=1e-3)
    f.output(f.quantised(normal))
    slope = f.constant(f.rng.uniform(-0.3, 0.7, (5, 1, 1)).astype(F))
    f.output(f.quantised(f.node("PRelu", [normal, slope])))
    f.output(f.quantised(f.node("PRelu", [x, slope])))
    rows = f.quantised(f.node("Transpose", [x], perm=[0, 2, 3, 1]), 1.0)
    f.output(f.quantised(f.node("Mul", [rows, f.constant(f.rng.normal(size=5).astype(F))])))
    f.output(f.quantised(f.node("LRN", [x], size=5, alpha=0.5, beta=0.75, bias=1.0)))
    f.output(f.quantised(f.node("LRN", [x], size=3, alpha=0.5, beta=0.5, bias=2.0)))
    return f


def shares() -> Fixture:
    """Softmax over channels, over columns, over rows, and over a long axis."""
    f = Fixture("shares", picture([1, 16, 6, 50], np.int8, 18), 19)
    x = f.start(0.03)
    for axis in (1, 2, 3, -1):
        f.output(f.quantised(f.node("Softmax", [x], axis=axis), 1.0))
    flat = f.quantised(f.node("Reshape", [x, f.constant(np.array([1, 6, -1], np.int64))]), 1.0)
    f.output(f.quantised(f.node("Softmax", [flat], axis=-1), 1.0))
    return f


def windows() -> Fixture:
    """Convolutions in groups and with gaps, padding by name, borders."""
    f = Fixture("windows", picture([1, 12, 17, 31], np.int8, 20), 21)
    x = f.start()
    for outputs, side, group, more in (
        (24, 1, 3, {}), (8, 3, 4, {}), (24, 3, 12, {}), (48, 3, 1, {"dilations": [2, 3]}),
        (12, 3, 12, {"dilations": [2, 2]}), (12, 3, 12, {"dilations": [3, 1]}), (6, 3, 2, {"dilations": [2, 1]}),
    ):  # fmt: skip
        f.output(f.quantised(f.conv(x, outputs, side, group, None, **more)))
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        weights = f.weights([5, 12, 4, 4], 0)
        inputs = [x, weights, f.bias(x, weights)]
        f.output(f.quantised(f.node("Conv", inputs, kernel_shape=[4, 4], auto_pad=mode, strides=[2, 3])))
    f.output(f.quantised(f.node("AveragePool", [x], kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")))
    f.output(f.quantised(f.node("MaxPool", [x], kernel_shape=[2, 3], dilations=[2, 2], pads=[1, 1, 1, 1])))
    pads = f.constant(np.array([0, 1, 2, 0, 0, 2, 0, 3], np.int64))
    f.output(f.quantised(f.node("Pad", [x, pads, f.constant(np.array(0.5, F))])))
    return f


def orders() -> Fixture:
    """Any order of axes: places as a list, cuts of rows and columns, joins along any axis, a shuffle of three groups."""
    f = Fixture("orders", picture([1, 12, 10, 16], np.uint8, 22), 23)
    x = f.start(zero=120)

    def shaped(y: str, *shape: int) -> str:
        return f.quantised(f.node("Reshape", [y, f.constant(np.array(shape, np.int64))]), 1.0)

    def turned(y: str, *perm: int) -> str:
        return f.quantised(f.node("Transpose", [y], perm=list(perm)), 1.0)

    heads = [shaped(turned(f.quantised(f.conv(x, n, 3)), 0, 2, 3, 1), 1, -1, 4) for n in (8, 24)]
    boxes = f.quantised(f.node("Concat", heads, axis=1), 1.0)
    f.output(boxes)
    f.output(f.quantised(f.node("Sigmoid", [boxes])))
    f.output(f.quantised(f.node("Sigmoid", [shaped(f.quantised(f.conv(x, 24, 3)), 1, 24, 20, 8)])))
    f.output(f.quantised(f.conv(shaped(x, 1, 24, 10, 8), 4)))
    f.output(turned(x, 0, 3, 1, 2))
    f.output(turned(shaped(x, 1, 4, 3, 160), 0, 2, 1, 3))
    halves = [turned(x, 0, 1, 3, 2), turned(x, 0, 1, 3, 2)]
    f.output(f.quantised(f.node("Concat", halves, axis=2), 1.0))
    f.output(f.quantised(f.node("Concat", halves, axis=3), 1.0))
    cut = [f.constant(np.array(values, np.int64)) for values in ([1, -9], [9, 16], [2, 3], [2, 3])]
    f.output(f.quantised(f.node("Slice", [x, *cut]), 1.0))
    rows = f.many("Split", [x, f.constant(np.array([3, 7], np.int64))], 2, axis=2)
    f.output(f.quantised(f.conv(f.quantised(rows[1], 1.0), 3)))
    # one scale throughout
    same = [f.constants[name] for name in f.nodes[0].input[1:]]

    def moved(op: str, inputs: list[str], **a: Any) -> str:
        y, name = f.node(op, inputs, **a), f"q{len(f.nodes)}"
        f.nodes.append(onnx.helper.make_node("QuantizeLinear", [y, *f.nodes[0].input[1:]], [name], name=name))
        f.values[name] = vision.quantise(f.values[y], same[0], same[1], 1)
        return f.dequantised(name, same[0], same[1])

    groups, whole = (f.constant(np.array(shape, np.int64)) for shape in ([1, 3, 4, 10, 16], [1, 12, 10, 16]))
    shuffled = moved("Transpose", [moved("Reshape", [x, groups])], perm=[0, 2, 1, 3, 4])
    f.output(moved("Reshape", [shuffled, whole]))
    return f


def bare() -> Fixture:
    """Moves without quantisation around them, of real values and of integers; float weights on a grid; differences."""
    f = Fixture("bare", picture([1, 6, 8, 20], np.int8, 24), 25)
    x = f.start()
    parts = f.many("Split", [x, f.constant(np.array([2, 6], np.int64))], 2, axis=2)
    again = f.node("Relu", [f.node("Concat", [parts[1], parts[0]], axis=2)])
    again = f.node("MaxPool", [again], kernel_shape=[3, 3], pads=[1] * 4)
    q, scale = f.rng.integers(-127, 128, (4, 6, 3, 3)).astype(np.int8), np.array([1 / 128, 1 / 256, 1 / 64, 1 / 256], F)
    stored = f.constant(q.astype(F) * scale.reshape(-1, 1, 1, 1))
    # what the engine finds
    f.values[stored] = Quantised(q, scale, np.zeros(4, np.int8), 0, True)
    f.output(f.quantised(f.node("Conv", [again, stored], kernel_shape=[3, 3], pads=[1] * 4)))
    f.output(f.node("Transpose", [x], perm=[0, 2, 3, 1]))
    f.output(f.quantised(f.node("Sub", [x, f.quantised(f.node("Sigmoid", [x]))])))
    # the result of the last QuantizeLinear
    name = f.nodes[-1].input[0]
    inner = f.node("MaxPool", [f.node("Concat", [name, name], axis=3)], kernel_shape=[1, 2])
    f.output(f.dequantised(f.node("Transpose", [inner], perm=[0, 3, 1, 2]), np.array(0.3, F), np.array(-5, np.int8)))
    return f


def rows_first() -> Fixture:
    """A picture of float with the channels last, turned before it is quantised."""
    f = Fixture("rows_first", picture([1, 9, 14, 3], F, 26), 27)
    x = f.quantised(f.node("Transpose", ["image"], perm=[0, 3, 1, 2]))
    f.output(f.quantised(f.conv(x, 8, 3, strides=[2, 2])))
    return f


def networks() -> Iterator[Fixture]:
    """All of them."""
    for kind in (np.int8, np.uint8, F):
        yield mobile(kind)
    yield from (make() for make in (residual, pools, activations, matrices, tokens, stored_in_float, float_tail))
    yield from (make() for make in (channels, shares, windows, orders, bare, rows_first))
