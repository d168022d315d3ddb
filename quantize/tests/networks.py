"""Small float networks in the form that export gives, for tests of quantising."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from quantize.int8.ptq import Method, Prepared, prepare

Floats = NDArray[np.float32]
SIDE = 8
SCALE = 1 / 64


class Network:
    """Convolutions one after the other, `image` `[1,3,8,8]` → `embedding`."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Floats] = {}
        self.last, self.channels = "image", 3

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = np.asarray(value, np.float32)
        return name

    def conv(self, name: str, outputs: int, side: int = 1, depthwise: bool = False, spread: float = 1.0) -> "Network":
        """He-initialised; channels differ in size by up to `spread`."""
        inputs = 1 if depthwise else self.channels
        w = self.rng.normal(size=(outputs, inputs, side, side)) * (2 / (inputs * side * side)) ** 0.5
        size = np.exp(self.rng.uniform(-np.log(spread), np.log(spread), outputs))
        names = [self.last, self.constant(f"{name}.w", w * size[:, None, None, None])]
        names.append(self.constant(f"{name}.b", self.rng.normal(size=outputs) * 0.3 * size))
        more: dict[str, Any] = {"group": outputs if depthwise else 1, "kernel_shape": [side, side], "pads": [side // 2] * 4}
        self.nodes.append(helper.make_node("Conv", names, [f"{name}.y"], name=name, **more))
        self.last, self.channels = f"{name}.y", outputs
        return self

    def act(self, op: str, **more: Any) -> "Network":
        name = f"{op.lower()}{len(self.nodes)}"
        bounds = (
            [self.constant(f"{name}.{b}", np.array(v, np.float32)) for b, v in (("low", 0), ("high", 6))] if op == "Clip" else []
        )
        self.nodes.append(helper.make_node(op, [self.last, *bounds], [name], name=name, **more))
        self.last = name
        return self

    def model(self) -> onnx.ModelProto:
        nodes = [*self.nodes]
        nodes[-1].output[0] = "embedding"
        made = helper.make_graph(
            nodes,
            "made",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, self.channels, SIDE, SIDE])],
            [numpy_helper.from_array(v, k) for k, v in self.constants.items()],
        )
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return onnx.shape_inference.infer_shapes(model)


def separable(act: str = "Relu", seed: int = 0, spread: float = 1.0, **more: Any) -> onnx.ModelProto:
    """Expand, depthwise, project, as in MobileNetV2."""
    n = Network(seed).conv("expand", 12, spread=spread).act(act, **more)
    return n.conv("depthwise", 12, 3, depthwise=True, spread=spread).act(act, **more).conv("project", 5).model()


def pictures(count: int, seed: int = 1) -> list[Floats]:
    """What an int8 input of SCALE can hold."""
    rng = np.random.default_rng(seed)
    return [(rng.integers(-128, 128, (1, 3, SIDE, SIDE)) * SCALE).astype(np.float32) for _ in range(count)]


def prepared(model: onnx.ModelProto, folder: Path, count: int = 8, method: Method | None = None) -> Prepared:
    """Folded and observed."""
    onnx.save(model, folder / "float.onnx")
    return prepare(folder / "float.onnx", pictures(count), SCALE, method or Method())


def planted(bad: str) -> onnx.ModelProto:
    """Four layers; one weight of `bad` is so large that int8 leaves few steps to the others of its channel."""
    n = Network(4).conv("a", 8, 3).act("Relu").conv("b", 8, 3).act("Relu").conv("c", 8, 3).act("Relu").conv("d", 4)
    w = n.constants[f"{bad}.w"]
    w[:, 0, 0, 0] = 40 * np.abs(w).max()
    # its input channel is dark, so that the large weight itself counts for little
    if bad != "a":
        previous = chr(ord(bad) - 1)
        n.constants[f"{previous}.w"][0] *= 1e-3
        n.constants[f"{previous}.b"][0] = 0
    return n.model()
