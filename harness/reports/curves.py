"""ROC curves and their bands over resamples of the cases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RESAMPLES = 500
RATES = np.linspace(0, 1, 51)


def roc_curve(reference: Array, prediction: Array) -> list[tuple[float, float]]:
    """Return the false and true positive rates at every threshold, from (0, 0) to (1, 1).

    Parameters
    ----------
    reference
        1 for positive cases, shape (cases,).
    prediction
        Higher is more positive, infinite where a missing prediction is imputed so, shape (cases,).

    Examples
    --------
    Of two positive cases one comes first, the other shares its number with the negative case:

    >>> roc_curve(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.5, 0.5]))
    [(0.0, 0.0), (0.0, 0.5), (1.0, 1.0)]
    """
    false, true = _rates(reference, prediction, np.ones((1, reference.size)))
    return [(0.0, 0.0), *zip(false[0].tolist(), true[0].tolist(), strict=True)]


def roc_band(
    reference: Array, prediction: Array, random: np.random.Generator, confidence: float
) -> list[tuple[float, float, float]]:
    """Return the interval of the true positive rate at even false positive rates, pointwise over resamples.

    Parameters
    ----------
    reference, prediction
        As for :func:`roc_curve`.
    random
        Where the resamples come from.
    confidence
        Share of resamples within.

    Returns
    -------
    list of tuple
        False positive rate, low and high end.
    """
    cases = reference.size
    drawn = [np.bincount(random.integers(0, cases, cases), minlength=cases) for _ in range(RESAMPLES)]
    weights = np.array(drawn, dtype=np.float64)
    positives = weights @ reference
    weights = weights[(positives > 0) & (positives < cases)]
    if not len(weights):
        return []
    false, true = _rates(reference, prediction, weights)
    start = np.zeros(1)
    at_rates = np.array(
        [
            np.interp(RATES, np.concatenate([start, x]), np.concatenate([start, y]))
            for x, y in zip(false, true, strict=True)
        ]
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(at_rates, [tail, 1 - tail], axis=0)
    return list(zip(RATES.tolist(), low.tolist(), high.tolist(), strict=True))


def _rates(reference: Array, prediction: Array, weights: Array) -> tuple[Array, Array]:
    """Return false and true positive rates below each distinct prediction, shape (draws, thresholds)."""
    order = np.argsort(-prediction, kind="stable")
    ordered, positive = prediction[order], reference[order] == 1.0
    last_of_ties = np.append(ordered[1:] != ordered[:-1], True)
    sorted_weights = weights[:, order]
    true = np.cumsum(sorted_weights * positive, axis=1)[:, last_of_ties]
    false = np.cumsum(sorted_weights * ~positive, axis=1)[:, last_of_ties]
    return false / false[:, -1:], true / true[:, -1:]
