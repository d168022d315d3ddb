"""Uncertainty and calibration of measured shares."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats
from quantize.progress import track

Z95 = 1.959964
"""Quantile of the normal distribution for a two-sided 95 % interval."""
SEED = 0
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A measured number, 0 to 1, and its 95 % interval; NaN where there was nothing to measure it on."""

    value: float
    low: float
    high: float
    share: bool = True
    """Of a whole; otherwise a number a picture, which may be above 1."""


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share after `right` successes of `count` (Wilson, 1927)."""
    if count == 0:
        return 0.0, 1.0
    share, z2 = right / count, Z95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def share(right: NDArray[np.bool_]) -> Estimate:
    """Share of independent trials that went right, with Wilson's interval."""
    count, successes = len(right), int(right.sum())
    return Estimate(successes / count if count else math.nan, *wilson_interval(successes, count))


def bootstrap(statistic: Callable[[Doubles], Doubles], count: int, replicates: int) -> list[Estimate]:
    """Percentile bootstrap over pictures (Efron, 1979), always from the same seed.

    Args:
        statistic: numbers `[K]` of a data set in which picture i occurs as often as `weights[i]` says, from weights `[count]`.
        count: pictures.
        replicates: resampled data sets; with 0 the intervals are NaN.
    """
    values = statistic(np.ones(count))
    rng = np.random.default_rng(SEED)
    draws = (rng.multinomial(count, np.full(count, 1 / count)).astype(np.float64) for _ in range(replicates))
    samples = np.array([statistic(draw) for draw in track(draws, "bootstrap", replicates)]).reshape(replicates, len(values))
    return [Estimate(float(value), *_middle(column)) for value, column in zip(values, samples.T, strict=True)]


def _middle(samples: Doubles) -> tuple[float, float]:
    known = samples[~np.isnan(samples)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (math.nan, math.nan)
    return float(low), float(high)


def class_mean(numerator: Doubles, denominator: Doubles, present: NDArray[np.bool_]) -> float:
    """Mean over the classes `present` of a ratio per class `[C]`; NaN if there are none."""
    shown = present & (denominator > 0)
    return float((numerator[shown] / denominator[shown]).mean()) if shown.any() else math.nan


def calibration_error(scores: Floats, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean of |share right − mean score| over equal bins of the score, weighted by size.

    Guo et al., On Calibration of Modern Neural Networks (2017). 0 for no scores.
    """
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    error = 0.0
    for each in np.unique(place):
        chosen = place == each
        error += chosen.sum() * abs(right[chosen].mean() - scores[chosen].mean())
    return float(error / max(len(scores), 1))
