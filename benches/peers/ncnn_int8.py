"""ncnn's own int8 form of a network: what its tools `ncnn2table` and `ncnn2int8` do, which no package registry carries.

Weights are symmetric, one scale an output channel (6 bits for 3×3 kernels of stride 1, as Winograd needs); inputs of layers are
symmetric with one scale. A convolution that feeds only convolutions hands on int8.
"""

from dataclasses import dataclass
from pathlib import Path

import ncnn
import numpy as np
from numpy.typing import NDArray

MAGIC = "7767517"
INT8_TAG = 0x000D4B38
CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")
WEIGHTED = (*CONVOLUTIONS, "InnerProduct")
WITHOUT_WEIGHTS = (
    "BinaryOp", "Clip", "Concat", "Flatten", "Input", "Interp", "Pooling", "ReLU", "Reshape", "ShuffleChannel", "Slice",
    "Softmax", "Split",
)  # fmt: skip


@dataclass
class Layer:
    """A line of a .param file."""

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    values: dict[int, str]

    @classmethod
    def parse(cls, line: str) -> "Layer":
        """From the line."""
        kind, name, inputs, outputs, *rest = line.split()
        first, last = int(inputs), int(inputs) + int(outputs)
        values = dict(item.split("=") for item in rest[last:])
        return cls(kind, name, rest[:first], rest[first:last], {int(key): value for key, value in values.items()})

    def line(self) -> str:
        """Back to the line."""
        values = [f"{key}={value}" for key, value in self.values.items()]
        counts = [str(len(self.inputs)), str(len(self.outputs))]
        return " ".join([self.kind, self.name, *counts, *self.inputs, *self.outputs, *values])

    def number(self, key: int, default: int = 0) -> int:
        """The integer parameter `key`."""
        return int(self.values.get(key, default))

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.number(2 if self.kind == "InnerProduct" else 6)

    @property
    def has_bias(self) -> bool:
        """Whether a bias follows the weights."""
        return bool(self.number(1 if self.kind == "InnerProduct" else 5))

    @property
    def is_winograd(self) -> bool:
        """Whether ncnn may run it in Winograd's form."""
        width = self.number(1)
        stride, dilation = self.number(3, 1), self.number(2, 1)
        return self.kind == "Convolution" and (width, self.number(11, width), stride, dilation) == (3, 3, 1, 1)


def absolute_maxima(param: Path, weights: Path, blobs: list[str], pictures: list[NDArray[np.float32]]) -> dict[str, float]:
    """Largest magnitude of each blob over the pictures `[1, 3, S, S]`."""
    net = ncnn.Net()
    net.opt.lightmode = False
    net.opt.num_threads = 1
    net.load_param(str(param))
    net.load_model(str(weights))
    found = dict.fromkeys(blobs, 0.0)
    for picture in pictures:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(picture[0]))
        for blob in blobs:
            found[blob] = max(found[blob], float(np.abs(np.array(extractor.extract(blob)[1])).max()))
    return found


def convert(param: Path, weights: Path, target: Path, pictures: list[NDArray[np.float32]]) -> None:
    """Writes `target`.param and `target`.bin."""
    magic, counts, *lines = param.read_text().splitlines()
    if magic != MAGIC:
        raise ValueError(f"{param}: found {magic}, expected {MAGIC}")
    layers = [Layer.parse(line) for line in lines if line.strip()]
    unknown = {layer.kind for layer in layers} - {*WEIGHTED, *WITHOUT_WEIGHTS}
    if unknown:
        raise ValueError(f"{param}: layers {', '.join(sorted(unknown))}, of which it is not known whether they hold weights")
    makers = {blob: layer for layer in layers for blob in layer.outputs}
    quantised = [layer for layer in layers if layer.kind in WEIGHTED and makers[layer.inputs[0]].kind != "Softmax"]
    maxima = absolute_maxima(param, weights, [layer.inputs[0] for layer in quantised], pictures)
    scales = {layer.name: np.float32(127 / max(maxima[layer.inputs[0]], 1e-6)) for layer in quantised}
    next_scale = {layer.name: handed_on(layer, layers, scales) for layer in quantised}

    data, at, out = weights.read_bytes(), 0, bytearray()
    for layer in layers:
        if layer.kind not in WEIGHTED:
            continue
        outputs = layer.number(0)
        tag = int.from_bytes(data[at : at + 4], "little")
        if tag != 0:
            raise ValueError(f"{weights}: {layer.name} has weights of kind {tag:#x}, expected floats")
        end = at + 4 + 4 * (layer.weights + outputs * layer.has_bias)
        values = np.frombuffer(data[at + 4 : end], np.float32)
        if layer.name not in scales:
            out += data[at:end]
        else:
            rows = values[: layer.weights].reshape(outputs, -1)
            top = 31 if layer.is_winograd else 127
            weight_scales = (top / np.maximum(np.abs(rows).max(1), 1e-8)).astype(np.float32)
            packed = np.clip(np.rint(rows * weight_scales[:, None]), -127, 127).astype(np.int8).tobytes()
            out += INT8_TAG.to_bytes(4, "little") + packed + bytes(-len(packed) % 4)
            out += values[layer.weights :].tobytes() + weight_scales.tobytes() + scales[layer.name].tobytes()
            term = 1 if layer.kind == "ConvolutionDepthWise" else 2
            following = next_scale[layer.name]
            if following is not None:
                term += 100
                out += following.tobytes()
            layer.values[8] = str(term)
        at = end
    if at != len(data):
        raise ValueError(f"{weights}: {len(data)} bytes, expected {at}")
    target.with_name(f"{target.name}.bin").write_bytes(out)
    target.with_name(f"{target.name}.param").write_text("\n".join([magic, counts, *(layer.line() for layer in layers)]) + "\n")


def handed_on(layer: Layer, layers: list[Layer], scales: dict[str, np.float32]) -> np.float32 | None:
    """The scale in which a convolution's result is wanted by its only readers, int8 convolutions; else None."""
    if layer.kind not in CONVOLUTIONS:
        return None
    blobs, readers = list(layer.outputs), []
    for blob in blobs:
        if blob.startswith("out"):
            return None
        for reader in layers:
            if blob in reader.inputs:
                if reader.kind == "Split":
                    blobs += reader.outputs
                else:
                    readers.append(reader)
    wanted = {float(scales[reader.name]) for reader in readers if reader.kind in CONVOLUTIONS and reader.name in scales}
    only = len(wanted) == 1 and all(reader.kind in CONVOLUTIONS and reader.name in scales for reader in readers)
    return np.float32(wanted.pop()) if only else None
