"""Uncertainty and calibration of measured shares."""

import math

import numpy as np
from numpy.typing import NDArray

from quantize.geometry import Floats

Z95 = 1.959964
"""Quantile of the normal distribution for a two-sided 95 % interval."""


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share after `right` successes of `count` (Wilson, 1927)."""
    if count == 0:
        return 0.0, 1.0
    share, z2 = right / count, Z95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return centre - half, centre + half


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
