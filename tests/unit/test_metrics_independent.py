"""Metrics of scalars beside other people's code."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.stats import linregress, spearmanr
from sklearn.metrics import brier_score_loss, recall_score

from harness.errors import MetricError
from harness.metrics.age_gap import age_gap_slope
from harness.metrics.parameters import CalibrationParameters, MetricParameters, ThresholdParameters
from harness.metrics.probability import brier_score, calibration_error, sensitivity, specificity
from harness.metrics.regression import pearson_r, spearman_r

NONE = MetricParameters()


@pytest.mark.parametrize("offset", [0.0, 50.0, 1e6])
def test_pearson_is_that_of_mpmath(offset: float) -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        x = offset + rng.standard_normal(40)
        y = x + rng.uniform(0.01, 3) * rng.standard_normal(40)
        with mpmath.workdps(50):
            xs, ys = [mpmath.mpf(each) for each in x.tolist()], [mpmath.mpf(each) for each in y.tolist()]
            x_mean, y_mean = mpmath.fsum(xs) / 40, mpmath.fsum(ys) / 40
            product = mpmath.fsum((a - x_mean) * (b - y_mean) for a, b in zip(xs, ys, strict=True))
            squares = mpmath.fsum((a - x_mean) ** 2 for a in xs) * mpmath.fsum((b - y_mean) ** 2 for b in ys)
            expected = float(product / mpmath.sqrt(squares))
        value = pearson_r(x, y, NONE)
        assert value is not None
        assert abs(value - expected) <= 1e-12


def test_spearman_is_that_of_scipy_with_ties_too() -> None:
    rng = np.random.default_rng(12)
    for decimals in (0, 1, 8):
        for _ in range(50):
            x, y = rng.uniform(0, 5, (2, 30)).round(decimals)
            assert spearman_r(x, y, NONE) == pytest.approx(float(spearmanr(x, y).statistic), abs=1e-12)


def test_spearman_does_not_rank_jitter() -> None:
    x = np.array([20.0, 40.0, 60.0, 80.0])
    assert spearman_r(x, 54.2 + 1e-14 * x, NONE) is None


def test_the_age_gap_slope_is_that_of_scipy() -> None:
    rng = np.random.default_rng(13)
    for _ in range(50):
        x = rng.uniform(20, 90, 30)
        y = rng.uniform(0.2, 1.2) * x + rng.standard_normal(30)
        assert age_gap_slope(x, y, NONE) == pytest.approx(float(linregress(x, y - x).slope), abs=1e-12)


@pytest.mark.parametrize("absurd", [1.7e308, -1.7e308])
def test_the_age_gap_slope_stays_finite(absurd: float) -> None:
    value = age_gap_slope(np.array([50.0, 50.0, 50.0001]), np.array([50.0, 50.0, absurd]), NONE)
    assert value is not None
    assert np.isfinite(value)


def test_probabilities_are_scored_as_by_scikit_learn() -> None:
    rng = np.random.default_rng(14)
    for _ in range(50):
        classes = np.append(rng.integers(0, 2, 30), [0, 1]).astype(np.float64)
        probabilities = rng.random(32).round(rng.integers(1, 12))
        found = probabilities >= 0.5
        assert brier_score(classes, probabilities, NONE) == pytest.approx(
            float(brier_score_loss(classes, probabilities)), abs=1e-12
        )
        assert sensitivity(classes, probabilities, ThresholdParameters()) == recall_score(classes, found)
        assert specificity(classes, probabilities, ThresholdParameters()) == recall_score(classes, found, pos_label=0)


def test_calibration_error_bin_by_bin() -> None:
    rng = np.random.default_rng(15)
    classes, probabilities = rng.integers(0, 2, 200).astype(np.float64), rng.integers(0, 21, 200) / 20
    expected = 0.0
    for each in range(10):
        lower, upper = each / 10, (each + 1) / 10
        inside = (probabilities >= lower) & ((probabilities < upper) | (each == 9))
        if inside.any():
            expected += inside.mean() * abs(probabilities[inside].mean() - classes[inside].mean())
    assert calibration_error(classes, probabilities, CalibrationParameters()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", [brier_score, calibration_error, sensitivity, specificity])
@pytest.mark.parametrize("outside", [-0.1, 1.1])
def test_what_is_no_probability_is_refused(metric: object, outside: float) -> None:
    parameters = CalibrationParameters() if metric is calibration_error else ThresholdParameters()
    with pytest.raises(MetricError, match="a prediction is outside 0 to 1"):
        metric(np.array([0.0, 1.0]), np.array([0.5, outside]), parameters)  # type: ignore[operator]
