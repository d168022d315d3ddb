"""Cross-layer equalisation (Nagel et al., arXiv 1906.04721): channels between two layers are brought to one size.

Where one layer feeds another alone, through nothing or an activation f with `f(s·x) = s·f(x)` for s > 0, the outputs of the first
can be divided by `s[c]` and the inputs of the second multiplied by it, and the function stays the same.

ReLU6 is no such f. Channels that never reach its bound in calibration may be scaled as long as they do not reach it afterwards;
the others keep their scale (`keep`). Or ReLU takes its place first, as in the paper, which is another function (`replace`).
"""

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from quantize.int8.ranges import session

Array = NDArray[np.float32]
SWEEPS = 20
SETTLED = 1e-3
LARGEST = 16.0
# of what calibration saw, that ReLU6 must still let through
MARGIN = 1.25


@dataclass
class Pair:
    """Two layers and the activation between: `kind` none, Relu, LeakyRelu or Clip, `bound` where it clips, `slope` below 0."""

    first: onnx.NodeProto
    second: onnx.NodeProto
    kind: str
    bound: float = float("inf")
    slope: float = 0.0

    @property
    def depthwise(self) -> bool:
        """Whether the second layer has one input channel an output."""
        return any(a.name == "group" and a.i > 1 for a in self.second.attribute)


def _attribute(node: onnx.NodeProto, name: str, default: float) -> float:
    return next((float(onnx.helper.get_attribute_value(a)) for a in node.attribute if a.name == name), default)


def clips(model: onnx.ModelProto) -> dict[str, float]:
    """The upper bound of each Clip from 0, by its node's name."""
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type == "Clip" and len(node.input) == 3 and {*node.input[1:]} <= values.keys() and values[node.input[1]] == 0:
            found[node.name] = float(values[node.input[2]])
    return found


def relu6_to_relu(model: onnx.ModelProto) -> None:
    """Lets everything above the bound of each Clip from 0 through."""
    bounds = clips(model)
    for node in model.graph.node:
        if node.name in bounds:
            node.op_type = "Relu"
            del node.input[1:]


def pairs(model: onnx.ModelProto) -> list[Pair]:
    """Convolutions of which the second alone reads what the first alone makes, with weights of their own."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    shown, bounds = {o.name for o in model.graph.output}, clips(model)
    constants = {i.name: list(i.dims) for i in model.graph.initializer}

    def only_reader(name: str) -> onnx.NodeProto | None:
        return readers[name][0] if name not in shown and len(readers.get(name, [])) == 1 else None

    def usable(node: onnx.NodeProto) -> bool:
        own = [name for name in node.input[1:] if name]
        return node.op_type == "Conv" and all(name in constants and len(readers[name]) == 1 for name in own)

    found = []
    for node in model.graph.node:
        reader = only_reader(node.output[0]) if usable(node) else None
        kind, bound, slope = "none", float("inf"), 1.0
        if reader is not None and (reader.op_type in ("Relu", "LeakyRelu") or reader.name in bounds):
            kind, bound = reader.op_type, bounds.get(reader.name, bound)
            slope = _attribute(reader, "alpha", 0.01) if kind == "LeakyRelu" else 0.0
            reader = only_reader(reader.output[0])
        if reader is None or not usable(reader):
            continue
        group, (outputs, inputs, *_) = _attribute(reader, "group", 1), constants[reader.input[1]]
        if group == 1 or (inputs == 1 and group == outputs):
            found.append(Pair(node, reader, kind, bound, slope))
    return found


def ends(model: onnx.ModelProto, inputs: list[Array], tensors: list[str]) -> dict[str, tuple[Array, Array]]:
    """Least and largest value of each channel `[C]` of tensors `[1, C, …]` over `inputs`."""
    run, name = session(model, tensors), model.graph.input[0].name
    found: dict[str, tuple[Array, Array]] = {}
    for x in inputs:
        for key, value in zip(tensors, run.run(None, {name: x}), strict=True):
            rows = value[0].reshape(value.shape[1], -1)
            low, high = found.get(key, (rows.min(1), rows.max(1)))
            found[key] = np.minimum(low, rows.min(1)), np.maximum(high, rows.max(1))
    return found


def factors(pair: Pair, w1: Array, w2: Array, low: Array, high: Array, by: str) -> Array:
    """`s` [C] of one pair; `low` and `high` are what the first layer's channels give before the activation.

    By weights: `s = sqrt(r1 / r2)`, r the largest weight of what makes and of what reads a channel (the paper's equation 11).
    By activations a: `s = a / max a` before a depthwise layer, whose scales a channel take anything; else `sqrt(a / r2)`, as
    SmoothQuant's (arXiv 2211.10438) with α = 0.5.
    """
    r1 = np.abs(w1).reshape(len(w1), -1).max(1)
    r2 = np.abs(w2).reshape(len(w2), -1).max(1) if pair.depthwise else np.abs(w2).max((0, *range(2, w2.ndim)))
    a = np.minimum(np.maximum(high, -low * np.float32(pair.slope)), pair.bound)
    size = r1 if by == "weights" else a
    living = (size > 0) & (r2 > 0) & (a > 0)
    size, r2 = np.where(living, size, 1), np.where(living, r2, 1)
    s = size / size[living].max(initial=1e-30) if by == "activations" and pair.depthwise else np.sqrt(size / r2)
    s = np.clip(s, 1 / LARGEST, LARGEST)
    if pair.kind == "Clip":
        free = high * MARGIN < pair.bound
        s = np.where(free, np.maximum(s, high * MARGIN / pair.bound), 1)
    scaled: Array = np.where(living, s, 1).astype(np.float32)
    return scaled


def equalise(model: onnx.ModelProto, inputs: list[Array], by: str) -> None:
    """Rescales the weights of all pairs in place until nothing moves any more."""
    constants = {i.name: i for i in model.graph.initializer}
    found = pairs(model)
    seen = ends(model, inputs, [p.first.output[0] for p in found]) if found else {}
    arrays = {
        name: numpy_helper.to_array(constants[name]).copy() for p in found for n in (p.first, p.second) for name in n.input[1:]
    }
    for _ in range(SWEEPS):
        moved = 0.0
        for p in found:
            (low, high), (w1, w2) = seen[p.first.output[0]], (arrays[n.input[1]] for n in (p.first, p.second))
            s = factors(p, w1, w2, low, high, by)
            w1 /= s.reshape(-1, *[1] * (w1.ndim - 1))
            if len(p.first.input) > 2:
                arrays[p.first.input[2]] /= s
            w2 *= s.reshape((-1, 1, 1, 1) if p.depthwise else (1, -1, 1, 1))
            seen[p.first.output[0]] = low / s, high / s
            moved = max(moved, float(np.abs(s - 1).max()))
        if moved < SETTLED:
            break
    for name, array in arrays.items():
        constants[name].CopyFrom(numpy_helper.from_array(array, name))
