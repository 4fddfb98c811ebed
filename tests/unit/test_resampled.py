"""Metrics over many resamples at once are the metrics' own functions on the repeated cases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.metrics.averages import mean
from harness.metrics.metric import Metric
from harness.metrics.registry import METRICS
from harness.metrics.resampled import RESAMPLED, case_values, resampled, weighted_mean, weighted_median

Array = NDArray[np.float64]
COHORT = [metric for metric in METRICS.values() if metric.scope == "cohort"]


def test_every_metric_over_all_cases_can_be_resampled() -> None:
    assert {metric.name for metric in COHORT} == set(RESAMPLED)


def drawn(cases: int, rng: np.random.Generator, count: int = 40) -> Array:
    """Draw weights, a few of them of hardly any distinct cases."""
    places = rng.integers(0, cases, size=(count, cases))
    places[::7] %= 2
    return np.stack([np.bincount(row, minlength=cases) for row in places]).astype(np.float64)


def entries(metric: Metric, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Make references and predictions with many ties, and constant ones."""
    for cases in (2, 3, 11, 60):
        if metric.classes:
            reference = (rng.random(cases) < 0.4).astype(np.float64)
            reference[:2] = (0, 1)
            predictions = (rng.random(cases).round(1), (reference + rng.random(cases)) / 2, np.full(cases, 0.5))
        else:
            reference = rng.uniform(20, 90, cases).round()
            predictions = (
                reference + rng.normal(0, 8, cases),
                rng.uniform(20, 90, cases).round(-1),
                np.full(cases, 54.2),
            )
        for prediction in predictions:
            yield reference, prediction


def own(metric: Metric, reference: Array, prediction: Array, weights: Array) -> float:
    times = weights.astype(np.int64)
    value = metric.resolve()(np.repeat(reference, times), np.repeat(prediction, times), metric.parameters())
    return np.nan if value is None else value


@pytest.mark.parametrize("metric", COHORT, ids=lambda metric: metric.name)
def test_values_are_those_of_the_metric_itself(metric: Metric) -> None:
    rng = np.random.default_rng(0)
    undefined = defined = 0
    for reference, prediction in entries(metric, rng):
        weights = drawn(reference.size, rng)
        values = resampled(metric, reference, prediction, metric.parameters())(weights)
        expected = np.array([own(metric, reference, prediction, row) for row in weights])
        np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-12)
        undefined, defined = undefined + int(np.isnan(expected).sum()), defined + int((~np.isnan(expected)).sum())
    assert defined > 100
    assert bool(undefined) == bool(metric.undefined)


@pytest.mark.parametrize("outlier", [1e6, 1e9, 1e12, 1e20, 3.4e38, 1e155, 1e300, 1.7e308])
@pytest.mark.parametrize("name", [metric.name for metric in COHORT if not metric.classes])
def test_one_absurd_prediction_spoils_no_draw(name: str, outlier: float) -> None:
    rng = np.random.default_rng(5)
    ages = rng.uniform(20, 90, 50)
    predictions = ages + rng.normal(0, 8, 50)
    predictions[7] = outlier
    weights = drawn(50, rng, 200)
    metric = METRICS[name]
    with np.errstate(over="raise", invalid="raise"):
        values = resampled(metric, ages, predictions, metric.parameters())(weights)
    expected = [own(metric, ages, predictions, row) for row in weights]
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)


def test_infinite_predictions_keep_their_place_in_the_order() -> None:
    reference, prediction = np.array([0.0, 1.0, 1.0, 0.0]), np.array([np.inf, -np.inf, 0.9, 0.1])
    weights = drawn(4, np.random.default_rng(1))
    for name in ("auroc", "average_precision"):
        metric = METRICS[name]
        values = resampled(metric, reference, prediction, metric.parameters())(weights)
        expected = [own(metric, reference, prediction, row) for row in weights]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


def test_auroc_of_equal_orders_is_equal_to_the_last_bit() -> None:
    rng = np.random.default_rng(2)
    reference = (rng.random(90) < 0.3).astype(np.float64)
    prediction = rng.random(90).round(1)
    weights = drawn(90, rng, 500)
    metric = METRICS["auroc"]
    first, second = (
        resampled(metric, reference, each, metric.parameters())(weights) for each in (prediction, prediction**3 - 7)
    )
    assert (first[~np.isnan(first)] == second[~np.isnan(second)]).all()
    assert np.isnan(first).sum() == np.isnan(second).sum() < 500


def test_means_and_medians_of_case_values() -> None:
    rng = np.random.default_rng(3)
    for cases in (1, 2, 7, 30):
        values = rng.random(cases).round(1)
        weights = drawn(cases, rng)
        repeated = [np.repeat(values, row.astype(np.int64)) for row in weights]
        np.testing.assert_allclose(weighted_mean(values)(weights), [each.mean() for each in repeated], atol=1e-12)
        assert weighted_median(values)(weights).tolist() == [float(np.median(each)) for each in repeated]


@pytest.mark.parametrize("metric", COHORT, ids=lambda metric: metric.name)
def test_case_values_average_to_the_metric(metric: Metric) -> None:
    for reference, prediction in entries(metric, np.random.default_rng(4)):
        values = case_values(metric, reference, prediction)
        if values is None:
            assert metric.name not in ("mae", "brier_score")
        else:
            assert mean(values.tolist()) == pytest.approx(metric.resolve()(reference, prediction, metric.parameters()))
