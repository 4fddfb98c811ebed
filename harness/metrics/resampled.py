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
from harness.metrics.metric import Metric
from harness.metrics.parameters import MetricParameters

Array = NDArray[np.float64]
Resampled = Callable[[Array], Array]
CONSTANT_VARIANCE = 1e-18
"""The square of the standard deviation up to which values count as constant."""


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
    return lambda weights: np.asarray(weights @ values / weights.sum(axis=1))


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
        return np.asarray((ordered[lower] + ordered[upper]) / 2)

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
        gained = np.add.reduceat(drawn * positive, starts, axis=1)
        found, seen = np.cumsum(gained, axis=1), np.cumsum(np.add.reduceat(drawn, starts, axis=1), axis=1)
        weighted = (gained * found / np.maximum(seen, 1.0)).sum(axis=1)
        one_class = found[:, -1] == seen[:, -1]
        return np.where(one_class, np.nan, _divided(weighted, found[:, -1]))

    return precision


def _brier_score(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    return weighted_mean((prediction - reference) ** 2)


def _calibration_error(reference: Array, prediction: Array, parameters: MetricParameters) -> Resampled:
    bins = int(parameters.bins)  # type: ignore[attr-defined]
    place = np.minimum((prediction * bins).astype(np.int64), bins - 1)
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
    mean_square = weighted_mean((prediction - reference) ** 2)
    return lambda weights: np.sqrt(mean_square(weights))


def _bias(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    return weighted_mean(prediction - reference)


def _age_gap_slope(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    moments = _Moments.of(reference, prediction - reference)

    def slope(weights: Array) -> Array:
        drawn = moments.drawn(weights)
        return np.where(drawn.x_varies, _divided(drawn.covariance, drawn.x_variance), np.nan)

    return slope


def _pearson_r(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    moments = _Moments.of(reference, prediction)
    return lambda weights: moments.drawn(weights).correlation()


def _spearman_r(reference: Array, prediction: Array, _: MetricParameters) -> Resampled:
    ranks = _weighted_ranks(reference), _weighted_ranks(prediction)

    def correlation(weights: Array) -> Array:
        total = weights.sum(axis=1, keepdims=True)
        x, y = (rank(weights) - (total + 1) / 2 for rank in ranks)
        products = [(weights * each).sum(axis=1) for each in (x * x, x * y, y * y)]
        variances = [products[0] / total[:, 0], products[2] / total[:, 0]]
        found = _divided(products[1], np.sqrt(products[0] * products[2]))
        constant = np.minimum(*variances) <= CONSTANT_VARIANCE
        return np.where(constant, np.nan, np.clip(found, -1.0, 1.0))

    return correlation


def _weighted_ranks(values: Array) -> Callable[[Array], Array]:
    """Prepare mid-ranks of each case within a draw, shape (draws, cases)."""
    order = np.argsort(values, kind="stable")
    starts = _starts(values[order])
    group = np.empty(values.size, np.int64)
    group[order] = np.searchsorted(starts, np.arange(values.size), side="right") - 1

    def ranks(weights: Array) -> Array:
        in_group = np.add.reduceat(weights[:, order], starts, axis=1)
        middle = np.cumsum(in_group, axis=1) - (in_group - 1) / 2
        return np.asarray(middle[:, group])

    return ranks


def _starts(ordered: Array) -> NDArray[np.int64]:
    """Return where each run of equal values begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


class _Drawn:
    """Variances and covariance within each draw, each of shape (draws,)."""

    def __init__(self, means: Array) -> None:
        x, y, xx, yy, xy = means.T
        self.x_variance, self.y_variance, self.covariance = xx - x * x, yy - y * y, xy - x * y

    @property
    def x_varies(self) -> NDArray[np.bool_]:
        return np.asarray(self.x_variance > CONSTANT_VARIANCE)

    def correlation(self) -> Array:
        varies = self.x_varies & (self.y_variance > CONSTANT_VARIANCE)
        scale = np.sqrt(np.where(varies, self.x_variance * self.y_variance, 1.0))
        return np.where(varies, np.clip(self.covariance / scale, -1.0, 1.0), np.nan)


class _Moments:
    """The first two moments of two quantities, centred so that little is lost when squares are subtracted."""

    def __init__(self, columns: Array) -> None:
        self.columns = columns

    @classmethod
    def of(cls, x: Array, y: Array) -> _Moments:
        x, y = x - x.mean(), y - y.mean()
        return cls(np.stack([x, y, x * x, y * y, x * y], axis=1))

    def drawn(self, weights: Array) -> _Drawn:
        return _Drawn(weights @ self.columns / weights.sum(axis=1, keepdims=True))


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
