"""The numpy form of the text tower; `src/model/text_int8_tests.rs` compares the kernels with its golden results."""

import numpy as np
import pytest
from quantize.arithmetic import text
from quantize.golden.cases import BUNDLE, FOLDER
from safetensors import safe_open

F = np.float32


def test_rows_are_quantised_in_groups() -> None:
    x = np.zeros((1, 66), F)
    x[0, :3] = [254, 3, -1]
    x[0, 65] = 0.5
    q, scales = text.quantise_rows(x)
    # 1.5 rounds to 2, −0.5 to 0
    assert q[0, 0, :3].tolist() == [127, 2, 0]
    assert q[0, 1, 1] == 127
    assert scales.tolist() == [[2, F(0.5) / F(127)]]


def test_nothing_is_quantised_to_nothing() -> None:
    q, scales = text.quantise_rows(np.full((1, 3), 1e-31, F))
    assert not q.any()
    assert not scales.any()


@pytest.mark.parametrize("inputs", [5, 64, 194])
def test_products_are_near_float(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    x, weights = rng.standard_normal((4, inputs)).astype(F), rng.integers(-128, 128, (inputs, 6), dtype=np.int8)
    scale, bias = np.full(6, 0.01, F), np.arange(6, dtype=F)
    expected = x @ (weights * scale) + bias
    assert text.product(x, weights, scale, bias) == pytest.approx(expected, abs=0.02 * inputs**0.5)


def test_functions_are_near_their_definitions() -> None:
    x = np.linspace(-20, 0, 999, dtype=F)
    assert text.exp(x) == pytest.approx(np.exp(x.astype(np.float64)), rel=1e-6)
    assert text.erf(np.array([0, 1, -1, 9], F)) == pytest.approx([0, 0.8427008, -0.8427008, 1], abs=1e-6)
    rows = np.arange(40, dtype=F).reshape(2, 20)
    normal = text.layer_norm(rows, np.ones(20, F), np.zeros(20, F), 1e-12)
    assert normal == pytest.approx((rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True), abs=1e-5)
    assert text.softmax(rows).sum(1) == pytest.approx([1, 1])


def test_golden_cases_are_of_this_arithmetic_and_the_committed_tower() -> None:
    with safe_open(FOLDER / "int8/kernels.safetensors", "np") as file:
        parts = [file.get_tensor(f"product.{name}") for name in ("x", "weights", "scale", "bias", "y")]
    assert np.array_equal(text.product(*parts[:4]), parts[4])
    with safe_open(FOLDER / "int8/texts.safetensors", "np") as file:
        assert file.metadata()["text_sha256"] in (BUNDLE / "model.toml").read_text()
