"""Variances and covariance of two quantities within many resamples, whatever outliers there are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.metrics.averages import power_of_two
from harness.metrics.regression import CONSTANT_STANDARD_DEVIATION

Array = NDArray[np.float64]
CANCELLED = 1e-6
"""Where a variance is a smaller share of the second moment than this, it is computed around the draw's own mean."""
TINY = 1e-200
"""Squares that small, beside an outlier that is not in the draw, have lost bits or vanished."""


class Drawn(NamedTuple):
    """What two quantities do within each draw, shape (draws,).

    Attributes
    ----------
    x_deviation, y_deviation
        Standard deviations.
    r
        Pearson's correlation; of no meaning where either is constant.
    """

    x_deviation: Array
    y_deviation: Array
    r: Array

    @property
    def vary(self) -> NDArray[np.bool_]:
        """Where neither is constant."""
        return np.minimum(self.x_deviation, self.y_deviation) > CONSTANT_STANDARD_DEVIATION

    def correlation(self) -> Array:
        """Return Pearson's r; NaN where either is constant."""
        return np.where(self.vary, np.clip(self.r, -1.0, 1.0), np.nan)

    def slope(self) -> Array:
        """Return the least-squares slope of y on x; NaN where x is constant."""
        varies = self.x_deviation > CONSTANT_STANDARD_DEVIATION
        found = self.r * (self.y_deviation / np.where(varies, self.x_deviation, 1.0))
        return np.where(varies, found, np.nan)


class Moments:
    """Two quantities over all cases, prepared for draws.

    Parameters
    ----------
    x, y
        Shape (cases,). They are scaled by powers of two, so that no square overflows, and moved to their medians, which
        an outlier does not move.
    """

    def __init__(self, x: Array, y: Array) -> None:
        self.x_scale, self.y_scale = power_of_two(x), power_of_two(y)
        self.x, self.y = x / self.x_scale, y / self.y_scale
        self.x, self.y = self.x - np.median(self.x), self.y - np.median(self.y)
        self.columns = np.stack([self.x, self.y, self.x**2, self.y**2, self.x * self.y], axis=1)

    def drawn(self, weights: Array) -> Drawn:
        """Compute the moments within draws, weights of shape (draws, cases)."""
        x, y, xx, yy, xy = (weights @ self.columns / weights.sum(axis=1, keepdims=True)).T
        x_variance, y_variance = xx - x * x, yy - y * y
        least = np.minimum(x_variance - CANCELLED * xx, y_variance - CANCELLED * yy)
        [lost] = np.nonzero((least <= 0) | (np.minimum(xx, yy) < TINY))
        x_deviation, y_deviation = np.sqrt(np.maximum(x_variance, 0)), np.sqrt(np.maximum(y_variance, 0))
        r = _over(xy - x * y, x_deviation, y_deviation)
        if lost.size:
            x_deviation[lost], y_deviation[lost], r[lost] = self._around_own_means(weights[lost])
        return Drawn(x_deviation * self.x_scale, y_deviation * self.y_scale, r)

    def _around_own_means(self, weights: Array) -> tuple[Array, Array, Array]:
        total = weights.sum(axis=1)
        x, y = (each - (weights @ each / total)[:, None] for each in (self.x, self.y))
        x_size, y_size = largest(x, weights), largest(y, weights)
        x, y = (
            np.clip(x / x_size[:, None], -1, 1),
            np.clip(y / y_size[:, None], -1, 1),
        )  # what was not drawn is weightless
        x_deviation, y_deviation = (np.sqrt((weights * each**2).sum(axis=1) / total) for each in (x, y))
        r = _over((weights * x * y).sum(axis=1) / total, x_deviation, y_deviation)
        return x_deviation * x_size, y_deviation * y_size, r


def largest(values: Array, weights: Array) -> Array:
    """Return the largest size among the cases of each draw, shape (draws,); 1 where all are zero."""
    sizes = np.where(weights > 0, np.abs(values), 0.0).max(axis=1)
    return np.where(sizes > 0, sizes, 1.0)


def root_mean_square(values: Array, weights: Array) -> Array:
    """Return the root of the mean square within each draw, whatever outliers there are.

    Parameters
    ----------
    values
        Shape (cases,).
    weights
        Shape (draws, cases).

    Examples
    --------
    3 and 4 once each, and 4 twice:

    >>> root_mean_square(np.array([3.0, 4.0]), np.array([[1.0, 1.0], [0.0, 2.0]])).round(6).tolist()
    [3.535534, 4.0]
    """
    scale, total = power_of_two(values), weights.sum(axis=1)
    scaled = values / scale
    squares = weights @ scaled**2 / total
    roots = np.sqrt(squares)
    [lost] = np.nonzero(squares < TINY)
    if lost.size:
        sizes = largest(scaled, weights[lost])
        relative = np.clip(scaled / sizes[:, None], -1, 1)
        roots[lost] = np.sqrt((weights[lost] * relative**2).sum(axis=1) / total[lost]) * sizes
    return np.asarray(roots * scale)


def _over(covariance: Array, *deviations: Array) -> Array:
    for each in deviations:
        covariance = np.divide(covariance, each, out=np.zeros_like(covariance), where=each > 0)
    return covariance
