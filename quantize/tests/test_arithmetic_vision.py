"""The integer reference; `src/pipeline/int8_tests.rs` compares whole networks by its golden hashes."""

import hashlib
import json

import numpy as np
import pytest
import torch
from onnx import helper
from quantize.arithmetic.integers import Quantised, Sums, real_conv, real_product, saturate, upsample
from quantize.arithmetic.vision import compute
from quantize.golden.cases import BUNDLE, FOLDER, MODEL_CASES

SCALE = np.array(0.5, np.float32)
ZERO = np.array(0, np.int8)


def test_ties_go_to_even_and_ends_saturate() -> None:
    assert saturate(np.array([0.5, 1.5, -2.5, 300.0, -300.0], np.float32), ZERO + 1).tolist() == [1, 3, -1, 127, -128]


def test_upsampling_mixes_three_to_one() -> None:
    up = upsample(np.array([[[[0, 10]]]], np.int64))
    assert up[0, 0, 0].tolist() == [0, 40, 120, 160]
    assert up.shape == (1, 1, 2, 4)


@pytest.mark.parametrize("group", [1, 2])
def test_padding_reads_as_the_zero_point(group: int) -> None:
    x = Quantised(np.full((1, 2, 1, 1), 7, np.int8), SCALE, ZERO + 3)
    weights = Quantised(np.ones((2, 2 // group, 3, 3), np.int8), np.array([1, 2], np.float32), np.zeros(2, np.int8))
    node = helper.make_node("Conv", [], [])
    attributes = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1], "group": group}
    sums = compute(node, [x, weights, None], attributes)
    assert isinstance(sums, Sums)
    # one input of 7 − 3 = 4 per channel, all else is padding
    assert sums.terms[0][0].ravel().tolist() == [8 // group, 8 // group]
    assert sums.quantise(2 * SCALE, ZERO).ravel().tolist() == [4 // group, 8 // group]


def test_float_products_add_up_in_order() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 9)).astype(np.float32), rng.normal(size=(9, 3)).astype(np.float32)
    found = real_product(a, b)
    for row, column in np.ndindex(found.shape):
        total = np.float32(0)
        for x, y in zip(a[row].tolist(), b[:, column].tolist(), strict=True):
            total = np.float32(float(total) + x * y)
        assert found[row, column] == total


@pytest.mark.parametrize("group", [1, 2, 4])
def test_float_convolutions(group: int) -> None:
    rng = np.random.default_rng(group)
    x, w, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((1, 4, 6, 5), (8, 4 // group, 3, 3), (8,)))
    attributes = {"kernel_shape": [3, 3], "strides": [2, 1], "pads": [1, 1, 1, 1], "group": group}
    tensors = torch.from_numpy(x), torch.from_numpy(w), torch.from_numpy(bias)
    wanted = torch.conv2d(*tensors, stride=(2, 1), padding=1, groups=group)
    # sums of up to 36 products of unit variance, in another order
    np.testing.assert_allclose(real_conv(x, w, bias, attributes), wanted.numpy(), atol=1e-5)


def test_golden_hashes_are_of_the_committed_network() -> None:
    network = hashlib.sha256((BUNDLE / "vision.onnx").read_bytes()).hexdigest()
    for name in MODEL_CASES:
        assert json.loads((FOLDER / "int8" / f"{name}.json").read_text())["network"] == network
