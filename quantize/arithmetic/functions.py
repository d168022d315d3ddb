"""Elementwise ops in float32. Functions beyond + − × ÷ are computed in float64 and rounded once, as the engine's tables are."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
F = np.float32
ERF = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x: Array) -> Array:
    """In the type of `x`."""
    result: Array = 1 / (1 + np.exp(-x))
    return result


def gelu(x: Array, approximate: bool) -> Array:
    """By the error function, or by tanh."""
    if approximate:
        result: Array = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
        return result
    result = 0.5 * x * (1 + ERF(x * math.sqrt(0.5)))
    return result


def hard_sigmoid(x: Array, alpha: float, beta: float) -> Array:
    """`clamp(alpha · x + beta, 0, 1)` in float32."""
    result: Array = np.clip(F(alpha) * x + F(beta), F(0), F(1))
    return result


WIDE: dict[str, Callable[[Array, dict[str, Any]], Array]] = {
    "Elu": lambda x, a: np.where(x < 0, float(F(a.get("alpha", 1.0))) * np.expm1(np.minimum(x, 0)), x),
    "Erf": lambda x, a: ERF(x),
    "Exp": lambda x, a: np.exp(x),
    "Gelu": lambda x, a: gelu(x, a.get("approximate", b"none") == b"tanh"),
    "Mish": lambda x, a: x * np.tanh(np.log1p(np.exp(x))),
    "Sigmoid": lambda x, a: sigmoid(x),
    "Softplus": lambda x, a: np.log1p(np.exp(x)),
    "Swish": lambda x, a: x * sigmoid(float(F(a.get("alpha", 1.0))) * x),
    "Tanh": lambda x, a: np.tanh(x),
}
NARROW: dict[str, Callable[[Array, dict[str, Any]], Array]] = {
    "Abs": lambda x, a: np.abs(x),
    "HardSigmoid": lambda x, a: hard_sigmoid(x, a.get("alpha", 0.2), a.get("beta", 0.5)),
    "HardSwish": lambda x, a: x * hard_sigmoid(x, float(F(1) / F(6)), 0.5),
    "LeakyRelu": lambda x, a: np.where(x < 0, F(a.get("alpha", 0.01)) * x, x),
    "Neg": lambda x, a: -x,
    "Relu": lambda x, a: np.maximum(x, F(0)),
    "Sqrt": lambda x, a: np.sqrt(x),
}
BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "Add": lambda x, y: x + y,
    "Div": lambda x, y: x / y,
    "Max": np.maximum,
    "Min": np.minimum,
    "Mul": lambda x, y: x * y,
    "Pow": lambda x, y: np.power(x.astype(np.float64), y.astype(np.float64)).astype(F),
    "Sub": lambda x, y: x - y,
}
OPS = {*WIDE, *NARROW, *BINARY}


def apply(op: str, inputs: list[Array], a: dict[str, Any]) -> Array:
    """The value of an op of OPS with the attributes `a`."""
    if op in BINARY:
        return BINARY[op](inputs[0], inputs[1])
    if op in NARROW:
        return NARROW[op](inputs[0], a)
    return WIDE[op](inputs[0].astype(np.float64), a).astype(F)
