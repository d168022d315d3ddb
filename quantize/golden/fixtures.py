"""Builds small QDQ graphs whose scales fit what the integer reference computes, for tests."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from quantize.arithmetic import vision
from quantize.arithmetic.integers import Array, F, Quantised, Sums

OPSET = 20
ELEMENTS = {np.dtype(np.int8): TensorProto.INT8, np.dtype(np.uint8): TensorProto.UINT8, np.dtype(F): TensorProto.FLOAT}


class Fixture:
    """A graph under construction. Names of tensors are what methods take and return."""

    def __init__(self, name: str, image: Array, seed: int) -> None:
        """`image` is the input, of int8, uint8 or float32; activations take its type, or uint8."""
        self.name = name
        self.image = image
        self.rng = np.random.default_rng(seed)
        self.kind = np.uint8 if image.dtype == F else image.dtype.type
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}
        self.values: dict[str, Any] = {"image": image}
        self.outputs: list[str] = []

    def constant(self, value: Array) -> str:
        """An initializer."""
        name = f"c{len(self.constants)}"
        self.constants[name] = self.values[name] = value
        return name

    def node(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """A node of one output, which the reference computes at once."""
        return self.many(op, inputs, 1, **attributes)[0]

    def many(self, op: str, inputs: list[str], count: int, **attributes: Any) -> list[str]:
        """A node of `count` outputs."""
        names = [f"{op.lower()}{len(self.nodes)}" + ("" if count == 1 else f"_{i}") for i in range(count)]
        node = helper.make_node(op, inputs, names, name=names[0], **attributes)
        self.nodes.append(node)
        value = vision.compute(node, [self.values[name] if name else None for name in inputs], vision.attributes(node))
        self.values |= dict(zip(names, [value] if count == 1 else value, strict=True))
        return names

    def dequantised(self, q: str, scale: Array, zero: Array, axis: int | None = None) -> str:
        """DequantizeLinear of the tensor `q`."""
        name = f"dq{len(self.nodes)}"
        attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
        inputs = [q, self.constant(scale), self.constant(zero)]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name=name, **attributes))
        self.values[name] = Quantised(self.values[q], scale, zero, axis or 0, q in self.constants)
        return name

    def quantised(self, x: str, share: float = 0.9) -> str:
        """QuantizeLinear → DequantizeLinear in a scale by which all but a `share` of the range saturates."""
        value = self.values[x]
        if isinstance(value, Sums):
            terms = [term.astype(F) * (factor / value.count.astype(F)) for term, factor in value.terms]
            real = np.clip(sum(terms[1:], terms[0]), *value.bounds)
        else:
            real = vision.real(value)
        low, high = min(float(real.min()), 0.0), max(float(real.max()), 0.0)
        scale = np.array((high - low) * share / 255 + 1e-6, F)
        least = np.iinfo(self.kind).min
        zero = np.array(np.clip(round(least - low * share / float(scale)), least, least + 255), self.kind)
        name = f"q{len(self.nodes)}"
        inputs = [x, self.constant(scale), self.constant(zero)]
        self.nodes.append(helper.make_node("QuantizeLinear", inputs, [name], name=name))
        self.values[name] = vision.quantise(value, scale, zero, 1)
        return self.dequantised(name, scale, zero)

    def start(self, scale: float = 0.02, zero: int = 3) -> str:
        """The input, dequantised; a float one is quantised first."""
        if self.image.dtype == F:
            return self.quantised("image")
        return self.dequantised("image", np.array(scale, F), np.array(zero, self.image.dtype))

    def weights(self, shape: list[int], axis: int, per_channel: bool = True) -> str:
        """Symmetric int8 weights, one scale for each place of `axis` or one for all."""
        q = self.rng.integers(-127, 128, shape).astype(np.int8)
        count = shape[axis] if per_channel else 1
        scale = self.rng.uniform(0.002, 0.01, count).astype(F)
        zero = np.zeros(count, np.int8)
        if not per_channel:
            return self.dequantised(self.constant(q), scale.reshape(()), zero.reshape(()))
        return self.dequantised(self.constant(q), scale, zero, axis)

    def weights_of(self, stored: str, parameters: list[str]) -> str:
        """Float weights that two nodes quantise by a scale and zero point for each output, and dequantise."""
        name = f"q{len(self.nodes)}"
        self.nodes.append(helper.make_node("QuantizeLinear", [stored, *parameters], [name], name=name, axis=0))
        scale, zero = (self.values[parameter] for parameter in parameters)
        self.values[name] = vision.quantise(self.values[stored], scale, zero, 0)
        dequantised = f"dq{len(self.nodes)}"
        inputs = [name, *parameters]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [dequantised], name=dequantised, axis=0))
        self.values[dequantised] = Quantised(self.values[name], scale, zero, 0, True)
        return dequantised

    def bias(self, x: str, weights: str) -> str:
        """An int32 bias in units of the products of both."""
        unit = (self.values[x].scale * self.values[weights].scale).astype(F).reshape(-1)
        q = self.rng.integers(-3000, 3000, unit.size).astype(np.int32)
        return self.dequantised(self.constant(q), unit, np.zeros(unit.size, np.int32), 0)

    def conv(self, x: str, outputs: int, side: int = 1, group: int = 1, pads: tuple[int, ...] | None = None, **more: Any) -> str:
        """A convolution with weights and bias."""
        inputs = int(self.values[x].q.shape[1])
        weights = self.weights([outputs, inputs // group, side, side], 0)
        margins = list(pads) if pads else [side // 2] * 4
        inputs_ = [x, weights, self.bias(x, weights)]
        return self.node("Conv", inputs_, kernel_shape=[side, side], pads=margins, group=group, **more)

    def output(self, x: str) -> None:
        """Makes the float tensor an output."""
        self.outputs.append(x)

    def shape(self, name: str) -> list[int]:
        """Of an output."""
        return list(vision.real(self.values[name]).shape)

    def model(self) -> onnx.ModelProto:
        """The graph, checked."""
        image = helper.make_tensor_value_info("image", ELEMENTS[self.image.dtype], list(self.image.shape))
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shape(name)) for name in self.outputs]
        constants = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, self.name, [image], outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model)
        return model
