"""Whether the engines compute the same network, before anyone times them.

Cosines of two pictures' outputs are high to begin with, so deviations are measured in units of what another picture changes:
‖a − r‖ / ‖r′ − r‖ for outputs a, the reference's r, and the reference's r′ for another picture. A wrong network is near 1.
"""

import numpy as np
from numpy.typing import NDArray

Outputs = list[NDArray[np.float32]]

# Largest deviation from ONNX Runtime on u8 activations and weights, which it runs in integers throughout and without saturation:
# rounding for those that do likewise or run the same file in float, quantisation itself for those that run the float twin or
# quantise in their own way.
REFERENCE = "ort-u8u8"
BOUNDS = {
    "edgeclip": 0.1, "tract": 0.25, "ort-s8": 0.25, "ort-u8": 0.25, "ort-f32": 0.35, "ncnn-f32": 0.35, "ncnn-bf16": 0.35,
    "ncnn-int8": 0.5,
}  # fmt: skip
# On CPUs without VNNI, ONNX Runtime sums pairs of u8 × s8 products in i16 (vpmaddubsw), which may saturate. Its times still
# count.
MAY_SATURATE = ("ort-s8", "ort-u8")
# Share of the first layers' values that differ by more than one step, edgeclip to ONNX Runtime.
FIRST_LAYERS_BOUND = 1e-3


SATURATED = "saturated"


class Disagreement(Exception):
    """Two engines do not compute the same network."""


def deviation(found: Outputs, reference: Outputs, other: Outputs) -> float:
    """The largest deviation of an output."""
    return max(
        float(np.linalg.norm(a - r) / np.linalg.norm(o - r)) for a, r, o in zip(found, reference, other, strict=True)
    )  # fmt: skip


def cosine(found: Outputs, reference: Outputs) -> float:
    """The least cosine of an output."""
    return min(float(a @ r / np.linalg.norm(a) / np.linalg.norm(r)) for a, r in zip(found, reference, strict=True))


def check(engine: str, found: Outputs, reference: Outputs, other: Outputs, saturates: bool) -> str:
    """Raises `Disagreement` beyond the bound, unless it is one of `MAY_SATURATE` and `saturates`; returns what to print."""
    value, bound = deviation(found, reference, other), BOUNDS[engine]
    # also where a value is no number
    if not value <= bound:
        if saturates and engine in MAY_SATURATE:
            return f"{value:.3f}, {SATURATED}"
        raise Disagreement(
            f"{engine}: deviates from {REFERENCE} by {value:.3f} of what another picture changes, expected {bound}"
        )
    return f"{value:.3f} (cosine {cosine(found, reference):.4f})"


def check_first_layers(found: Outputs, reference: Outputs, scales: list[float]) -> str:
    """The same for the first layers, in steps of their scales."""
    steps = np.concatenate([np.abs(np.rint((a - r) / s)) for a, r, s in zip(found, reference, scales, strict=True)])
    share = float((steps > 1).mean())
    if not share <= FIRST_LAYERS_BOUND:
        raise Disagreement(
            f"edgeclip: {share:.2%} of the first layers' values are over a step off, expected {FIRST_LAYERS_BOUND:.1%}"
        )
    return f"{share:.4%} of {steps.size} values over one step off, {float((steps == 1).mean()):.4%} one step"
