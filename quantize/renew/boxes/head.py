"""The regions' head, `prompt.onnx`: two paths of three layers in int8, read as floats and written back.

`embedding` is the sum of what the detector saw (`towers`), what the classifier saw (`semantic`), and the concepts' path (the
classifier's distribution over its names), which stays as it is.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantize.model.pooling import EXTENT_FEATURES, TOWER_FEATURES
from quantize.renew.head import Graph, HeadError, input_scale, linear, range_of_values, write_layer, write_range

OUTPUT = "embedding"


def kind_above(graph: Graph, name: str) -> str:
    """What a tensor is made by, through quantisation."""
    node = graph.origin(name)
    return node.op_type if node else ""


class Branch(nn.Module):
    """Three layers, the first two cut at zero."""

    def __init__(self, graph: Graph, last: onnx.NodeProto) -> None:
        """Those that end in the node `last`."""
        super().__init__()
        middle = graph.above(last.input[0], "Gemm")
        self.nodes = [graph.above(middle.input[0], "Gemm"), middle, last]
        self.layers = nn.ModuleList(linear(graph, node) for node in self.nodes)

    @property
    def features(self) -> int:
        """Width of its input."""
        first = self.layers[0]
        assert isinstance(first, nn.Linear)
        return first.in_features

    def values(self, x: Tensor, drop: float) -> list[Tensor]:
        """Outputs of the layers; between them a share `drop` is dropped."""
        found: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            x = layer(x)
            x = F.relu(x) if i < 2 else x
            found.append(x)
            x = F.dropout(x, drop, self.training)
        return found

    @torch.no_grad()
    def write(self, graph: Graph, values: list[Tensor]) -> None:
        """Puts the layers into the network in int8, with ranges from their `values`."""
        scale = float(graph.value(input_scale(graph, self.nodes[0])))
        for node, layer, value, relu in zip(self.nodes, self.layers, values, (True, True, False), strict=True):
            scale = write_layer(graph, node, layer, scale, range_of_values(value, relu))  # type: ignore[arg-type]


class RegionsHead(nn.Module):
    """`[N, F]` region vectors → `[N, D]` unit vectors, with dropout `drop` while it learns."""

    classifier: Tensor
    classifier_bias: Tensor
    names: Tensor
    names_bias: Tensor

    def __init__(self, graph: Graph) -> None:
        """From what `embedding` is made of."""
        super().__init__()
        total = graph.above(OUTPUT, "Add")
        seen = [name for name in total.input if kind_above(graph, name) == "Add"]
        said = [name for name in total.input if name not in seen]
        if len(seen) != 1 or len(said) != 1:
            raise HeadError(f"{OUTPUT}: found {len(seen)} sums among two terms, expected one")
        parts = graph.above(seen[0], "Add")
        paths = sorted((Branch(graph, graph.above(name, "Gemm")) for name in parts.input), key=lambda path: path.features)
        self.towers, self.semantic = paths
        expected = TOWER_FEATURES + EXTENT_FEATURES
        if self.towers.features != expected:
            raise HeadError(f"{OUTPUT}: found {self.towers.features} features of towers, expected {expected}")
        self.sums = parts.output[0], total.output[0]
        concepts = graph.above(said[0], "Gemm")
        scores = graph.above(graph.made_by[concepts.input[0]].input[0], "Gemm")
        self.register_buffer("classifier", torch.from_numpy(graph.dequantised(scores.input[1])))
        self.register_buffer("classifier_bias", torch.from_numpy(graph.dequantised(scores.input[2])))
        self.register_buffer("names", torch.from_numpy(graph.dequantised(concepts.input[1])))
        self.register_buffer("names_bias", torch.from_numpy(np.array(graph.value(concepts.input[2]))))
        self.drop = 0.0

    def concepts(self, x: Tensor) -> Tensor:
        """What the concepts' path adds."""
        semantic = x[:, TOWER_FEATURES:-EXTENT_FEATURES]
        return F.linear(F.linear(semantic, self.classifier, self.classifier_bias).softmax(1), self.names, self.names_bias)

    def towers_values(self, x: Tensor) -> list[Tensor]:
        """Outputs of the layers over what the detector saw."""
        return self.towers.values(torch.cat([x[:, :TOWER_FEATURES], x[:, -EXTENT_FEATURES:]], 1), self.drop)

    def semantic_values(self, x: Tensor) -> list[Tensor]:
        """Outputs of the layers over what the classifier saw."""
        semantic = F.dropout(x[:, TOWER_FEATURES:-EXTENT_FEATURES], self.drop / 3, self.training)
        return self.semantic.values(semantic, self.drop)

    def rest(self, x: Tensor) -> Tensor:
        """All terms but the towers'."""
        return self.semantic_values(x)[-1] + self.concepts(x)

    def forward(self, x: Tensor, rest: Tensor) -> Tensor:
        return F.normalize(self.towers_values(x)[-1] + rest, dim=1)

    @torch.no_grad()
    def write(self, graph: Graph, x: Tensor) -> None:
        """Puts the layers into the network in int8, with ranges from the region vectors `x`."""
        self.eval()
        towers, semantic = self.towers_values(x), self.semantic_values(x)
        self.towers.write(graph, towers)
        self.semantic.write(graph, semantic)
        seen = towers[-1] + semantic[-1]
        for name, value in zip(self.sums, (seen, seen + self.concepts(x)), strict=True):
            write_range(graph, name, range_of_values(value, False))
