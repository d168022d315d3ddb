"""Empirical bias correction (Nagel et al., arXiv 1906.04721, section 4.2): quantised layers get back the means of their outputs.

Layer after layer, so that what was corrected before is part of what is measured; one pass over the calibration inputs.
"""

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from quantize.int8.graph import LAYERS
from quantize.int8.network import QdqNet
from quantize.int8.ranges import session

Array = NDArray[np.float32]
# a layer's results over all inputs are held at once; more than these change nothing
MOST_INPUTS = 16


def layer_means(model: onnx.ModelProto, inputs: list[Array]) -> dict[str, NDArray[np.float64]]:
    """Mean output `[C]` of each layer of a float graph, before its activation, by its node's name."""
    layers = {n.output[0]: n.name for n in model.graph.node if n.op_type in LAYERS}
    run, name = session(model, layers), model.graph.input[0].name
    total = {node: np.zeros(1) for node in layers.values()}
    count = 0
    for x in inputs:
        for node, value in zip(layers.values(), run.run(None, {name: x}), strict=True):
            total[node] = total[node] + value.astype(np.float64).mean(tuple(range(2, value.ndim))).sum(0)
        count += len(x)
    return {node: value / count for node, value in total.items()}


def correct_bias(floats: onnx.ModelProto, model: onnx.ModelProto, inputs: list[Array], scale: float | None) -> onnx.ModelProto:
    """`model`, the int8 form of `floats` (nodes by the same names), with biases whose layers have float's means over `inputs`.

    `scale` is that of the int8 input, None if it is float.
    """
    inputs = inputs[:: -(-len(inputs) // MOST_INPUTS)]
    net = QdqNet(model).train()
    net.wanted = {name: torch.from_numpy(mean) for name, mean in layer_means(floats, inputs).items()}
    x = torch.from_numpy(np.concatenate(inputs))
    with torch.no_grad():
        net(x if scale is None else (x / scale).round())
    return net.export()
