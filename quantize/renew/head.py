"""The picture's head inside `vision.onnx`: three layers in int8, read as floats and written back.

`image_embedding` is their output plus the concepts' path (the classifier's distribution over its names), which stays as it is.
"""

from dataclasses import dataclass

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from quantize.arithmetic.geometry import Floats

OUTPUT = "image_embedding"
PERCENTILE = 99.99
LEVELS = 255
RELU_ZERO = -128
"""Of a quantised ReLU's output: what is below zero is cut by the range itself."""


class HeadError(ValueError):
    """The network is not built as `quantize.export` builds it."""


@dataclass
class Graph:
    """A network by names."""

    model: onnx.ModelProto

    def __post_init__(self) -> None:
        self.constants = {each.name: each for each in self.model.graph.initializer}
        self.made_by: dict[str, onnx.NodeProto] = {name: node for node in self.model.graph.node for name in node.output}

    def value(self, name: str) -> NDArray[np.generic]:
        """A constant."""
        return numpy_helper.to_array(self.constants[name])

    def replace(self, name: str, value: NDArray[np.generic]) -> None:
        """Gives a constant another value of the same type and shape."""
        old = self.value(name)
        if old.shape != value.shape:
            raise HeadError(f"{name}: found shape {value.shape}, expected {old.shape}")
        self.constants[name].CopyFrom(numpy_helper.from_array(value.astype(old.dtype), name))

    def origin(self, name: str) -> onnx.NodeProto | None:
        """The node that `name` comes from, through quantisation and Flatten."""
        node: onnx.NodeProto | None = self.made_by.get(name)
        while node is not None and node.op_type in ("QuantizeLinear", "DequantizeLinear", "Flatten"):
            node = self.made_by.get(node.input[0])
        return node

    def above(self, name: str, kind: str) -> onnx.NodeProto:
        """The node of this kind that `name` comes from, through quantisation and Flatten alone."""
        node = self.origin(name)
        if node is None or node.op_type != kind:
            raise HeadError(f"{name}: found {node.op_type if node else 'nothing'} above it, expected {kind}")
        return node

    def dequantised(self, name: str) -> Floats:
        """A constant that is stored in int8 or int32, by its first axis."""
        node = self.made_by[name]
        q, scale, zero = (self.value(each).astype(np.float32) for each in node.input)
        return np.asarray((q - _by_row(zero, q)) * _by_row(scale, q), np.float32)

    def range_of(self, name: str) -> tuple[str, str]:
        """Names of scale and zero point of the tensor `name`, which is quantised next."""
        node = next(each for each in self.model.graph.node if each.op_type == "QuantizeLinear" and each.input[0] == name)
        return node.input[1], node.input[2]


def _by_row(each: Floats, q: Floats) -> Floats:
    return each.reshape(-1, *[1] * (q.ndim - 1)) if each.ndim else each


class Head(nn.Module):
    """`[N, C]` means of the semantic map → `[N, D]` unit vectors; only the layers learn, with dropout `drop`."""

    classifier: Tensor
    classifier_bias: Tensor
    names: Tensor
    names_bias: Tensor

    def __init__(self, graph: Graph) -> None:
        """From what `image_embedding` is made of."""
        super().__init__()
        total = graph.above(OUTPUT, "Add")
        paths = [graph.above(name, "Gemm") for name in total.input]
        # the concepts' path goes through a softmax
        soft = [graph.made_by[path.input[0]].op_type == "Softmax" for path in paths]
        if sorted(soft) != [False, True]:
            raise HeadError(f"{OUTPUT}: found {sum(soft)} paths through a softmax, expected one of two")
        last, concepts = paths[soft.index(False)], paths[soft.index(True)]
        middle = graph.above(last.input[0], "Gemm")
        first = graph.above(middle.input[0], "Gemm")
        self.nodes = [first, middle, last]
        self.total = total.output[0]
        self.layers = nn.ModuleList(linear(graph, node) for node in self.nodes)
        scores = graph.above(graph.made_by[concepts.input[0]].input[0], "Gemm")
        self.register_buffer("classifier", torch.from_numpy(graph.dequantised(scores.input[1])))
        self.register_buffer("classifier_bias", torch.from_numpy(graph.dequantised(scores.input[2])))
        self.register_buffer("names", torch.from_numpy(graph.dequantised(concepts.input[1])))
        self.register_buffer("names_bias", torch.from_numpy(np.array(graph.value(concepts.input[2]))))
        self.drop = 0.0

    def distribution(self, x: Tensor) -> Tensor:
        """The classifier's, `[N, K]`."""
        return F.linear(x, self.classifier, self.classifier_bias).softmax(1)

    def concepts(self, x: Tensor) -> Tensor:
        """What the concepts' path adds."""
        return F.linear(self.distribution(x), self.names, self.names_bias)

    def values(self, x: Tensor) -> list[Tensor]:
        """Outputs of the three layers, the first two cut at zero."""
        found: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            x = layer(x)
            x = F.relu(x) if i < 2 else x
            found.append(x)
            x = F.dropout(x, self.drop, self.training)
        return found

    def forward(self, x: Tensor, concepts: Tensor) -> Tensor:
        return F.normalize(self.values(F.dropout(x, self.drop / 3, self.training))[-1] + concepts, dim=1)

    @torch.no_grad()
    def write(self, graph: Graph, x: Tensor) -> None:
        """Puts the layers into the network in int8, with ranges from the features `x`."""
        values, concepts = self.eval().values(x), self.concepts(x)
        scale_in = float(graph.value(input_scale(graph, self.nodes[0])))
        for node, layer, value, relu in zip(self.nodes, self.layers, values, (True, True, False), strict=True):
            scale_in = write_layer(graph, node, layer, scale_in, range_of_values(value, relu))  # type: ignore[arg-type]
        write_range(graph, self.total, range_of_values(values[-1] + concepts, False))


Range = tuple[np.float32, np.int8]
"""Scale and zero point."""


def linear(graph: Graph, node: onnx.NodeProto) -> nn.Linear:
    """A layer in float."""
    weight, bias = (torch.from_numpy(graph.dequantised(name)) for name in node.input[1:3])
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def range_of_values(x: Tensor, relu: bool) -> Range:
    """Of a tensor; what a `relu` cuts needs no steps."""
    values = x.numpy().ravel()
    high = float(np.percentile(values, PERCENTILE))
    if relu:
        return np.float32(max(high, 1e-6) / LEVELS), np.int8(RELU_ZERO)
    low = min(float(np.percentile(values, 100 - PERCENTILE)), 0.0)
    scale = max(max(high, 0.0) - low, 1e-6) / LEVELS
    return np.float32(scale), np.int8(np.clip(round(-low / scale) - 128, -128, 127))


def input_scale(graph: Graph, node: onnx.NodeProto) -> str:
    """Name of the scale of the tensor that a layer looks at."""
    return str(graph.made_by[node.input[0]].input[1])


def write_range(graph: Graph, name: str, found: Range) -> None:
    """Gives the tensor `name` another range."""
    scale, zero = graph.range_of(name)
    graph.replace(scale, np.asarray(found[0]))
    graph.replace(zero, np.asarray(found[1]))


def write_layer(graph: Graph, node: onnx.NodeProto, layer: nn.Linear, scale_in: float, out: Range) -> float:
    """Writes a layer in int8; returns the scale of its output."""
    weight, bias = layer.weight.numpy(), layer.bias.numpy()
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-9) / 127
    q, q_scale, q_zero = graph.made_by[node.input[1]].input
    graph.replace(q, np.clip(np.rint(weight / scale[:, None]), -127, 127))
    graph.replace(q_scale, scale)
    graph.replace(q_zero, np.zeros_like(scale))
    q, q_scale, q_zero = graph.made_by[node.input[2]].input
    graph.replace(q, np.rint(bias / (scale * scale_in)))
    graph.replace(q_scale, scale * scale_in)
    graph.replace(q_zero, np.zeros_like(scale))
    write_range(graph, node.output[0], out)
    return float(out[0])
