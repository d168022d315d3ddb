"""A QDQ graph as a trainable PyTorch network: it computes what the board computes, and is written back into the same file.

In evaluation mode sums are exact (float64) and every quantised value equals `quantize/arithmetic/vision.py` bit for bit. In
training mode sums are float32, which is exact below 2²⁴ and twice as fast.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from quantize.arithmetic.vision import attributes
from quantize.int8 import ops
from quantize.int8.graph import LAYERS
from quantize.int8.straight_through import Quantised, Sums, Type, round_clamp
from quantize.int8.weights import output_axis


@dataclass
class Stored:
    """A constant behind a DequantizeLinear, by the names of its initializers."""

    q: str
    scale: str
    zero: str | None


@dataclass
class Layer:
    """A convolution or matrix product; weights and bias are parameters `at` and `bias_at` of the network.

    Int8 weights are held in units of their channel's scale, so that one learning rate fits all channels; all else is real.
    """

    name: str
    op: str
    at: int
    weights: Stored | str
    axis: int
    bias_at: int | None = None
    bias: Stored | str | None = None


class QdqNet(nn.Module):
    """`forward` takes the graph's input, `[B, …]`, whole numbers where it is int8, and gives its float outputs by name."""

    def __init__(self, model: onnx.ModelProto, learn_scales: bool = False) -> None:
        super().__init__()
        self.model = model
        self.constants: dict[str, NDArray[Any]] = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(attributes(node)["value"])
        self.nodes = [(n, attributes(n)) for n in model.graph.node if n.op_type != "Constant"]
        self.stored = {
            n.output[0]: Stored(n.input[0], n.input[1], n.input[2] if len(n.input) > 2 else None)
            for n, _ in self.nodes
            if n.op_type == "DequantizeLinear" and n.input[0] in self.constants
        }
        self.weights, self.biases, self.deltas = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        self.layers = {n.output[0]: self._layer(n) for n, _ in self.nodes if n.op_type in LAYERS}
        scales = {n.input[1] for n, _ in self.nodes if n.op_type == "QuantizeLinear"}
        scales |= {y.weights.scale for y in self.layers.values() if isinstance(y.weights, Stored)}
        self.scale_at = {name: i for i, name in enumerate(sorted(scales))}
        for i, name in enumerate(self.scale_at):
            self.register_buffer(f"scale_{i}", torch.tensor(self.constants[name].astype(np.float32)))
            self.deltas.append(nn.Parameter(torch.zeros(self.constants[name].shape), requires_grad=learn_scales))
        self.last_use = {name: i for i, (n, _) in enumerate(self.nodes) for name in n.input}
        self.wanted: dict[str, Tensor] = {}

    def _constant(self, name: str) -> Stored | str | None:
        found = self.stored.get(name)
        if found is not None and found.zero is not None and self.constants[found.zero].any():
            raise ValueError(f"{name}: found weights or a bias with a zero point, expected symmetric ones")
        return found or (name if name in self.constants else None)

    def _layer(self, node: onnx.NodeProto) -> Layer:
        weights, axis = self._constant(node.input[1]), output_axis(node)
        if weights is None:
            raise ValueError(f"{node.name}: found a product of two activations, expected constant weights")
        layer = Layer(node.name, node.op_type, len(self.weights), weights, axis)
        held = self.constants[weights.q] if isinstance(weights, Stored) else self.constants[weights]
        self.weights.append(nn.Parameter(torch.from_numpy(held.astype(np.float32))))
        bias = self._constant(node.input[2]) if len(node.input) > 2 else None
        if bias is not None:
            layer.bias, layer.bias_at = bias, len(self.biases)
            units = self.constants[bias.scale].astype(np.float64) if isinstance(bias, Stored) else 1.0
            held = self.constants[bias.q if isinstance(bias, Stored) else bias]
            self.biases.append(nn.Parameter(torch.from_numpy(held.astype(np.float64) * units)))
        return layer

    def scale(self, name: str) -> Tensor:
        """A scale as learned."""
        i = self.scale_at[name]
        base, delta = self.get_buffer(f"scale_{i}"), self.deltas[i]
        return base * delta.exp() if delta.requires_grad else base

    def _type(self, scale: str, zero: str | None, types: dict[tuple[str, str | None], Type]) -> Type:
        """Scale and range of a tensor; one object each, so that equal types are recognised."""
        if (scale, zero) not in types:
            point = self.constants[zero] if zero else np.zeros((), np.uint8)
            if point.size != 1:
                raise ValueError(f"{scale}: found {point.size} zero points of an activation, expected one")
            ends = np.iinfo(point.dtype)
            value = self.scale(scale) if scale in self.scale_at else torch.tensor(self.constants[scale].astype(np.float32))
            types[scale, zero] = Type(value.reshape(()), int(point), ends.min - int(point), ends.max - int(point))
        return types[scale, zero]

    def whole_weights(self, layer: Layer) -> tuple[Tensor, Tensor]:
        """Integer weights and their scales `[C]`."""
        assert isinstance(layer.weights, Stored)
        w, name = self.weights[layer.at], layer.weights.scale
        delta = self.deltas[self.scale_at[name]]
        if delta.requires_grad:
            w = w * (-delta).exp().reshape([-1 if i == layer.axis else 1 for i in range(w.dim())])
        return round_clamp(w, -127, 127), self.scale(name).reshape(-1)

    def _product(self, layer: Layer, x: Any, a: dict[str, Any]) -> Any:
        quantised = isinstance(layer.weights, Stored)
        if not quantised or not isinstance(x, Quantised):
            w = self.weights[layer.at]
            if quantised:
                whole, scale = self.whole_weights(layer)
                w = whole * scale.reshape([-1 if i == layer.axis else 1 for i in range(w.dim())])
            out = ops.product(layer.op, ops.real(x), w, a)
            along = [1, -1, 1, 1] if layer.op == "Conv" else [-1]
            return out if layer.bias_at is None else out + self.biases[layer.bias_at].float().reshape(along)
        w, scale = self.whole_weights(layer)
        kind = torch.float32 if self.training else torch.float64
        sums = ops.product(layer.op, x.q.to(kind), w.to(kind), a)
        unit = x.type.scale * scale
        along = [1, -1, 1, 1] if layer.op == "Conv" else [-1]
        if layer.bias_at is not None:
            if layer.name in self.wanted:
                self._correct(layer, sums, unit)
            bias = round_clamp(self.biases[layer.bias_at] / unit.double())
            sums = sums + bias.to(kind).reshape(along)
        return Sums([(sums, unit.reshape(along) if unit.numel() > 1 else unit.reshape(()))])

    def _correct(self, layer: Layer, sums: Tensor, unit: Tensor) -> None:
        """Sets the bias so that the layer's mean is the one that is wanted."""
        assert layer.bias_at is not None
        others = [i for i in range(sums.dim()) if i != 1]
        mean = sums.double().mean(others) * unit.double()
        self.biases[layer.bias_at].data = self.wanted[layer.name].double() - mean

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        values: dict[str, Any] = {self.model.graph.input[0].name: x}
        types: dict[tuple[str, str | None], Type] = {}
        shown = {o.name for o in self.model.graph.output}
        for i, (node, a) in enumerate(self.nodes):
            inputs = [values.get(name, self.constants.get(name)) if name else None for name in node.input]
            results: list[Any]
            if node.output[0] in self.stored:
                continue
            if node.op_type in LAYERS:
                results = [self._product(self.layers[node.output[0]], inputs[0], a)]
            elif node.op_type == "DequantizeLinear" and isinstance(inputs[0], Quantised):
                results = [inputs[0]]
            elif node.op_type in ("QuantizeLinear", "DequantizeLinear"):
                type_ = self._type(node.input[1], node.input[2] if len(node.input) > 2 else None, types)
                results = [self._change(inputs[0], type_, node.op_type == "DequantizeLinear")]
            else:
                found = ops.compute(node.op_type, inputs, a)
                results = list(found) if node.op_type == "Split" else [found]
            values.update(zip(node.output, results, strict=True))
            for name in node.input:
                if self.last_use[name] == i and name not in shown:
                    values.pop(name, None)
        return {name: ops.real(values[name]) for name in shown}

    @staticmethod
    def _change(x: Any, type_: Type, stored: bool) -> Quantised:
        if stored:  # the graph's own input, as it is stored
            return Quantised(x.float() - type_.zero, type_)
        if isinstance(x, Sums):
            return x.of(type_)
        if isinstance(x, Quantised) and x.type is type_:
            return x
        return type_.of(ops.real(x))

    def export(self) -> onnx.ModelProto:
        """The same file with the weights, biases and scales as they are now."""
        changed: dict[str, NDArray[Any]] = {}
        with torch.no_grad():
            for name in self.scale_at:
                changed[name] = self.scale(name).numpy().reshape(self.constants[name].shape)
            units = self._units()
            for out, layer in self.layers.items():
                self._store(layer, units.get(out), changed)
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for initializer in model.graph.initializer:
            if initializer.name in changed:
                array = changed[initializer.name].astype(self.constants[initializer.name].dtype)
                initializer.CopyFrom(numpy_helper.from_array(np.asarray(array, order="C"), initializer.name))
        return model

    def _units(self) -> dict[str, Tensor]:
        """The unit of each int8 layer's sums."""
        made = {name: node for node, _ in self.nodes for name in node.output}
        found = {}
        for out, layer in self.layers.items():
            before = made.get(made[out].input[0])
            if isinstance(layer.weights, Stored) and before is not None and before.op_type == "DequantizeLinear":
                name = before.input[1]
                scale = self.scale(name) if name in self.scale_at else torch.tensor(self.constants[name].astype(np.float32))
                found[out] = scale * self.scale(layer.weights.scale).reshape(-1)
        return found

    def _store(self, layer: Layer, unit: Tensor | None, changed: dict[str, NDArray[Any]]) -> None:
        if isinstance(layer.weights, Stored):
            changed[layer.weights.q] = self.whole_weights(layer)[0].numpy()
        else:
            changed[layer.weights] = self.weights[layer.at].numpy()
        if layer.bias_at is None:
            return
        bias = self.biases[layer.bias_at]
        if isinstance(layer.bias, Stored):
            if unit is None:
                raise ValueError(f"{layer.name}: found an int32 bias behind a float product, expected a float bias")
            changed[layer.bias.q] = (bias / unit.double()).round().numpy()
            changed[layer.bias.scale] = unit.numpy().reshape(self.constants[layer.bias.scale].shape)
        elif layer.bias is not None:
            changed[layer.bias] = bias.numpy()
