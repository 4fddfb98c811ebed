"""MAE, RMSE and Pearson's r beside exact arithmetic, and the mean they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.errors import MetricError
from harness.metrics.averages import mean
from harness.metrics.parameters import MetricParameters
from harness.metrics.regression import mae, pearson_r, root_mean_squared_error

Numbers = NDArray[np.float64]
ScalarMetric = Callable[[Numbers, Numbers, MetricParameters], float | None]

NONE = MetricParameters()
METRICS = [mae, root_mean_squared_error, pearson_r]

AGES = st.floats(-200, 200, allow_subnormal=False)
PAIRS = st.lists(st.tuples(AGES, AGES), min_size=1, max_size=40)


def arrays(pairs: list[tuple[float, float]]) -> tuple[Numbers, Numbers]:
    return np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])


def total(values: Iterable[Fraction]) -> Fraction:
    return sum(values, start=Fraction(0))


def root(value: Fraction) -> Decimal:
    with localcontext(prec=60):
        return (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()


def exact_pearson(x: Numbers, y: Numbers) -> float | None:
    """Pearson's r in rational arithmetic; None where a standard deviation is 1e-9 or less."""
    xs, ys = [Fraction(v) for v in x.tolist()], [Fraction(v) for v in y.tolist()]
    x_deviations = [v - total(xs) / len(xs) for v in xs]
    y_deviations = [v - total(ys) / len(ys) for v in ys]
    xx, yy = total(v * v for v in x_deviations), total(v * v for v in y_deviations)
    xy = total(v * w for v, w in zip(x_deviations, y_deviations, strict=True))
    if min(xx, yy) / len(xs) <= Fraction("1e-18"):
        return None
    return math.copysign(float(root(xy * xy / (xx * yy))), xy)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(PAIRS)
def test_pearson_is_exact_to_1e_12(pairs: list[tuple[float, float]]) -> None:
    x, y = arrays(pairs)
    value, expected = pearson_r(x, y, NONE), exact_pearson(x, y)

    assert (value is None) == (expected is None)
    if value is not None and expected is not None:
        assert abs(value - expected) <= 1e-12
        assert -1 <= value <= 1


@pytest.mark.parametrize("offset", [0.0, 50.0, 1e6, -1e9])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e5])
def test_pearson_is_exact_for_small_spreads_beside_large_means(offset: float, size: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = offset + size * rng.standard_normal(50)
        y = offset + 0.5 * (x - offset) + size * rng.standard_normal(50)
        value, expected = pearson_r(x, y, NONE), exact_pearson(x, y)
        assert value is not None
        assert expected is not None
        assert abs(value - expected) <= 1e-12


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e150, 1e300])
def test_pearson_survives_any_finite_scale(scale: float) -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    y = np.array([1.0, 3.0, 2.0, 4.0])

    # Deviations (-3, -1, 1, 3) / 2 and (-3, 1, -1, 3) / 2: 9 - 1 - 1 + 9 over 20.
    assert pearson_r(x, scale * y, NONE) == pytest.approx(0.8, abs=1e-12)
    assert pearson_r(x, -scale * y, NONE) == pytest.approx(-0.8, abs=1e-12)


def test_pearson_of_a_line_stays_in_range() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        x = rng.uniform(20, 90, rng.integers(2, 40))
        slope, shift = rng.uniform(0.1, 3), rng.uniform(-50, 50)
        assert pearson_r(x, slope * x + shift, NONE) == pytest.approx(1.0, abs=1e-12)
        assert abs(pearson_r(x, slope * x + shift, NONE) or 0) <= 1


def test_pearson_is_undefined_where_a_side_is_constant() -> None:
    ages = np.array([20.0, 40.0, 60.0, 80.0])
    signs = np.array([1.0, -1.0, 1.0, -1.0])

    assert pearson_r(ages, np.full(4, 54.2), NONE) is None
    assert pearson_r(np.full(4, 54.2), ages, NONE) is None
    assert pearson_r(ages, 54.2 + 1e-14 * signs, NONE) is None
    assert pearson_r(ages, 0.9e-9 * signs, NONE) is None
    assert pearson_r(ages, 1.1e-9 * signs, NONE) is not None
    assert pearson_r(ages[:1], ages[:1], NONE) is None


@settings(derandomize=True, deadline=None, max_examples=200)
@given(PAIRS)
def test_errors_are_the_exact_means(pairs: list[tuple[float, float]]) -> None:
    x, y = arrays(pairs)
    errors = [Fraction(b) - Fraction(a) for a, b in pairs]

    assert mae(x, y, NONE) == pytest.approx(float(total(map(abs, errors)) / len(errors)), rel=1e-14, abs=1e-300)
    expected = float(root(total(error * error for error in errors) / len(errors)))
    assert root_mean_squared_error(x, y, NONE) == pytest.approx(expected, rel=1e-14, abs=1e-300)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(PAIRS, st.randoms(use_true_random=False))
def test_no_order_of_the_cases_changes_a_bit(pairs: list[tuple[float, float]], random: Random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)

    for metric in METRICS:
        assert metric(*arrays(shuffled), NONE) == metric(*arrays(pairs), NONE)


def test_a_single_absurd_prediction_costs_a_finite_error() -> None:
    reference = np.full(3, 50.0)
    prediction = np.array([1.7e308, 1.7e308, 50.0])

    assert mae(reference, prediction, NONE) == pytest.approx(2 / 3 * 1.7e308)
    assert root_mean_squared_error(reference, prediction, NONE) == pytest.approx(math.sqrt(2 / 3) * 1.7e308)


def test_no_error_at_all() -> None:
    ages = np.array([20.5, 40.25, 61.125])

    assert mae(ages, ages, NONE) == 0.0
    assert root_mean_squared_error(ages, ages, NONE) == 0.0
    assert pearson_r(ages, ages, NONE) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("reference", "prediction", "part"),
    [
        ([50.0, 60.0], [50.0], "shape"),
        ([], [], "shape"),
        ([50.0, 60.0], [50.0, math.nan], r"1 prediction\(s\) and 0 reference\(s\)"),
        ([50.0, 60.0], [-math.inf, math.inf], r"2 prediction\(s\) and 0 reference\(s\)"),
        ([50.0, math.inf], [50.0, 60.0], r"0 prediction\(s\) and 1 reference\(s\)"),
    ],
)
def test_arguments_that_cannot_be_used(
    metric: ScalarMetric, reference: list[float], prediction: list[float], part: str
) -> None:
    with pytest.raises(MetricError, match=part):
        metric(np.array(reference), np.array(prediction), NONE)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["uint8", "float32", "bool", "object"])
def test_numbers_that_would_wrap_or_lose_digits_are_refused(metric: ScalarMetric, kind: str) -> None:
    ages = np.array([20.0, 60.0])  # as unsigned bytes, 20 - 60 is 216

    with pytest.raises(MetricError, match=f"the prediction has type {kind}"):
        metric(ages, ages.astype(kind), NONE)


def test_mean_rounds_once() -> None:
    assert mean([0.1] * 10) == 0.1
    assert mean([1e308, 1e308, 1e308]) == pytest.approx(1e308)
    assert mean([1.7e308, -1.7e308, 1.7e308, 1.7e308]) == 0.85e308


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf], [math.inf, -math.inf]])
def test_there_is_no_mean_of_nothing_or_of_the_infinite(values: list[float]) -> None:
    with pytest.raises(MetricError, match="There is no mean"):
        mean(values)
