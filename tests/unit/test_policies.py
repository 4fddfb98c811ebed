"""What missing predictions and empty masks are worth, by the spec's own words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.datasets.grids import Grid
from harness.datasets.references import ReferenceMask
from harness.metrics.registry import metric_named
from harness.scoring.policies import empty_value, imputed_prediction, missing_case_value
from harness.specs.task import EmptyMasks, MetricSpec, ScalarReference

REFERENCE = ReferenceMask({"": np.zeros((10, 20, 30), np.bool_)}, Grid((10, 20, 30), np.diag([2.0, 1.0, 0.5, 1.0])))


def metric(name: str, **more: Any) -> MetricSpec:
    return MetricSpec(name=name, direction=metric_named(name).direction, **more)


def test_the_worst_of_a_bounded_metric_is_its_bound_and_of_a_distance_the_diagonal() -> None:
    assert missing_case_value(metric("dice"), metric_named("dice"), REFERENCE) == 0
    far = missing_case_value(metric("hd95_medpy"), metric_named("hd95_medpy"), REFERENCE)
    assert far == pytest.approx(math.dist((0, 0, 0), (20, 20, 15)))


def test_a_number_of_the_spec_is_taken_as_it_stands() -> None:
    assert missing_case_value(metric("dice", missing=0.25), metric_named("dice"), REFERENCE) == 0.25
    assert missing_case_value(metric("hd95_medpy", missing=99), metric_named("hd95_medpy"), REFERENCE) == 99
    classes = ScalarReference(format="scalar", values=(0, 1))
    assert imputed_prediction(metric("auroc", missing=0.5), metric_named("auroc"), 1, classes) == 0.5


def test_the_worst_prediction_of_a_class_lies_behind_all_others() -> None:
    classes = ScalarReference(format="scalar", values=(0, 1))
    assert imputed_prediction(metric("auroc"), metric_named("auroc"), 1, classes) == -math.inf
    assert imputed_prediction(metric("auroc"), metric_named("auroc"), 0, classes) == math.inf


@pytest.mark.parametrize(("age", "far"), [(0, 100), (30, 100), (49.9, 100), (50.1, 0), (80, 0), (100, 0)])
def test_the_worst_prediction_of_an_age_is_the_far_end(age: float, far: float) -> None:
    ages = ScalarReference(format="scalar", minimum=0, maximum=100)
    assert imputed_prediction(metric("mae"), metric_named("mae"), age, ages) == far


def test_empty_masks_are_worth_what_the_spec_says_and_others_what_the_metric_says() -> None:
    empty = EmptyMasks(both=1, one=0.25)
    assert empty_value(empty, reference=False, prediction=False) == 1
    assert empty_value(empty, reference=True, prediction=False) == 0.25
    assert empty_value(empty, reference=False, prediction=True) == 0.25
    assert empty_value(empty, reference=True, prediction=True) is None
    assert empty_value(None, reference=False, prediction=False) is None


@pytest.mark.parametrize("name", ["brier_score", "calibration_error", "sensitivity", "specificity"])
def test_the_worst_probability_is_that_of_the_wrong_class(name: str) -> None:
    classes = ScalarReference(format="scalar", values=(0, 1))
    assert imputed_prediction(metric(name), metric_named(name), 1, classes) == 0
    assert imputed_prediction(metric(name), metric_named(name), 0, classes) == 1


def test_a_case_is_left_out_where_the_spec_says_so() -> None:
    ages = ScalarReference(format="scalar", minimum=0, maximum=100)
    omitted = metric("predicted_volume", ranked=False, missing="omit")
    assert missing_case_value(omitted, metric_named("predicted_volume"), REFERENCE) is None
    assert imputed_prediction(metric("bias", ranked=False, missing="omit"), metric_named("bias"), 50, ages) is None
