"""Ranges of activations and clips of weights, against searches by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from quantize.int8 import ranges
from quantize.int8.graph import LAYERS
from quantize.int8.ranges import BINS, Histogram, minmax, mse, observe, percentile, quantised
from quantize.int8.weights import SHARES, best_clip, clip_weights
from quantize.tests.networks import pictures, separable

RNG = np.random.default_rng(0)


def histogram(x: NDArray[np.float64]) -> Histogram:
    h = Histogram(min(float(x.min()), 0.0), max(float(x.max()), 0.0), np.zeros(BINS, np.int64))
    h.add(x.astype(np.float32))
    return h


SAMPLES = {
    "normal with outliers": np.concatenate([RNG.normal(size=20000), [40.0, -25.0]]),
    "behind a ReLU": np.maximum(RNG.laplace(size=20000), 0),
    "negative": -np.abs(RNG.normal(size=5000)) * 3,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_mse_is_as_good_as_a_search_over_all_pairs_of_ends(name: str) -> None:
    x = SAMPLES[name]
    low, high = mse(histogram(x))

    def error(low: float, high: float) -> float:
        return float(((quantised(x, low, high) - x) ** 2).mean())

    shares = np.linspace(0.04, 1, 33)
    by_hand = min(error(min(x.min(), 0) * a, max(x.max(), 0) * b) for a in shares for b in shares)
    assert error(low, high) <= by_hand * 1.03
    assert error(low, high) < error(*minmax(histogram(x))) or name == "negative"


def test_percentile_and_ends_by_hand() -> None:
    x = np.linspace(-1, 3, 40001)
    h = histogram(x)
    assert minmax(h) == (-1.0, 3.0)
    assert percentile(h, 99.0) == pytest.approx((-0.98, 2.98), abs=4 / BINS * 2)
    assert percentile(histogram(np.full(10, 5.0)), 99.0) == pytest.approx((0.0, 5.0), abs=0.01)


@pytest.mark.parametrize("method", ranges.METHODS.values())
def test_every_range_holds_zero(method: object) -> None:
    assert callable(method)
    for x in (*SAMPLES.values(), np.zeros(100), np.full(100, 7.0)):
        low, high = method(histogram(x))
        assert low <= 0 <= high


def test_observed_histograms_hold_every_value() -> None:
    model, inputs = separable(), pictures(3)
    found = observe(model, inputs)
    assert set(found) >= {"image", "expand.y", "depthwise.y", "embedding"}
    assert found["image"].counts.sum() == 3 * inputs[0].size
    assert found["image"].low == min(float(x.min()) for x in inputs)


def test_bad_calibration_is_refused() -> None:
    with pytest.raises(ValueError, match="found no inputs, expected at least one"):
        observe(separable(), [])
    with pytest.raises(ValueError, match=r"image: found values from nan to nan|image: found values .* expected finite ones"):
        observe(separable(), [np.full((1, 3, 8, 8), np.inf, np.float32)])


def test_clips_of_weights_are_the_best_by_hand() -> None:
    rows = np.concatenate([RNG.normal(size=(4, 64)), np.zeros((1, 64))]).astype(np.float32)
    rows[0, 0] = 9
    found = best_clip(rows)

    def error(row: NDArray[np.float32], limit: float) -> float:
        scale = max(limit, 1e-12) / 127
        return float(((np.clip(np.rint(row / scale), -127, 127) * scale - row) ** 2).sum())

    for row, limit in zip(rows, found, strict=True):
        most = float(np.abs(row).max())
        assert error(row, float(limit)) == pytest.approx(min(error(row, most * s) for s in SHARES), rel=1e-3, abs=1e-9)
    assert found[0] <= 9


def test_clipping_touches_nothing_but_what_sticks_out() -> None:
    model = separable()
    before = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    clip_weights(model)
    names = {n.input[1] for n in model.graph.node if n.op_type in LAYERS}
    for i in model.graph.initializer:
        after = numpy_helper.to_array(i)
        if i.name not in names:
            assert np.array_equal(after, before[i.name])
        else:
            assert (np.abs(after) <= np.abs(before[i.name]) + 1e-7).all()
