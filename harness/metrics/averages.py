"""The mean, exactly rounded: the order of the cases cannot change a bit of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from harness.errors import MetricError


def mean(values: Iterable[float]) -> float:
    """Average values without rounding their sum on the way.

    The scoring averages cases with it, MAE and RMSE average errors with it.

    Parameters
    ----------
    values
        One number or more, in any order; none is NaN or infinite.

    Returns
    -------
    float
        The mean, in the unit of the values.

    Raises
    ------
    MetricError
        There are no values, or one is not finite.

    Examples
    --------
    >>> mean([1.0, 2.0, 6.0])
    3.0
    >>> mean([1e16, 1.0, 1.0, -1e16]), mean([1.0, 1e16, -1e16, 1.0])
    (0.5, 0.5)
    """
    numbers = list(values)
    if not numbers:
        raise MetricError("There is no mean of no values.", remedy="Pass at least one value.")
    if not all(map(math.isfinite, numbers)):
        raise MetricError("There is no mean of values that are not finite.", remedy="Pass finite values alone.")
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:  # the sum leaves the range of a float, the mean does not
        return float(sum(map(Fraction, numbers)) / len(numbers))


def power_of_two(values: NDArray[np.float64]) -> float:
    """Return a scale that brings the largest value between 1/2 and 1 and, being a power of two, rounds none."""
    exponent = math.frexp(float(np.abs(values).max()))[1]
    return math.ldexp(1.0, max(-1021, min(exponent, 1023)))
