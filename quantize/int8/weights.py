"""Weights in symmetric int8, one scale per output channel: where to clip each channel."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from quantize.int8.graph import LAYERS

LIMIT = 127
SHARES = np.linspace(0.4, 1, 121)


def output_axis(node: onnx.NodeProto) -> int:
    """The axis of a layer's weights that its output channels lie along."""
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if node.op_type == "Conv" or transposed else 1


def best_clip(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[C, K]` → `[C]`: the largest magnitude to keep, which gives int8 of a row its least squared error."""
    most: NDArray[np.float32] = np.abs(rows).max(1)
    best, least = most.copy(), np.full(len(rows), np.inf)
    for share in SHARES[::-1]:
        scale = np.maximum(most * share, 1e-12)[:, None] / LIMIT
        error = ((np.clip(np.rint(rows / scale), -LIMIT, LIMIT) * scale - rows) ** 2).sum(1)
        better = error < least
        best[better], least[better] = (most * share)[better], error[better]
    return best


def clip_weights(model: onnx.ModelProto) -> None:
    """Clips the weights of a float graph, so that int8 by the largest magnitude has the least squared error."""
    constants = {i.name: i for i in model.graph.initializer}
    seen: set[str] = set()
    for node in model.graph.node:
        if node.op_type not in LAYERS or node.input[1] not in constants or node.input[1] in seen:
            continue
        seen.add(node.input[1])
        tensor = constants[node.input[1]]
        w = np.moveaxis(numpy_helper.to_array(tensor), output_axis(node), 0)
        limit = best_clip(w.reshape(len(w), -1)).reshape(-1, *[1] * (w.ndim - 1))
        clipped = np.moveaxis(np.clip(w, -limit, limit), 0, output_axis(node))
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(clipped), tensor.name))
