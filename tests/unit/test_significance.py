"""Tests between teams, beside SciPy and a second computation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from harness.metrics.registry import metric_named
from harness.scoring.evidence import Evidence
from harness.scoring.significance import compare, groups, holm
from harness.specs.task import MetricSpec

Array = NDArray[np.float64]


def case_evidence(values: Array, direction: str = "higher") -> Evidence:
    spec = MetricSpec.model_validate({"name": "dice", "direction": direction})
    return Evidence(spec, metric_named("dice"), None, values)


def cohort_evidence(name: str, reference: Array, prediction: Array) -> Evidence:
    metric = metric_named(name)
    return Evidence(MetricSpec(name=name, direction=metric.direction), metric, reference, prediction)


def test_wilcoxon_is_scipy_s_with_holm_s_adjustment() -> None:
    rng = np.random.default_rng(0)
    values = [rng.random(30).round(1) for _ in range(4)]
    tested = compare([case_evidence(each) for each in values], [])
    raw = np.ones((4, 4))
    for i in range(4):
        for j in range(4):
            if i != j:
                lead = (values[i] - values[j]).round(12)
                raw[i, j] = stats.wilcoxon(lead, alternative="greater", correction=True, method="approx").pvalue
    assert tested.method == "wilcoxon"
    np.testing.assert_allclose(tested.p, holm(raw), rtol=1e-12)


def test_a_lower_error_is_the_better_one() -> None:
    rng = np.random.default_rng(1)
    ages = rng.uniform(20, 90, 60)
    near, far = ages + rng.normal(0, 2, 60), ages + rng.normal(0, 15, 60)
    tested = compare([cohort_evidence("mae", ages, near), cohort_evidence("mae", ages, far)], [])
    assert tested.method == "wilcoxon"
    assert tested.p[0, 1] < 1e-6 < 0.9 < tested.p[1, 0]


def test_no_difference_is_no_evidence() -> None:
    same = np.linspace(0, 1, 20)
    assert compare([case_evidence(same), case_evidence(same.copy())], []).p.tolist() == [[1, 1], [1, 1]]


def test_holm_by_hand() -> None:
    """Six tests, 0.001 0.01 0.02 0.03 0.2 0.9: times 6 5 4 3 2 1, never less than the one before."""
    p = np.array([[1, 0.01, 0.9], [0.02, 1, 0.03], [0.2, 0.001, 1]])
    np.testing.assert_allclose(holm(p), [[1, 0.05, 0.9], [0.08, 1, 0.09], [0.4, 0.006, 1]])


def delong_p(reference: Array, one: Array, other: Array) -> float:
    """Compute it once more, with loops over pairs of cases."""
    positives, negatives = np.flatnonzero(reference == 1), np.flatnonzero(reference == 0)
    components = []
    for scores in (one, other):
        pairs = np.array([[np.sign(scores[i] - scores[j]) / 2 + 0.5 for j in negatives] for i in positives])
        components.append((pairs.mean(), pairs.mean(axis=1), pairs.mean(axis=0)))
    variance = (
        np.var(components[0][1] - components[1][1], ddof=1) / positives.size
        + np.var(components[0][2] - components[1][2], ddof=1) / negatives.size
    )
    return float(stats.norm.sf((components[0][0] - components[1][0]) / np.sqrt(variance)))


def test_delong_compares_areas_of_the_same_cases() -> None:
    rng = np.random.default_rng(2)
    reference = (rng.random(70) < 0.4).astype(float)
    good, poor = (reference * shift + rng.normal(0, 1, 70).round(1) for shift in (1.2, 0.6))
    tested = compare([cohort_evidence("auroc", reference, each) for each in (good, poor)], [])
    expected = np.array([[1, delong_p(reference, good, poor)], [delong_p(reference, poor, good), 1]])
    assert tested.method == "delong"
    np.testing.assert_allclose(tested.p, holm(expected), rtol=1e-9)


def test_delong_where_there_is_no_doubt_and_no_difference() -> None:
    reference = np.array([0.0, 0, 0, 1, 1, 1])
    perfect, inverse = reference.copy(), 1 - reference
    tested = compare([cohort_evidence("auroc", reference, each) for each in (perfect, inverse, perfect * 2)], [])
    # There are 20 ways to give six cases three positives: 1/20, of which the first of six tests is taken six times.
    assert tested.p[0, 1] == tested.p[2, 1] == pytest.approx(6 / 20)
    assert tested.p[0, 2] == tested.p[2, 0] == tested.p[1, 0] == 1


def test_a_correlation_is_compared_by_resamples() -> None:
    ages = np.linspace(20, 80, 30)
    evidence = [cohort_evidence("pearson_r", ages, ages), cohort_evidence("pearson_r", ages, -ages)]
    draws = [np.full(999, 0.9), np.full(999, 0.3)]
    draws[0][:9] = 0.1
    tested = compare(evidence, draws)
    assert tested.method == "bootstrap"
    np.testing.assert_allclose(tested.p, holm(np.array([[1, 10 / 1000], [991 / 1000, 1]])))


def test_an_undefined_correlation_is_never_better() -> None:
    ages = np.linspace(20, 80, 30)
    evidence = [cohort_evidence("pearson_r", ages, ages), cohort_evidence("pearson_r", ages, np.full(30, 50.0))]
    tested = compare(evidence, [np.full(999, -0.9), np.full(999, np.nan)])
    assert tested.p[0, 1] == pytest.approx(0.002)
    assert tested.p[1, 0] == 1


@pytest.mark.parametrize(("positives", "negatives"), [(1, 1), (1, 2), (1, 5), (2, 2)])
def test_hardly_any_cases_prove_nothing(positives: int, negatives: int) -> None:
    reference = np.array([1.0] * positives + [0.0] * negatives)
    tested = compare([cohort_evidence("auroc", reference, each) for each in (reference, 1 - reference)], [])
    assert tested.p[0, 1] > 0.05


def test_a_team_is_in_the_first_group_whose_best_it_cannot_be_told_from() -> None:
    p = np.ones((4, 4))
    p[0, 2] = p[0, 3] = p[2, 3] = 0.01
    assert groups([0, 1, 2, 3], p, 0.05) == [1, 1, 2, 3]
    assert groups([3, 2, 1, 0], p[::-1, ::-1], 0.05) == [3, 2, 1, 1]
    assert groups([], np.ones((0, 0)), 0.05) == []
    # The third cannot be told from the first, though it can from the second.
    assert groups([0, 1, 2], np.array([[1, 0.01, 0.3], [1, 1, 0.01], [1, 1, 1]]), 0.05) == [1, 2, 1]
