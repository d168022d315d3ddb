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
    def unit(self) -> tuple[float, int]:
        """Of a whole tensor."""
        return float(self.scale), int(self.zero)

    def moved(self, q: Array) -> "Quantised":
        """The same values in other places."""
        return Quantised(q, self.scale, self.zero)

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


@dataclass
class Line:
    """`x · multiplier + offset` with numbers for each channel, times the slope where it is below zero."""

    x: Quantised
    multiplier: Array
    offset: Array
    slope: Array
    bounds: tuple[float, float] = (-INFINITY, INFINITY)

    def quantise(self, scale: Array, zero: Array) -> Array:
        """Constants in float64, rounded once; from there on in float32."""
        unit = np.float64(scale)
        multiplier, offset = ((value / unit).astype(F) for value in (self.multiplier * np.float64(self.x.scale), self.offset))
        value = self.x.centred.astype(F) * multiplier + offset
        low, high = saturate(np.array(self.bounds, F) / scale, zero)
        clipped: Array = np.clip(saturate(np.where(value < 0, value * self.slope, value), zero), low, high)
        return clipped

    @property
    def value(self) -> Array:
        """In float32."""
        value = (self.x.value * self.multiplier + self.offset).astype(F)
        return np.clip(np.where(value < 0, value * self.slope, value), *self.bounds).astype(F)


@dataclass
class Shares:
    """The softmax of a quantised tensor along an axis."""

    x: Quantised
    axis: int

    def quantise(self, scale: Array, zero: Array) -> Array:
        """Exponentials as integers, of which the sum has 31 bits at most."""
        q = self.x.q.astype(np.int64)
        bits = min(24, 31 - (q.shape[self.axis] - 1).bit_length())
        table = np.rint(np.exp(-np.arange(256) * np.float64(self.x.scale)) * 2**bits).astype(np.int64)
        e = table[q.max(self.axis, keepdims=True) - q]
        factor = F(1) / scale / e.sum(self.axis, keepdims=True).astype(F)
        return saturate(e.astype(F) * factor, zero)

    @property
    def value(self) -> Array:
        """In float32: the exponential in float64, rounded once, and the sum in order, so that every CPU has the same bits."""
        return softmax(self.x.value, self.axis)


@dataclass
class Responses:
    """Local response normalisation: each value over a power of the sum of squares of neighbouring channels."""

    x: Quantised
    a: dict[str, Any]

    def quantise(self, scale: Array, zero: Array) -> Array:
        """The sum is exact; square roots and quotients are in float32."""
        size, x = self.a["size"], self.x.centred
        padded = np.pad(x * x, ((0, 0), ((size - 1) // 2, size // 2), (0, 0), (0, 0)))
        sums = np.lib.stride_tricks.sliding_window_view(padded, size, 1).sum(-1)
        factor = F(self.a.get("alpha", 1e-4)) / F(size) * self.x.scale * self.x.scale
        base = F(self.a.get("bias", 1.0)) + factor * sums.astype(F)
        root = np.sqrt(base)
        power = {0.5: root, 0.75: root * np.sqrt(root), 1.0: base}[round(self.a.get("beta", 0.75), 4)]
        return saturate(x.astype(F) * (self.x.scale / scale) / power, zero)

    @property
    def value(self) -> Array:
        """In float32, to choose scales by."""
        return self.quantise(np.array(2.0**-12, F), np.array(0, np.int32)).astype(F) * F(2.0**-12)


def softmax(x: Array, axis: int) -> Array:
    """In float32."""
    e = np.exp((x - x.max(axis, keepdims=True)).astype(np.float64)).astype(F)
    total = np.zeros_like(e.take(0, axis))
    for i in range(e.shape[axis]):
        total = total + e.take(i, axis)
    shares: Array = e / np.expand_dims(total, axis)
    return shares


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
    strides, gaps = a.get("strides", [1, 1]), a.get("dilations", [1, 1])
    kernel = [(side - 1) * gap + 1 for side, gap in zip(a["kernel_shape"], gaps, strict=True)]
    pads = padding(x.shape[1:], kernel, strides, a)
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
    strided: Array = view[:, :: strides[0], :: strides[1], :: gaps[0], :: gaps[1]][:, : counts[0], : counts[1]]
    return strided


def padding(sizes: tuple[int, ...], kernel: list[int], strides: list[int], a: dict[str, Any]) -> list[int]:
    """Before each axis, then behind each: as written, or so that a window begins every stride."""
    mode = a.get("auto_pad", b"NOTSET")
    if mode not in (b"SAME_UPPER", b"SAME_LOWER"):
        return list(a.get("pads", [0] * 4))
    totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(sizes, kernel, strides, strict=True)]
    before = [total // 2 if mode == b"SAME_UPPER" else -(-total // 2) for total in totals]
    return before + [total - first for total, first in zip(totals, before, strict=True)]


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
        grouped = patches.reshape(a["group"], -1, *patches.shape[1:]).astype(np.float64)
        weights_of = w.reshape(a["group"], -1, *w.shape[1:]).astype(np.float64)
        sums = np.einsum("gchwij,gocij->gohw", grouped, weights_of).reshape(w.shape[0], *patches.shape[1:3])
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
