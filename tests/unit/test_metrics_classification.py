"""AUROC and average precision beside rational arithmetic over all pairs and thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.errors import MetricError
from harness.metrics.classification import auroc, average_precision
from harness.metrics.parameters import MetricParameters

Numbers = NDArray[np.float64]
ScalarMetric = Callable[[Numbers, Numbers, MetricParameters], float | None]

NONE = MetricParameters()

# Few values, so that most draws hold ties; a missing prediction comes as an infinity.
CASES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([-math.inf, 0.0, 0.1, 0.3, 0.5, 0.7, 1.0, math.inf])),
    min_size=1,
    max_size=30,
)


def arrays(cases: list[tuple[bool, float]]) -> tuple[Numbers, Numbers]:
    return np.array([float(positive) for positive, _ in cases]), np.array([prediction for _, prediction in cases])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(CASES)
def test_auroc_is_the_rational_number_rounded_once(cases: list[tuple[bool, float]]) -> None:
    positives = [prediction for positive, prediction in cases if positive]
    negatives = [prediction for positive, prediction in cases if not positive]
    value = auroc(*arrays(cases), NONE)

    if not positives or not negatives:
        assert value is None
        return
    won = sum(Fraction(int(p > n) * 2 + int(p == n), 2) for p in positives for n in negatives)
    assert value == float(won / (len(positives) * len(negatives)))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(CASES)
def test_average_precision_is_the_sum_over_thresholds(cases: list[tuple[bool, float]]) -> None:
    positives = sum(positive for positive, _ in cases)
    value = average_precision(*arrays(cases), NONE)

    if positives in (0, len(cases)):
        assert value is None
        return
    expected, found_before = Fraction(0), 0
    for threshold in sorted({prediction for _, prediction in cases}, reverse=True):
        above = [positive for positive, prediction in cases if prediction >= threshold]
        expected += Fraction(sum(above) - found_before, positives) * Fraction(sum(above), len(above))
        found_before = sum(above)
    assert value == pytest.approx(float(expected), abs=1e-12)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(CASES)
def test_auroc_of_the_opposite_is_the_rest(cases: list[tuple[bool, float]]) -> None:
    reference, prediction = arrays(cases)
    value, opposite = auroc(reference, prediction, NONE), auroc(reference, -prediction, NONE)

    assert (value is None) == (opposite is None)
    if value is not None and opposite is not None:
        assert value + opposite == pytest.approx(1.0, abs=1e-15)


def test_auroc_by_hand() -> None:
    reference = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    prediction = np.array([0.9, 0.5, 0.2, 0.5, 0.1])

    # 0.9 beats both; 0.5 ties with one and beats the other; 0.2 beats one: 2 + 1.5 + 1 of 6.
    assert auroc(reference, prediction, NONE) == 4.5 / 6


@pytest.mark.parametrize("metric", [auroc, average_precision])
def test_a_missing_positive_is_the_worst_there_can_be(metric: ScalarMetric) -> None:
    # A number below zero, which another case may hold, must not come after the missing one.
    reference = np.array([1.0, 1.0, 0.0, 0.0])
    missing = metric(reference, np.array([-math.inf, 0.9, -5.0, 0.1]), NONE)
    last = metric(reference, np.array([-6.0, 0.9, -5.0, 0.1]), NONE)

    assert missing == last


@pytest.mark.parametrize("metric", [auroc, average_precision])
@pytest.mark.parametrize(
    ("reference", "prediction", "part"),
    [
        ([0.0, 1.0], [0.5], "shape"),
        ([], [], "shape"),
        ([[0.0, 1.0]], [[0.5, 0.5]], "shape"),
        ([0.0, 1.0], [0.5, math.nan], r"1 prediction\(s\) and 0 reference\(s\)"),
        ([0.0, math.nan], [0.5, 0.5], r"0 prediction\(s\) and 1 reference\(s\)"),
        ([0.0, 2.0], [0.5, 0.5], "neither 0 nor 1"),
        ([0.0, 0.5], [0.5, 0.5], "neither 0 nor 1"),
    ],
)
def test_arguments_that_cannot_be_used(
    metric: ScalarMetric, reference: list[float], prediction: list[float], part: str
) -> None:
    with pytest.raises(MetricError, match=f"{metric.__name__}: .*{part}"):
        metric(np.array(reference), np.array(prediction), NONE)
