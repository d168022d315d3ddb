"""Float MobileNetV2 and ResNet-18 with seeded random weights, as ONNX without BatchNorm (as if folded)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
CLASSES = 1000


class Maker:
    """A graph in the making; tensors are `[1, C, H, W]`."""

    def __init__(self, seed: int, size: int) -> None:
        self.random = np.random.default_rng(seed)
        self.size = size
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.channels = {"image": 3}

    def constant(self, name: str, values: ArrayLike) -> str:
        """A constant called `name`."""
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(self, op: str, inputs: list[str], channels: int, **attributes: Any) -> str:
        """A node; its only output is named after it."""
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.channels[name] = channels
        return name

    def conv(self, x: str, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, gain: float = 2.0) -> str:
        """A convolution with weights of variance `gain / fan-in` (He et al. 2015: 2 before a ReLU, 1 before none)."""
        fan_in = self.channels[x] // groups * kernel * kernel
        shape = (outputs, self.channels[x] // groups, kernel, kernel)
        weights = self.random.standard_normal(shape) * np.sqrt(gain / fan_in)
        bias = self.random.standard_normal(outputs) * 0.1
        name = f"conv{len(self.nodes)}"
        inputs = [x, self.constant(f"{name}.weight", weights), self.constant(f"{name}.bias", bias)]
        pad = kernel // 2
        return self.node(
            "Conv", inputs, outputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups
        )  # fmt: skip

    def relu(self, x: str) -> str:
        """max(x, 0)"""
        return self.node("Relu", [x], self.channels[x])

    def relu6(self, x: str) -> str:
        """min(max(x, 0), 6)"""
        if "zero" not in (constant.name for constant in self.constants):
            self.constant("zero", 0)
            self.constant("six", 6)
        return self.node("Clip", [x, "zero", "six"], self.channels[x])

    def add(self, a: str, b: str) -> str:
        """a + b"""
        return self.node("Add", [a, b], self.channels[a])

    def finish(self, x: str) -> onnx.ModelProto:
        """Mean over places, then the classifier."""
        pooled = self.node("Flatten", [self.node("GlobalAveragePool", [x], self.channels[x])], self.channels[x], axis=1)
        weights = self.random.standard_normal((CLASSES, self.channels[x])) * np.sqrt(1 / self.channels[x])
        inputs = [pooled, self.constant("classifier.weight", weights), self.constant("classifier.bias", np.zeros(CLASSES))]
        scores = self.node("Gemm", inputs, CLASSES, transB=1)
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, self.size, self.size])],
            [helper.make_tensor_value_info(scores, TensorProto.FLOAT, [1, CLASSES])], self.constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model)
        return model


def mobilenetv2(size: int) -> onnx.ModelProto:
    """MobileNetV2 of width 1 (Sandler et al. 2018, table 2)."""
    make = Maker(2, size)
    x = make.relu6(make.conv("image", 32, 3, 2))
    table = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, outputs, repeats, first_stride in table:
        for index in range(repeats):
            stride, start, inside = (first_stride if index == 0 else 1), x, make.channels[x] * expansion
            if expansion > 1:
                x = make.relu6(make.conv(x, inside, 1))
            x = make.relu6(make.conv(x, inside, 3, stride, groups=inside))
            x = make.conv(x, outputs, 1, gain=1.0)
            if stride == 1 and make.channels[start] == outputs:
                x = make.add(x, start)
    return make.finish(make.relu6(make.conv(x, 1280, 1)))


def resnet18(size: int) -> onnx.ModelProto:
    """ResNet-18 (He et al. 2016, table 1); the second convolution of a block is scaled down so that sums stay bounded."""
    make = Maker(18, size)
    x = make.relu(make.conv("image", 64, 7, 2))
    x = make.node("MaxPool", [x], 64, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for outputs, first_stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride in (first_stride, 1):
            start = x
            x = make.relu(make.conv(x, outputs, 3, stride))
            x = make.conv(x, outputs, 3, gain=0.5)
            if make.channels[start] != outputs:
                start = make.conv(start, outputs, 1, stride, gain=1.0)
            x = make.relu(make.add(x, start))
    return make.finish(x)


MAKERS: dict[str, Callable[[int], onnx.ModelProto]] = {"mobilenetv2": mobilenetv2, "resnet18": resnet18}
