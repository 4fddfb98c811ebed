"""Every metric over many resamples at once: the same values as of the metric's own function, hundreds of times faster.

A resample draws cases with replacement. It is written as weights: how often each case was drawn. Each function here
takes one entry's arrays and returns a function of weights, shape (draws, cases), to values, shape (draws,), NaN where
the metric is undefined in a draw. A test holds every one of them to the metric's own function on the repeated cases.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.errors import MetricError
from harness.metrics.averages import power_of_two
from harness.metrics.metric import Metric
from harness.metrics.moments import Moments, root_mean_square
from harness.metrics.parameters import MetricParameters

Array = NDArray[np.float64]
Resampled = Callable[[Array], Array]


def resampled(metric: Metric, reference: Array | None, values: Array, parameters: MetricParameters) -> Resampled:
    """Prepare a metric over resamples of one entry's cases.

    Parameters
    ----------
    metric
        The metric.
    reference
        References, shape (cases,), for a metric over all cases; None for one with a value per case.
    values
        Predictions, or the values per case, shape (cases,).
    parameters
        The metric's.

    Raises
    ------
    MetricError
        The metric cannot be resampled.
    """
    if metric.scope == "case" or reference is None:
        return weighted_mean(values)
    if metric.name not in RESAMPLED:
        raise MetricError(f"{metric.name} cannot be resampled.", remedy="Add it to harness/metrics/resampled.py.")
    return RESAMPLED[metric.name](reference, values, parameters)


def weighted_mean(values: Array) -> Resampled:
    """Average case values.

    Examples
    --------
    Both cases once, and the first one twice:

    >>> weighted_mean(np.array([0.2, 0.6]))(np.array([[1.0, 1.0], [2.0, 0.0]])).tolist()
    [0.4, 0.2]
    """
    scale = power_of_two(values)  # a sum of finite values must not overflow
    scaled = values / scale
    return lambda weights: np.asarray(weights @ scaled / weights.sum(axis=1) * scale)


def weighted_median(values: Array) -> Resampled:
    """Take the median of case values: the middle one, or the mean of the two in the middle.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]))(np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 2.0]])).tolist()
    [2.0, 2.5]
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]

    def median(weights: Array) -> Array:
        up_to = np.cumsum(weights[:, order], axis=1)
        total = up_to[:, -1:]
        lower = (up_to < np.floor((total + 1) / 2)).sum(axis=1)
        upper = (up_to < np.floor((total + 2) / 2)).sum(axis=1)
        return np.asarray(ordered[lower] / 2 + ordered[upper] / 2)

    return median


def case_values(metric: Metric, reference: Array, prediction: Array) -> Array | None:
    """Return what each case adds to a metric over all cases, where that metric is their mean; None elsewhere."""
    if metric.name == "mae":
        return np.abs(prediction - reference)
    if metric.name == "brier_score":
        return np.asarray((prediction - reference) ** 2)
    return None


def _auroc(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    """Count pairs: in integers, so that equal entries stay equal in every draw."""
    positive = reference == 1.0
    above = prediction[positive][:, None] > prediction[~positive]
    tied = prediction[positive][:, None] == prediction[~positive]
    pairs = np.asarray(2 * above + tied, dtype=np.float64)

    def area(weights: Array) -> Array:
        positives, negatives = weights[:, positive], weights[:, ~positive]
        ordered = ((positives @ pairs) * negatives).sum(axis=1)
        return _divided(ordered, 2 * positives.sum(axis=1) * negatives.sum(axis=1))

    return area


def _average_precision(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    order = np.argsort(-prediction, kind="stable")
    starts = _starts(prediction[order])
    positive = reference[order] == 1.0

    def precision(weights: Array) -> Array:
        drawn = weights[:, order]
        gained = _added_up(drawn * positive, starts)
        found, seen = np.cumsum(gained, axis=1), np.cumsum(_added_up(drawn, starts), axis=1)
        weighted = (gained * found / np.maximum(seen, 1.0)).sum(axis=1)
        one_class = found[:, -1] == seen[:, -1]
        return np.where(one_class, np.nan, _divided(weighted, found[:, -1]))

    return precision


def _brier_score(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    return weighted_mean((prediction - reference) ** 2)


def _calibration_error(reference: Array, prediction: Array, parameters: MetricParameters) -> Resampled:
    bins = int(parameters.bins)  # type: ignore[attr-defined]
    place = np.searchsorted(np.arange(1, bins) / bins, prediction, side="right")
    gap = np.zeros((reference.size, bins))
    gap[np.arange(reference.size), place] = prediction - reference
    return lambda weights: np.asarray(np.abs(weights @ gap).sum(axis=1) / weights.sum(axis=1))


def _sensitivity(reference: Array, prediction: Array, parameters: MetricParameters) -> Resampled:
    right = prediction >= parameters.threshold  # type: ignore[attr-defined]
    return _share(reference == 1.0, right)


def _specificity(reference: Array, prediction: Array, parameters: MetricParameters) -> Resampled:
    right = prediction < parameters.threshold  # type: ignore[attr-defined]
    return _share(reference == 0.0, right)


def _share(among: NDArray[np.bool_], right: NDArray[np.bool_]) -> Resampled:
    return lambda weights: _divided(weights[:, among & right].sum(axis=1), weights[:, among].sum(axis=1))


def _mae(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    return weighted_mean(np.abs(prediction - reference))


def _root_mean_squared_error(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    return lambda weights: root_mean_square(prediction - reference, weights)


def _bias(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    return weighted_mean(prediction - reference)


def _age_gap_slope(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    moments = Moments(reference, prediction - reference)
    return lambda weights: moments.drawn(weights).slope()


def _pearson_r(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    moments = Moments(reference, prediction)
    return lambda weights: moments.drawn(weights).correlation()


def _spearman_r(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    ranks = _weighted_ranks(reference), _weighted_ranks(prediction)
    moments = Moments(reference, prediction)

    def correlation(weights: Array) -> Array:
        drawn = moments.drawn(weights)
        middle = (weights.sum(axis=1, keepdims=True) + 1) / 2
        x, y = (rank(weights) - middle for rank in ranks)
        products = [(weights * one * other).sum(axis=1) for one, other in ((x, x), (x, y), (y, y))]
        found = _divided(products[1], np.sqrt(products[0] * products[2]))
        return np.where(drawn.vary, np.clip(found, -1.0, 1.0), np.nan)

    return correlation


def _weighted_ranks(values: Array) -> Callable[[Array], Array]:
    """Prepare mid-ranks of each case within a draw, shape (draws, cases)."""
    order = np.argsort(values, kind="stable")
    starts = _starts(values[order])
    group = np.empty(values.size, np.int64)
    group[order] = np.searchsorted(starts, np.arange(values.size), side="right") - 1

    def ranks(weights: Array) -> Array:
        in_group = _added_up(weights[:, order], starts)
        middle = np.cumsum(in_group, axis=1) - (in_group - 1) / 2
        return np.asarray(middle[:, group])

    return ranks


def _added_up(weights: Array, starts: NDArray[np.int64]) -> Array:
    """Add up the weights of each run of equal values, shape (draws, runs)."""
    return weights if starts.size == weights.shape[1] else np.add.reduceat(weights, starts, axis=1)


def _starts(ordered: Array) -> NDArray[np.int64]:
    """Return where each run of equal values begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _divided(numerator: Array, denominator: Array) -> Array:
    """Divide, NaN where there is nothing to divide by."""
    return np.asarray(np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator != 0))


RESAMPLED: dict[str, Callable[[Array, Array, MetricParameters], Resampled]] = {
    "auroc": _auroc,
    "average_precision": _average_precision,
    "brier_score": _brier_score,
    "calibration_error": _calibration_error,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "mae": _mae,
    "root_mean_squared_error": _root_mean_squared_error,
    "bias": _bias,
    "age_gap_slope": _age_gap_slope,
    "pearson_r": _pearson_r,
    "spearman_r": _spearman_r,
}
