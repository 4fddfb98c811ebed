"""Metrics of a probability, or of any score that puts cases in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_classes, check_scalars
from harness.metrics.parameters import MetricParameters


def auroc(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of scalars are called alike
) -> float | None:
    """Area under the receiver operating characteristic curve.

    The share of pairs of a positive and a negative case in which the positive has the higher prediction; a tie counts
    one half. It is counted in integers and divided once, so that it is the rational number rounded to a float, the
    same on every machine and for every order of the cases.

    Parameters
    ----------
    reference
        Classes, shape (cases,): 1 positive, 0 negative.
    prediction
        Predictions, shape (cases,), on any scale. ``-inf`` and ``inf`` come before and after every number: this is how
        a missing prediction is ordered as the worst.
    parameters
        None to set.

    Returns
    -------
    float or None
        From 0 to 1; 0.5 when the predictions say nothing. None, undefined, when there is one class only.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, a prediction is NaN, or a class is neither 0 nor 1.

    Notes
    -----
    Hanley JA and McNeil BJ, The meaning and use of the area under a receiver operating characteristic (ROC) curve,
    Radiology 143 (1982) 29-36: the area is the Mann-Whitney statistic.

    Examples
    --------
    Two positives (0.4, 0.8) and two negatives (0.1, 0.4): of four pairs three are in order and one is tied.

    >>> auroc(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.4, 0.8]), MetricParameters())
    0.875
    >>> auroc(np.array([0.0, 1.0, 1.0]), np.array([0.5, -np.inf, 0.9]), MetricParameters())
    0.5
    >>> auroc(np.array([1.0, 1.0]), np.array([0.1, 0.9]), MetricParameters()) is None
    True
    """
    check_scalars("auroc", reference, prediction, infinite_predictions=True)
    positive = check_classes("auroc", reference)
    positives, negatives = prediction[positive], np.sort(prediction[~positive])
    if not positives.size or not negatives.size:
        return None
    below = int(np.searchsorted(negatives, positives, side="left").sum())
    below_or_tied = int(np.searchsorted(negatives, positives, side="right").sum())
    return (below + below_or_tied) / (2 * positives.size * negatives.size)


def average_precision(
    reference: NDArray[np.float64],
    prediction: NDArray[np.float64],
    parameters: MetricParameters,  # noqa: ARG001
) -> float | None:
    """Average precision: the precision at each threshold, weighted by the recall gained there.

    Parameters
    ----------
    reference
        Classes, shape (cases,): 1 positive, 0 negative.
    prediction
        Predictions, shape (cases,), on any scale; ``-inf`` and ``inf`` come before and after every number.
    parameters
        None to set.

    Returns
    -------
    float or None
        Above 0, up to 1; about the share of positives when the predictions say nothing. None, undefined, when there is
        one class only.

    Raises
    ------
    MetricError
        The arrays differ in length or are empty, a prediction is NaN, or a class is neither 0 nor 1.

    Notes
    -----
    scikit-learn's ``average_precision_score``, which does not interpolate between thresholds.

    Examples
    --------
    From the top: a positive (precision 1, half of the recall), a negative, a positive (precision 2/3, the other half).

    >>> round(average_precision(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.5, 0.2]), MetricParameters()), 6)
    0.833333
    >>> average_precision(np.array([0.0, 0.0]), np.array([0.1, 0.9]), MetricParameters()) is None
    True
    """
    check_scalars("average_precision", reference, prediction, infinite_predictions=True)
    positive = check_classes("average_precision", reference)
    if positive.all() or not positive.any():
        return None

    from sklearn.metrics import average_precision_score

    # Only the order counts, and scikit-learn refuses infinities: hand it each prediction's place among the others.
    places = np.unique(prediction, return_inverse=True)[1]
    return float(average_precision_score(positive, places))
