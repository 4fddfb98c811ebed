"""Metrics of a predicted quantity.

Sums are exact before they are rounded (``math.fsum``), so that the order of the cases cannot change a bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_scalars
from harness.metrics.averages import mean, power_of_two
from harness.metrics.parameters import MetricParameters

CONSTANT_STANDARD_DEVIATION = 1e-9
"""Up to this standard deviation a list of numbers is constant: jitter of 1e-14 is not a prediction, and it can reach
any correlation."""


def mae(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of scalars are called alike
) -> float:
    """Mean absolute error.

    Parameters
    ----------
    reference, prediction
        Quantities in one unit, shape (cases,), finite.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in the unit of the quantities.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, or a number is NaN or infinite.

    Examples
    --------
    Off by 2, 0 and 4 years:

    >>> mae(np.array([40.0, 50.0, 60.0]), np.array([42.0, 50.0, 56.0]), MetricParameters())
    2.0
    """
    check_scalars("mae", reference, prediction)
    return mean(np.abs(prediction - reference).tolist())


def root_mean_squared_error(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Root of the mean squared error.

    Parameters
    ----------
    reference, prediction
        Quantities in one unit, shape (cases,), finite.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in the unit of the quantities; never below the mean absolute error.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, or a number is NaN or infinite.

    Examples
    --------
    Off by 3, 0, 0 and 4 years: the root of 25 / 4.

    >>> root_mean_squared_error(np.full(4, 50.0), np.array([53.0, 50.0, 50.0, 46.0]), MetricParameters())
    2.5
    """
    check_scalars("root_mean_squared_error", reference, prediction)
    error = prediction - reference
    scale = power_of_two(error)
    return scale * math.sqrt(mean(((error / scale) ** 2).tolist()))


def pearson_r(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001
) -> float | None:
    """Pearson's correlation coefficient.

    Parameters
    ----------
    reference, prediction
        Quantities, shape (cases,), finite.
    parameters
        None to set.

    Returns
    -------
    float or None
        From -1 to 1. None, undefined, for fewer than two cases and where the standard deviation of either side, over
        all cases, is ``CONSTANT_STANDARD_DEVIATION`` or less.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, or a number is NaN or infinite.

    Notes
    -----
    Chan TF, Golub GH and LeVeque RJ, Algorithms for computing the sample variance, The American Statistician 37 (1983)
    242-247: the mean is subtracted before anything is squared, and what its rounding leaves is subtracted too.

    Examples
    --------
    Deviations (-1, 0, 1) and (-1, 1, 0): the products add up to 1, the squares to 2 on each side.

    >>> round(pearson_r(np.array([1.0, 2.0, 3.0]), np.array([5.0, 7.0, 6.0]), MetricParameters()), 12)
    0.5
    >>> pearson_r(np.array([1.0, 2.0, 3.0]), np.full(3, 54.2), MetricParameters()) is None
    True
    """
    check_scalars("pearson_r", reference, prediction)
    if reference.size < 2:
        return None
    x, y = _standardised(reference), _standardised(prediction)
    if x is None or y is None:
        return None
    return max(-1.0, min(1.0, mean((x * y).tolist())))


def spearman_r(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,
) -> float | None:
    """Spearman's rank correlation: Pearson's, of the ranks; equal numbers share the middle of their ranks.

    Parameters
    ----------
    reference, prediction
        Quantities, shape (cases,), finite.
    parameters
        None to set.

    Returns
    -------
    float or None
        From -1 to 1. None, undefined, where :func:`pearson_r` is: jitter of 1e-14 would order the cases too.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, or a number is NaN or infinite.

    Notes
    -----
    Spearman C, The proof and measurement of association between two things, The American Journal of Psychology 15
    (1904) 72-101.

    Examples
    --------
    Ranks (1, 2, 3) and (1, 3, 2): deviations (-1, 0, 1) and (-1, 1, 0), as for Pearson's r above.

    >>> round(spearman_r(np.array([1.0, 2.0, 30.0]), np.array([5.0, 700.0, 6.0]), MetricParameters()), 12)
    0.5
    >>> spearman_r(np.array([1.0, 2.0, 3.0]), np.full(3, 54.2), MetricParameters()) is None
    True
    """
    check_scalars("spearman_r", reference, prediction)
    if pearson_r(reference, prediction, parameters) is None:
        return None
    return pearson_r(_middle_ranks(reference), _middle_ranks(prediction), parameters)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Shift and scale values to mean 0 and standard deviation 1, shape (cases,); None where they are constant."""
    scale = power_of_two(values)
    deviations = values / scale
    for _ in range(2):  # the first mean is rounded; the second is what that rounding left in the deviations
        deviations = deviations - mean(deviations.tolist())
    spread = power_of_two(deviations)  # squares of small deviations beside a large mean must not vanish
    deviations = deviations / spread
    standard_deviation = math.sqrt(mean((deviations**2).tolist()))
    if standard_deviation * spread * scale <= CONSTANT_STANDARD_DEVIATION:
        return None
    return deviations / standard_deviation


def _middle_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1, shape (cases,); equal values share the middle of theirs, a multiple of one half."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])
