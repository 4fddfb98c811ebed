"""Drawing cases anew, the same for all teams, and computing every metric in each draw."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.scoring.evidence import Evidence
from harness.scoring.rank import settle
from harness.specs.challenge import Average

Array = NDArray[np.float64]
Key = TypeVar("Key")
DRAWN_AT_ONCE = 1_000
MOST_REDRAWS = 1_000
PAIRS_AT_ONCE = 1 << 20
"""Pairs of teams grow with the square of their number; so many of all draws are compared at a time."""


def generator(seed: int, *words: str) -> np.random.Generator:
    """Return the random numbers of one task or group, the same whatever else is drawn."""
    digest = hashlib.sha256("\x1f".join(words).encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")])))


def resample(
    evidence: Mapping[Key, Evidence],
    count: int,
    average: Average,
    random: np.random.Generator,
    classes: Array | None = None,
) -> tuple[dict[Key, Array], int]:
    """Compute metrics over resamples of the same cases.

    Parameters
    ----------
    evidence
        Metrics of entries, all over the same cases in the same order.
    count
        How many draws.
    average
        How values per case are averaged.
    random
        Where the draws come from.
    classes
        The cases' classes, shape (cases,), where each draw must hold both.

    Returns
    -------
    tuple
        By the evidence's keys the values, shape (draws,), NaN where undefined; and how many draws were drawn again.
    """
    prepared = {key: each.resampled(average) for key, each in evidence.items()}
    values = {key: np.empty(count) for key in evidence}
    cases = next(iter(evidence.values())).values.size
    redrawn, done = 0, 0
    for weights, again in _weights(cases, count, random, classes):
        redrawn += again
        with np.errstate(invalid="ignore", divide="ignore"):
            for key, over in prepared.items():
                values[key][done : done + len(weights)] = over(weights)
        done += len(weights)
    return values, redrawn


def _weights(cases: int, count: int, random: np.random.Generator, classes: Array | None) -> Iterator[tuple[Array, int]]:
    """Yield how often each case is drawn, shape (some draws, cases), and how many draws were drawn again for it."""
    both = classes is not None and np.unique(classes).size > 1
    for start in range(0, count, DRAWN_AT_ONCE):
        weights = _drawn(cases, min(DRAWN_AT_ONCE, count - start), random)
        redrawn = 0
        for _ in range(MOST_REDRAWS if both else 0):
            [alike] = np.nonzero(_one_class(weights, classes))
            if not alike.size:
                break
            redrawn += alike.size
            weights[alike] = _drawn(cases, alike.size, random)
        yield weights, redrawn


def _drawn(cases: int, count: int, random: np.random.Generator) -> Array:
    places = random.integers(0, cases, size=(count, cases))
    places += np.arange(count)[:, None] * cases
    return np.bincount(places.ravel(), minlength=count * cases).reshape(count, cases).astype(np.float64)


def _one_class(weights: Array, classes: Array | None) -> NDArray[np.bool_]:
    positives = weights @ (np.asarray(classes) == 1.0)
    return np.asarray((positives == 0) | (positives == weights.sum(axis=1)))


def interval(values: Array, confidence: float) -> tuple[float, float] | None:
    """Return the percentile interval of the draws that have a value; None where none has."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(settle(defined), [tail, 1 - tail]).tolist()
    return low, high


def spread(values: NDArray[np.float64 | np.int64], confidence: float) -> tuple[float, float, float]:
    """Return the median of ranks and the interval that holds them, each of them a rank that occurs."""
    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(values, [tail, 0.5, 1 - tail], method="inverted_cdf").tolist()
    return low, middle, high


def kendall_tau(ranks: NDArray[np.int64], drawn: NDArray[np.int64]) -> Array:
    """Correlate a ranking with that of each draw, Kendall's tau-b.

    Parameters
    ----------
    ranks
        Shape (teams,).
    drawn
        Shape (draws, teams).

    Returns
    -------
    ndarray
        Shape (draws,), from -1 to 1; NaN where all teams are tied on either side.

    Examples
    --------
    One of three pairs changes sides:

    >>> kendall_tau(np.array([1, 2, 3]), np.array([[1, 2, 3], [2, 1, 3]])).round(6).tolist()
    [1.0, 0.333333]
    """
    one, other = np.triu_indices(ranks.size, 1)
    own = np.sign(ranks[one] - ranks[other]).astype(np.int8)
    found = np.full(len(drawn), np.nan)
    for start in range(0, len(drawn), PAIRS_AT_ONCE // max(own.size, 1) + 1):
        some = slice(start, start + PAIRS_AT_ONCE // max(own.size, 1) + 1)
        theirs = np.sign(drawn[some][:, one] - drawn[some][:, other]).astype(np.int8)
        agreeing = theirs.astype(np.float64) @ own
        scale = np.sqrt(float((own != 0).sum()) * (theirs != 0).sum(axis=1))
        np.divide(agreeing, scale, out=found[some], where=scale > 0)
    return found
