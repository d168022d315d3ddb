"""Post-training int8: float ONNX → plain QDQ ONNX (per-channel symmetric weights, per-tensor activations, int32 bias).

What lies between is ONNX Runtime's quantiser; ranges, equalisation and bias correction are ours, which the runtime lacks or
does differently.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorData, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from quantize.int8.bias import correct_bias
from quantize.int8.equalise import equalise, relu6_to_relu
from quantize.int8.graph import float_input, fold, int8_input, shorten, weights_only
from quantize.int8.ranges import METHODS, Histogram, Range, observe
from quantize.int8.weights import clip_weights

Array = NDArray[np.float32]
QUANTISED_OPS = [
    "Conv", "Gemm", "Add", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize", "LeakyRelu", "Relu", "Clip",
    "Reshape", "Transpose", "Split", "Slice", "Flatten",
]  # fmt: skip


@dataclass(frozen=True)
class Method:
    """How to quantise. `equalise` is none, weights or activations; `relu6` is keep or replace (see `equalise.py`)."""

    ranges: str = "percentile"
    weights: str = "mse"
    equalise: str = "none"
    relu6: str = "keep"
    bias: bool = False


CHOICES = {
    "ranges": tuple(METHODS),
    "weights": ("largest", "mse"),
    "equalise": ("none", "weights", "activations"),
    "relu6": ("keep", "replace"),
}
DEFAULT = Method()


@dataclass
class Prepared:
    """A float graph that is ready to be quantised, what its activations are, and the inputs that showed it."""

    model: onnx.ModelProto
    histograms: dict[str, Histogram]
    inputs: list[Array]
    input_scale: float | None


def prepare(source: Path, inputs: list[Array], input_scale: float | None, method: Method = DEFAULT) -> Prepared:
    """Folds, equalises and observes a float graph; with `input_scale` its input is to become int8 of that scale."""
    with TemporaryDirectory() as folder:
        bare, folded = Path(folder) / "bare.onnx", Path(folder) / "folded.onnx"
        model = onnx.load(source)
        found = float_input(model)
        onnx.save(model, bare)
        fold(bare, folded)
        model = onnx.load(folded)
    check_inputs(model, inputs)
    if method.relu6 == "replace":
        relu6_to_relu(model)
    if method.equalise != "none":
        equalise(model, inputs, method.equalise)
    return Prepared(model, observe(model, inputs), inputs, found if input_scale is None else input_scale)


def check_inputs(model: onnx.ModelProto, inputs: list[Array]) -> None:
    """Raises ValueError where an input is not of the graph's shape; dimensions without a size take any."""
    first = model.graph.input[0]
    wanted = [d.dim_value for d in first.type.tensor_type.shape.dim]
    for x in inputs:
        if len(x.shape) != len(wanted) or any(w and w != n for w, n in zip(wanted, x.shape, strict=True)):
            raise ValueError(f"{first.name}: found inputs of shape {list(x.shape)}, expected {wanted}")


def float_by_nature(model: onnx.ModelProto) -> set[str]:
    """Nodes that stay in float: what int8 has no rule for, and the layer behind a softmax."""
    # tract 0.23.9 computes Softmax → Q → DQ → Gemm wrongly by a factor; a distribution is also poorly served by 8 bits
    distributions = {n.output[0] for n in model.graph.node if n.op_type == "Softmax"}
    return {n.name for n in model.graph.node if n.op_type not in QUANTISED_OPS or distributions & set(n.input)}


def qdq(p: Prepared, ranges: dict[str, Range], weights: str, kept: frozenset[str]) -> onnx.ModelProto:
    """The int8 form of a prepared graph, names as they were; nodes named in `kept` stay float between int8 tensors."""
    model = onnx.ModelProto()
    model.CopyFrom(p.model)
    if weights == "mse":
        clip_weights(model)
    overrides = {}
    if p.input_scale is not None:
        picture = {"scale": np.array(p.input_scale, np.float32), "zero_point": np.array(0, np.int8)}
        overrides[model.graph.input[0].name] = [picture]
    data = {k: TensorData(lowest=np.float32(low), highest=np.float32(high)) for k, (low, high) in ranges.items()}
    quantiser = QDQQuantizer(
        model, True, False, QuantType.QInt8, QuantType.QInt8, TensorsData(CalibrationMethod.MinMax, data), [],
        [*float_by_nature(model), *kept], QUANTISED_OPS,
        {"ActivationSymmetric": False, "WeightSymmetric": True, "TensorQuantOverrides": overrides},
    )  # fmt: skip
    quantiser.quantize_model()
    quantiser.model.topological_sort()
    result: onnx.ModelProto = quantiser.model.model
    if p.input_scale is not None:
        int8_input(result, p.input_scale)
    return result


def quantise(p: Prepared, method: Method = DEFAULT, kept: frozenset[str] = frozenset()) -> onnx.ModelProto:
    """Plain QDQ, ready for the board. `kept` names layers that stay float (`mixed.py` chooses them)."""
    model = qdq(p, {k: METHODS[method.ranges](h) for k, h in p.histograms.items()}, method.weights, kept)
    if method.bias:
        model = correct_bias(p.model, model, p.inputs, p.input_scale)
    return finish(model, kept)


def finish(model: onnx.ModelProto, kept: frozenset[str] = frozenset()) -> onnx.ModelProto:
    """Stores what is left of float weights as int8, except those of `kept`, and shortens names."""
    weights_only(model, kept)
    shorten(model)
    onnx.checker.check_model(model)
    return model


def static_int8(source: Path, target: Path, inputs: list[Array], input_scale: float | None, method: Method = DEFAULT) -> None:
    """Quantises the file `source`. With `input_scale` the graph's input becomes int8 with that scale and zero point 0."""
    onnx.save(quantise(prepare(source, inputs, input_scale, method), method), target)
