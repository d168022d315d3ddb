"""Ranges of activations: one histogram per tensor from calibration inputs, and three ways to choose what int8 covers of it.

A range `(low, high)` always holds 0, so that padding and ReLU's zeros are exact.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

Array = NDArray[np.float32]
Range = tuple[float, float]
BINS = 4096
LEVELS = 256
PERCENTILE = 99.99
CANDIDATES = np.linspace(0.02, 1, 99)
ROUNDS = 3


@dataclass
class Histogram:
    """`counts` of values in equal bins from `low` to `high`."""

    low: float
    high: float
    counts: NDArray[np.int64]

    @property
    def edges(self) -> NDArray[np.float64]:
        """One more than there are bins."""
        return np.linspace(self.low, self.high, len(self.counts) + 1)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middles of the bins; that of the bin with 0 in it is 0, ReLU's commonest value."""
        edges = self.edges
        middles: NDArray[np.float64] = (edges[:-1] + edges[1:]) / 2
        middles[(edges[:-1] <= 0) & (edges[1:] > 0)] = 0
        return middles

    def add(self, x: Array) -> None:
        """Counts values, which must lie between `low` and `high`."""
        width = (self.high - self.low) / len(self.counts) or 1.0
        at = ((x.ravel() - np.float32(self.low)) * np.float32(1 / width)).astype(np.int32)
        self.counts += np.bincount(np.clip(at, 0, len(self.counts) - 1), minlength=len(self.counts))


def session(model: onnx.ModelProto, outputs: Iterable[str]) -> ort.InferenceSession:
    """Runs `model` with the tensors `outputs` as its outputs.

    Without ONNX Runtime's rewrites: those of 1.31.1 are wrong where a float convolution with a Clip lies between int8 tensors.
    """
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    del shown.graph.output[:]
    shown.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(shown.SerializeToString(), options, providers=["CPUExecutionProvider"])


def float_tensors(model: onnx.ModelProto) -> list[str]:
    """The input and all results of nodes that hold floats, in order."""
    known = {v.name: v.type.tensor_type.elem_type for v in [*model.graph.value_info, *model.graph.output]}
    made = [name for node in model.graph.node for name in node.output]
    return [model.graph.input[0].name, *(name for name in made if known.get(name) == TensorProto.FLOAT)]


def observe(model: onnx.ModelProto, inputs: list[Array]) -> dict[str, Histogram]:
    """A histogram of every float activation over `inputs`. Raises ValueError without inputs, or if they are not finite."""
    if not inputs:
        raise ValueError("calibration: found no inputs, expected at least one")
    name, *others = float_tensors(model)
    run = session(model, others)
    ends: dict[str, Range] = {}
    for x in inputs:
        for key, value in zip([name, *others], [x, *run.run(None, {name: x})], strict=True):
            low, high = ends.get(key, (0.0, 0.0))
            ends[key] = min(low, float(value.min())), max(high, float(value.max()))
    for key, (low, high) in ends.items():
        if not np.isfinite([low, high]).all():
            raise ValueError(f"{key}: found values from {low} to {high} in calibration, expected finite ones")
    found = {key: Histogram(low, high, np.zeros(BINS, np.int64)) for key, (low, high) in ends.items()}
    for x in inputs:
        for key, value in zip([name, *others], [x, *run.run(None, {name: x})], strict=True):
            found[key].add(value)
    return found


def minmax(h: Histogram) -> Range:
    """All values that occurred."""
    return h.low, h.high


def percentile(h: Histogram, share: float = PERCENTILE) -> Range:
    """All but `100 − share` percent of the values, half of them at each end."""
    cut = (100 - share) / 200
    cumulated = h.counts.cumsum() / h.counts.sum()
    low, high = (h.edges[np.searchsorted(cumulated, q)] for q in (cut, 1 - cut))
    return min(float(low), 0.0), max(float(high), 0.0)


def quantised(x: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """`x` in asymmetric int8 whose 256 levels span `low` to `high`."""
    scale = (high - low) / (LEVELS - 1) or 1.0
    zero = np.rint(-low / scale)
    steps: NDArray[np.float64] = np.clip(np.rint(x / scale) + zero, 0, LEVELS - 1)
    values: NDArray[np.float64] = (steps - zero) * scale
    return values


def squared_error(h: Histogram, low: float, high: float) -> float:
    """Mean squared error of int8 over the histogram."""
    error = quantised(h.centres, low, high) - h.centres
    return float((h.counts * error**2).sum() / h.counts.sum())


def mse(h: Histogram) -> Range:
    """The range of least squared error, one end after the other over shares of the values' extent."""
    low, high, shares = h.low, h.high, CANDIDATES.tolist()
    for _ in range(ROUNDS):
        low = h.low * min(shares, key=lambda share: squared_error(h, h.low * share, high))
        high = h.high * min(shares, key=lambda share: squared_error(h, low, h.high * share))
    return low, high


METHODS: dict[str, Callable[[Histogram], Range]] = {"minmax": minmax, "percentile": percentile, "mse": mse}
