"""Metrics of a probability that is taken at its word.

Sums are exact before they are rounded (``math.fsum``), so that the order of the cases cannot change a bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harness.errors import MetricError
from harness.metrics.arguments import check_classes, check_scalars
from harness.metrics.averages import mean
from harness.metrics.parameters import CalibrationParameters, MetricParameters, ThresholdParameters


def brier_score(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of scalars are called alike
) -> float:
    """Mean squared difference between the probability and what came true, 1 or 0.

    Parameters
    ----------
    reference
        Classes, shape (cases,): 1 positive, 0 negative.
    prediction
        Probabilities of the positive class, shape (cases,), from 0 to 1.
    parameters
        None to set.

    Returns
    -------
    float
        From 0 (certain and right every time) to 1 (certain and wrong); 0.25 for a probability of 0.5 every time.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, a prediction is outside 0 to 1, or a class is neither 0 nor 1.

    Notes
    -----
    Brier GW, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950) 1-3, in the
    form for two classes, which counts the positive class alone and is half of Brier's own.

    Examples
    --------
    Off by 0.5 and by 0.25: the mean of 0.25 and 0.0625.

    >>> brier_score(np.array([1.0, 0.0]), np.array([0.5, 0.25]), MetricParameters())
    0.15625
    """
    _check("brier_score", reference, prediction)
    return mean(((prediction - reference) ** 2).tolist())


def calibration_error(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: CalibrationParameters,
) -> float:
    """Calibration error, expected: how far probabilities are from the share of positives, pooled within bins.

    Cases are pooled by their prediction in bins of equal width; a bin holds its lower bound, the last one 1 too. In
    each bin the mean prediction is compared with the share of positives; the absolute differences are averaged, each
    weighing by its cases. Bins without a case weigh nothing.

    Parameters
    ----------
    reference
        Classes, shape (cases,): 1 positive, 0 negative.
    prediction
        Probabilities of the positive class, shape (cases,), from 0 to 1.
    parameters
        ``bins``, how many.

    Returns
    -------
    float
        From 0 (of the cases with a probability of 0.7, 70 % are positive, and so on) to 1.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, a prediction is outside 0 to 1, or a class is neither 0 nor 1.

    Notes
    -----
    Naeini MP, Cooper GF and Hauskrecht M, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015,
    2901-2907. It asks for the probability of the positive class, not for that of the likelier one, as definitions for
    many classes do. The value depends on the bins: compare only what has the same.

    Examples
    --------
    Two bins. In the lower one, 0.25 and no positive of one case; in the upper one, 0.75 on average and one positive of
    two: (1 · 0.25 + 2 · 0.25) / 3.

    >>> reference, prediction = np.array([0.0, 0.0, 1.0]), np.array([0.25, 0.5, 1.0])
    >>> calibration_error(reference, prediction, CalibrationParameters(bins=2))
    0.25
    """
    _check("calibration_error", reference, prediction)
    bounds = np.arange(1, parameters.bins) / parameters.bins
    bins = np.searchsorted(bounds, prediction, side="right")
    differences = prediction - reference
    # A bin's cases times the difference of its means is the sum of its differences.
    return math.fsum(abs(math.fsum(differences[bins == each])) for each in np.unique(bins)) / reference.size


def sensitivity(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: ThresholdParameters,
) -> float | None:
    """Share of the positive cases whose prediction reaches a threshold.

    Parameters
    ----------
    reference
        Classes, shape (cases,): 1 positive, 0 negative.
    prediction
        Probabilities of the positive class, shape (cases,), from 0 to 1.
    parameters
        ``threshold``, the least prediction that counts as positive.

    Returns
    -------
    float or None
        From 0 to 1. None, undefined, when no case is positive.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, a prediction is outside 0 to 1, or a class is neither 0 nor 1.

    Examples
    --------
    Of four positive cases, 0.5, 0.7 and 0.9 reach 0.5.

    >>> sensitivity(np.ones(4), np.array([0.4, 0.5, 0.7, 0.9]), ThresholdParameters(threshold=0.5))
    0.75
    >>> sensitivity(np.zeros(1), np.array([0.4]), ThresholdParameters()) is None
    True
    """
    positive = _check("sensitivity", reference, prediction)
    return _share((prediction >= parameters.threshold)[positive])


def specificity(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: ThresholdParameters,
) -> float | None:
    """Share of the negative cases whose prediction stays below a threshold.

    Parameters
    ----------
    reference
        Classes, shape (cases,): 1 positive, 0 negative.
    prediction
        Probabilities of the positive class, shape (cases,), from 0 to 1.
    parameters
        ``threshold``, the least prediction that counts as positive.

    Returns
    -------
    float or None
        From 0 to 1. None, undefined, when no case is negative.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, a prediction is outside 0 to 1, or a class is neither 0 nor 1.

    Examples
    --------
    Of four negative cases, 0.4 alone stays below 0.5.

    >>> specificity(np.zeros(4), np.array([0.4, 0.5, 0.7, 0.9]), ThresholdParameters(threshold=0.5))
    0.25
    >>> specificity(np.ones(1), np.array([0.4]), ThresholdParameters()) is None
    True
    """
    positive = _check("specificity", reference, prediction)
    return _share((prediction < parameters.threshold)[~positive])


def _check(metric: str, reference: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Require probabilities and two classes; return which cases are positive, shape (cases,)."""
    check_scalars(metric, reference, prediction)
    if prediction.min() < 0 or prediction.max() > 1:
        raise MetricError(f"{metric}: a prediction is outside 0 to 1.", remedy="Pass probabilities.")
    return check_classes(metric, reference)


def _share(chosen: NDArray[np.bool_]) -> float | None:
    return int(np.count_nonzero(chosen)) / chosen.size if chosen.size else None
