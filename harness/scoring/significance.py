"""Whether one team is better than another on a metric, or only happened to come out ahead.

For a metric with a value per case: the one-sided Wilcoxon signed-rank test on paired cases. For AUROC, which has none:
DeLong's test. For any other metric over all cases: the share of resamples in which the order is not kept. All ordered
pairs of teams are tested, and p values adjusted by Holm's method.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.scoring.evidence import Evidence
from harness.scoring.rank import VALUE_DECIMALS, order_keys, settle
from harness.specs.task import Direction

Array = NDArray[np.float64]
Method = Literal["wilcoxon", "delong", "bootstrap"]


class Tested(NamedTuple):
    """Adjusted p values: ``p[i, j]`` that team i is no better than team j, shape (teams, teams), 1 on the diagonal."""

    method: Method
    p: Array


def compare(evidence: Sequence[Evidence], draws: Sequence[Array]) -> Tested:
    """Test every ordered pair of teams on one metric.

    Parameters
    ----------
    evidence
        One for each team, over the same cases.
    draws
        The metric's values in the same resamples, one array of shape (draws,) for each team.
    """
    if not evidence:
        return Tested("bootstrap", np.ones((0, 0)))
    first = evidence[0]
    per_case = [each.case_values() for each in evidence]
    with_values = [each for each in per_case if each is not None]
    if len(with_values) == len(evidence):
        method: Method = "wilcoxon"
        p = _wilcoxon(first.spec.direction, np.stack(with_values))
    elif first.metric.name == "auroc":
        method, p = "delong", _delong(evidence)
    else:
        exact = first.spec.model_copy(update={"decimals": VALUE_DECIMALS})
        method, p = "bootstrap", shares(order_keys(np.stack(draws, axis=1), exact))
    return Tested(method, holm(p))


def shares(overall: Array) -> Array:
    """Return in which share of draws one team does not come out ahead of another.

    Parameters
    ----------
    overall
        Ranks or keys, lower is better, shape (draws, teams).

    Returns
    -------
    ndarray
        Shape (teams, teams), 1 on the diagonal. One draw more than there are is counted, so that none is 0.
    """
    keys = np.where(np.isnan(overall), np.inf, overall)
    return _pairwise(keys.shape[1], lambda i, j: float((1 + np.sum(keys[:, i] >= keys[:, j])) / (1 + len(keys))))


def holm(p: Array) -> Array:
    """Adjust the p values of all ordered pairs by Holm's method.

    Parameters
    ----------
    p
        Shape (teams, teams); the diagonal is no test.

    Notes
    -----
    Holm S, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979) 65-70.

    Examples
    --------
    Two tests: the smaller is doubled, the larger is at least that.

    >>> holm(np.array([[1.0, 0.02], [0.03, 1.0]])).tolist()
    [[1.0, 0.04], [0.04, 1.0]]
    """
    pairs = ~np.eye(len(p), dtype=bool)
    tested = p[pairs]
    order = np.argsort(tested, kind="stable")
    adjusted = np.empty_like(tested)
    steps = np.maximum.accumulate(tested[order] * np.arange(tested.size, 0, -1))
    adjusted[order] = np.minimum(steps, 1.0)
    result = np.ones_like(p)
    result[pairs] = adjusted
    return result


def groups(order: Sequence[int], p: Array, alpha: float) -> list[int]:
    """Group the teams that cannot be told from the best of their group.

    Parameters
    ----------
    order
        Teams from the best to the worst.
    p
        Adjusted p values, shape (teams, teams).
    alpha
        Up to which one team is better than another.

    Returns
    -------
    list of int
        For each team its group, 1 for that of the best.

    Examples
    --------
    The first team is better than the third alone, which therefore begins a group:

    >>> groups([0, 1, 2], np.array([[1, 0.3, 0.01], [1, 1, 0.2], [1, 1, 1.0]]), 0.05)
    [1, 1, 2]
    """
    found = [0] * len(order)
    best: list[int] = []
    for team in order:
        alike = next((number for number, each in enumerate(best) if p[each, team] > alpha), None)
        if alike is None:
            best.append(team)
        found[team] = len(best) if alike is None else alike + 1
    return found


def _pairwise(teams: int, test: Callable[[int, int], float]) -> Array:
    p = np.ones((teams, teams))
    for i in range(teams):
        for j in range(teams):
            if i != j:
                p[i, j] = test(i, j)
    return p


def _wilcoxon(direction: Direction, values: Array) -> Array:
    """Test every ordered pair on values of shape (teams, cases)."""
    from scipy.stats import wilcoxon

    worth = {"higher": values, "lower": -values, "zero": -np.abs(values), "none": values}[direction]
    one, other = np.nonzero(~np.eye(len(worth), dtype=bool))
    leads = settle(worth[one] - worth[other])
    differ = np.nan_to_num(leads).any(axis=1)
    p = np.ones((len(worth), len(worth)))
    if differ.any():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sample size too small")  # of older SciPy, below ten cases
            p[one[differ], other[differ]] = wilcoxon(
                leads[differ], alternative="greater", correction=True, method="approx", axis=1, nan_policy="omit"
            ).pvalue
    return p


def _delong(evidence: Sequence[Evidence]) -> Array:
    """Test areas under ROC curves.

    DeLong ER, DeLong DM and Clarke-Pearson DL, Comparing the areas under two or more correlated receiver operating
    characteristic curves: a nonparametric approach, Biometrics 44 (1988) 837-845.
    """
    reference = evidence[0].reference
    if reference is None:
        raise TypeError("an AUROC needs references")
    counted = np.logical_and.reduce([each.counted for each in evidence])
    positive, negative = counted & (reference == 1.0), counted & (reference != 1.0)
    if not (positive.any() and negative.any()):
        return np.ones((len(evidence), len(evidence)))
    by_positive, by_negative = [], []
    for each in evidence:
        above = each.values[positive][:, None] > each.values[negative]
        tied = each.values[positive][:, None] == each.values[negative]
        pairs = above + 0.5 * tied
        by_positive.append(pairs.mean(axis=1))
        by_negative.append(pairs.mean(axis=0))
    areas = np.array([each.mean() for each in by_positive])
    # However far apart two teams are, so few cases cannot say more than the number of ways to give them their classes.
    fewest = 1 / math.comb(int(positive.sum() + negative.sum()), int(positive.sum()))
    covariance = _covariance(np.stack(by_positive)) + _covariance(np.stack(by_negative))

    def p(i: int, j: int) -> float:
        variance = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
        lead = float(areas[i] - areas[j])
        if variance <= 1e-18:  # the same order of cases, or no doubt at all
            return fewest if lead > 1e-12 else 1.0
        return max(fewest, 0.5 * math.erfc(lead / math.sqrt(2 * variance)))

    return _pairwise(len(evidence), p)


def _covariance(parts: Array) -> Array:
    if parts.shape[1] < 2:
        return np.zeros((len(parts), len(parts)))
    return np.asarray(np.atleast_2d(np.cov(parts)) / parts.shape[1])
