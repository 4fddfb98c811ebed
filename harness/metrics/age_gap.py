"""Metrics of the signed error of a predicted quantity, which for brain age is the age gap.

Sums are exact before they are rounded (``math.fsum``), so that the order of the cases cannot change a bit.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_scalars
from harness.metrics.averages import mean, power_of_two
from harness.metrics.parameters import MetricParameters
from harness.metrics.regression import _standardised


def bias(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of scalars are called alike
) -> float:
    """Mean of prediction minus reference.

    Parameters
    ----------
    reference, prediction
        Quantities in one unit, shape (cases,), finite.
    parameters
        None to set.

    Returns
    -------
    float
        In the unit of the quantities: above 0 where predictions are too high on average. 0 is the best, and does not
        mean that any prediction is right.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, or a number is NaN or infinite.

    Examples
    --------
    2 too high, right, and 5 too low:

    >>> bias(np.array([40.0, 50.0, 60.0]), np.array([42.0, 50.0, 55.0]), MetricParameters())
    -1.0
    """
    check_scalars("bias", reference, prediction)
    return mean((prediction - reference).tolist())


def age_gap_slope(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001
) -> float | None:
    """Slope of prediction minus reference on the reference, by least squares.

    Brain-age predictions lean towards the mean age of their training data: too high for the young, too low for the
    old. The slope says how much the error falls with each year of age.

    Parameters
    ----------
    reference, prediction
        Quantities in one unit, shape (cases,), finite.
    parameters
        None to set.

    Returns
    -------
    float or None
        0 where errors do not depend on the reference; -1 where predictions do not. None, undefined, for fewer than two
        cases and where the standard deviation of the references, over all cases, is ``CONSTANT_STANDARD_DEVIATION`` or
        less.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, or a number is NaN or infinite.

    Notes
    -----
    Le TT et al., A nonlinear simulation framework supports adjusting for age when analyzing BrainAGE, Front Aging
    Neurosci 10 (2018) 317.

    Examples
    --------
    4 years too high at 40, right at 50, 4 years too low at 60:

    >>> round(age_gap_slope(np.array([40.0, 50.0, 60.0]), np.array([44.0, 50.0, 56.0]), MetricParameters()), 12)
    -0.4
    >>> age_gap_slope(np.full(3, 50.0), np.array([44.0, 50.0, 56.0]), MetricParameters()) is None
    True
    """
    check_scalars("age_gap_slope", reference, prediction)
    standardised = None if reference.size < 2 else _standardised(reference)
    if standardised is None:
        return None
    gap = prediction - reference
    scale = power_of_two(gap)
    covariance = mean((standardised * _centred(gap / scale)).tolist())
    deviation = mean((standardised * _centred(reference)).tolist())
    slope = covariance / deviation
    # An absurd prediction over references that hardly differ leaves the range of a float; a slope stays finite.
    return max(-sys.float_info.max, min(slope * scale, sys.float_info.max))


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values - mean(values.tolist())
