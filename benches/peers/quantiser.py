"""Static int8 with ONNX Runtime's quantiser: float ONNX → plain QDQ with int8 input."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from PIL import Image

# of the input, as in the bundle: its int8 values are pixels − 128
INPUT_SCALE = 1 / 127.5
PHOTOS = Path(__file__).parents[2] / "tests/data"
NAMES = ("astronaut", "coffee", "cat")
QUANTISED_OPS = ["Conv", "Gemm", "Add", "MaxPool", "GlobalAveragePool", "Relu", "Clip", "Flatten"]


def photo(name: str, size: int) -> NDArray[np.int8]:
    """A photo of tests/data as int8 `[1, 3, size, size]`, stretched to a square."""
    with Image.open(PHOTOS / f"{name}.jpg") as picture:
        pixels = np.array(picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
    return (pixels.astype(np.int16) - 128).astype(np.int8).transpose(2, 0, 1)[None].copy()


def dequantised_photos(size: int) -> list[NDArray[np.float32]]:
    """What networks are calibrated on."""
    return [photo(name, size).astype(np.float32) * np.float32(INPUT_SCALE) for name in NAMES]


class Photos(CalibrationDataReader):  # type: ignore[misc]
    """Feeds them one by one."""

    def __init__(self, size: int) -> None:
        self.items: Iterator[NDArray[np.float32]] = iter(dequantised_photos(size))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        photo = next(self.items, None)
        return None if photo is None else {"image": photo}


def quantise(source: Path, target: Path, size: int) -> None:
    """Weights int8 symmetric per channel, activations int8 asymmetric per tensor; the graph's input becomes int8."""
    # It advises to fold BatchNorm, of which there is none.
    logging.getLogger().setLevel(logging.ERROR)
    overrides = {"image": [{"scale": np.array(INPUT_SCALE, np.float32), "zero_point": np.array(0, np.int8)}]}
    quantize_static(
        str(source), str(target), Photos(size),
        quant_format=QuantFormat.QDQ, op_types_to_quantize=QUANTISED_OPS, per_channel=True,
        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True, "TensorQuantOverrides": overrides},
    )  # fmt: skip
    model = onnx.load(target)
    graph = model.graph
    (first,) = (n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "image")
    for node in graph.node:
        node.input[:] = ["image" if name == first.output[0] else name for name in node.input]
    graph.node.remove(first)
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT8
    onnx.checker.check_model(model)
    onnx.save(model, target)
