"""Quantised tensors and the sums that become them, in the integer arithmetic of `crates/kernels/src/lib.rs`."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
F = np.float32
INFINITY = float("inf")


@dataclass
class Quantised:
    """`value = (q − zero) · scale` of int8, uint8 or int32; scale and zero are numbers, or arrays along `axis`."""

    q: Array
    scale: Array
    zero: Array
    axis: int = 0
    # stored in the file: weights, biases, numbers
    constant: bool = False

    @property
    def centred(self) -> Array:
        """`q − zero` as int64."""
        return self.q.astype(np.int64) - spread(self.zero, self.q.ndim, self.axis).astype(np.int64)

    @property
    def value(self) -> Array:
        """In float32."""
        return self.centred.astype(F) * spread(self.scale, self.q.ndim, self.axis)


@dataclass
class Sums:
    """Terms `sum · multiplier`, added up in order; multipliers are divided by the result's scale and then by `count`."""

    terms: list[tuple[Array, Array]]
    count: Array = field(default_factory=lambda: np.array(1))
    bounds: tuple[float, float] = (-INFINITY, INFINITY)

    def quantise(self, scale: Array, zero: Array) -> Array:
        """In float32 throughout; bounds are quantised, too."""
        first, *others = (term.astype(F) * (factor / scale / self.count.astype(F)) for term, factor in self.terms)
        low, high = saturate(np.array(self.bounds, F) / scale, zero)
        clipped: Array = np.clip(saturate(sum(others, first), zero), low, high)
        return clipped

    def within(self, low: float, high: float) -> "Sums":
        """The same, clipped."""
        return replace(self, bounds=(max(low, self.bounds[0]), min(max(high, self.bounds[0]), self.bounds[1])))


def spread(parameter: Array, rank: int, axis: int) -> Array:
    """One number, or as many as there are channels along `axis`."""
    if parameter.size == 1:
        return parameter.reshape(())
    shape = [1] * rank
    shape[axis] = -1
    return parameter.reshape(shape)


def saturate(x: Array, zero: Array) -> Array:
    """`clamp(round_half_even(x) + zero)` in the type of `zero`."""
    range_ = np.iinfo(zero.dtype)
    clipped: Array = np.clip(np.rint(x) + zero.astype(F), range_.min, range_.max)
    return clipped.astype(zero.dtype)


def windows(x: Array, a: dict[str, Any], fill: int) -> Array:
    """`[C, H, W]` → `[C, rows, columns, kernel rows, kernel columns]`."""
    kernel, strides, pads = a["kernel_shape"], a.get("strides", [1, 1]), a.get("pads", [0] * 4)
    counts, margins = [], []
    for size, side, stride, before, after in zip(x.shape[1:], kernel, strides, pads[:2], pads[2:], strict=True):
        room = size + before + after - side
        count = (-(-room // stride) if a.get("ceil_mode", 0) else room // stride) + 1
        # the last window begins before the padding ends
        count -= bool(a.get("ceil_mode", 0)) and (count - 1) * stride >= size + before
        counts.append(count)
        margins.append((before, max(after, (count - 1) * stride + side - size - before)))
    view = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, ((0, 0), *margins), constant_values=fill), kernel, axis=(1, 2)
    )  # fmt: skip
    strided: Array = view[:, :: strides[0], :: strides[1]][:, : counts[0], : counts[1]]
    return strided


def bias_units(bias: Any, unit: Array) -> Array:
    """A bias in units of the products: as stored if it is in these units, else rounded to them."""
    if isinstance(bias, Quantised):
        if bias.q.dtype == np.int32 and bool(np.all(np.abs(bias.scale - unit) <= F(1e-5) * unit)):
            return bias.q.astype(np.int64)
        bias = bias.value
    units: Array = np.rint(np.asarray(bias, F).reshape(-1) / unit).astype(np.int64)
    return units


def conv(x: Quantised, weights: Quantised, bias: Any, a: dict[str, Any]) -> Sums:
    """Exact sums; padding is zero because `x − zero` is padded."""
    w = weights.centred
    patches = windows(x.centred[0], {"kernel_shape": list(w.shape[2:])} | a, 0)
    if a.get("group", 1) == 1:
        rows = patches.transpose(1, 2, 0, 3, 4).reshape(patches.shape[1] * patches.shape[2], -1)
        # products of int8 add up exactly in float64
        sums = rows.astype(np.float64) @ w.reshape(w.shape[0], -1).T.astype(np.float64)
        sums = sums.T.reshape(-1, *patches.shape[1:3])
    else:
        sums = np.einsum("chwij,cij->chw", patches.astype(np.float64), w[:, 0].astype(np.float64))
    unit = x.scale * weights.scale
    if bias is not None:
        sums = sums + bias_units(bias, unit).reshape(-1, 1, 1)
    return Sums([(sums[None].astype(np.int64), unit.reshape(-1, 1, 1))])


def real_product(a: Array, b: Array) -> Array:
    """Float `[…, rows, K]` times `[…, K, columns]`, the same bits on every CPU, which BLAS does not give.

    Products are exact in float64; they are added in the order of K, each sum rounded to float32.
    """
    total = np.zeros((*a.shape[:-1], b.shape[-1]), F)
    for k in range(a.shape[-1]):
        total = (total + a[..., :, k : k + 1].astype(np.float64) * b[..., k : k + 1, :]).astype(F)
    return total


def real_conv(x: Array, w: Array, bias: Array | None, a: dict[str, Any]) -> Array:
    """In float32, what stays in float; the order of sums is that of `real_product`."""
    patches = windows(x[0], {"kernel_shape": list(w.shape[2:])} | a, 0)
    rows, columns = patches.shape[1:3]
    groups = a.get("group", 1)
    pixels = patches.transpose(0, 3, 4, 1, 2).reshape(groups, -1, rows * columns)
    sums = real_product(w.reshape(groups, w.shape[0] // groups, -1), pixels).reshape(-1, rows, columns)
    return (sums if bias is None else sums + bias.reshape(-1, 1, 1))[None]


def product(x: Quantised, weights: Quantised, bias: Any, transposed: bool) -> Sums:
    """Along the last axis of `x`; transposed weights are `[outputs, inputs]`."""
    w = weights.centred
    unit = x.scale * weights.scale
    sums = x.centred @ (w.T if transposed else w)
    return Sums([(sums if bias is None else sums + bias_units(bias, unit), unit)])


def mean(x: Quantised, a: dict[str, Any]) -> Sums:
    """Of windows; padding counts or not."""
    sums = windows(x.centred[0], a, 0).sum((3, 4))[None]
    ones = np.ones((1, *x.q.shape[2:]), np.int64)
    return Sums([(sums, x.scale)], windows(ones, a, a.get("count_include_pad", 0)).sum((3, 4))[None])


def upsample(x: Array) -> Array:
    """Twice the height and width: 3 parts of the nearer and 1 of the farther neighbour on each axis; the sum of all is 16."""
    for axis in (2, 3):
        count = x.shape[axis]
        at = np.arange(2 * count)
        far = np.clip(at // 2 + np.where(at % 2 == 0, -1, 1), 0, count - 1)
        x = 3 * x.take(at // 2, axis) + x.take(far, axis)
    return x
