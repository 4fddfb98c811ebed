"""Every entry of the registry does what it says."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from harness.errors import MetricError
from harness.metrics.metric import Metric
from harness.metrics.parameters import MetricParameters, NsdParameters
from harness.metrics.registry import METRICS, metric_named

RANKED = {"auroc", "dice", "nsd", "mae", "pearson_r"}

each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def masks(quality: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two lesions, and a prediction of both; of one, with a false one beside; of neither, with two large false ones."""
    reference, prediction = np.zeros((2, 14, 14, 14), bool)
    reference[1:4, 1:4, 1:4] = reference[1:3, 1:3, 10:12] = True
    if quality == "perfect":
        return reference, reference.copy()
    if quality == "poor":
        prediction[2:5, 1:4, 1:4] = prediction[8, 8, 8] = True
    else:
        prediction[9:13, 1:5, 1:5] = prediction[9:13, 8:12, 8:12] = True
    return reference, prediction


def numbers(metric: Metric, quality: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two numbers of two cases each, and a prediction that is right, muddled, or the wrong way round."""
    reference = np.array([0.0, 0.0, 1.0, 1.0])
    worst = 1 - reference if metric.classes else 3 - 2 * reference
    return reference, {"perfect": reference, "poor": np.array([0.4, 0.7, 0.3, 0.8]), "worst": worst}[quality]


def value_of(metric: Metric, quality: str) -> float:
    """Score a perfect, a poor or the worst possible prediction."""
    if metric.reads == "mask":
        value = metric.resolve()(*masks(quality), (1.0, 1.0, 1.0), metric.parameters())
    else:
        value = metric.resolve()(*numbers(metric, quality), metric.parameters())
    assert isinstance(value, float)
    return value


@each_metric
def test_a_better_prediction_has_the_better_value(metric: Metric) -> None:
    perfect, poor, worst = (value_of(metric, quality) for quality in ("perfect", "poor", "worst"))

    if metric.direction == "higher":
        assert perfect > poor > worst
    elif metric.direction == "lower":
        assert perfect < poor < worst
    elif metric.direction == "zero":
        assert abs(perfect) < abs(poor) < abs(worst)
    else:
        assert metric.name in {"predicted_volume", "reference_volume"}  # they describe, and cannot be ranked


@each_metric
def test_no_value_is_worse_than_the_worst(metric: Metric) -> None:
    if metric.worst is None:
        assert metric.scope == "case" or metric.direction in {"lower", "zero"}  # volumes, counts and errors
    elif metric.worst == "diagonal":
        assert metric.unit == "mm"
        assert value_of(metric, "worst") < 14 * 3**0.5
    elif metric.name == "average_precision":
        assert value_of(metric, "worst") > metric.worst  # the bound is not reached while there are positives
    else:
        assert value_of(metric, "worst") == pytest.approx(metric.worst, abs=1e-12)


@each_metric
def test_no_order_of_the_cases_changes_a_bit(metric: Metric) -> None:
    if metric.scope == "case":
        return
    rng = np.random.default_rng(6)
    for _ in range(20):
        reference = rng.integers(0, 2, 40).astype(np.float64)
        prediction = rng.random(40).round(rng.integers(1, 17))
        order = rng.permutation(40)
        value = metric.resolve()(reference, prediction, metric.parameters())
        assert metric.resolve()(reference[order], prediction[order], metric.parameters()) == value


@each_metric
def test_the_function_takes_what_the_entry_says(metric: Metric) -> None:
    function = metric.resolve()
    expected = ["reference", "prediction", *(["spacing_mm"] if metric.reads == "mask" else []), "parameters"]

    assert list(inspect.signature(function).parameters) == expected
    assert inspect.signature(function).parameters["parameters"].annotation == metric.parameters.__name__
    assert (metric.scope, metric.reads) in {("case", "mask"), ("cohort", "scalar")}


@each_metric
def test_a_metric_without_a_value_says_why(metric: Metric) -> None:
    if metric.reads == "mask":
        empty = np.zeros((3, 3, 3), bool)
        values = [metric.resolve()(empty, empty, (1.0, 1.0, 1.0), metric.parameters())]
    else:
        values = [metric.resolve()(one, one, metric.parameters()) for one in (np.array([0.0]), np.array([1.0]))]

    assert (None in values) == bool(metric.undefined)


@each_metric
def test_infinite_predictions_are_for_metrics_of_order_alone(metric: Metric) -> None:
    if metric.reads == "mask":
        assert not metric.order_only
        return
    reference, prediction = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, np.inf, -np.inf])
    if metric.order_only:
        assert metric.resolve()(reference, prediction, metric.parameters()) is not None
    else:
        with pytest.raises(MetricError, match="NaN or infinite"):
            metric.resolve()(reference, prediction, metric.parameters())


@each_metric
def test_two_classes_are_required_where_the_entry_says_so(metric: Metric) -> None:
    if metric.reads == "mask":
        assert not metric.classes
        return
    shares = np.array([0.2, 0.4, 0.6])
    if metric.classes:
        with pytest.raises(MetricError, match="neither 0 nor 1"):
            metric.resolve()(shares, shares, metric.parameters())
    else:
        assert metric.resolve()(shares, shares, metric.parameters()) is not None


@each_metric
def test_parameters_refuse_what_they_do_not_know(metric: Metric) -> None:
    assert issubclass(metric.parameters, MetricParameters)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        metric.parameters.model_validate({"tolerance": 1.0})
    with pytest.raises(ValidationError, match="frozen"):
        metric.parameters().tolerance_mm = 2.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("tolerance", [0, -1.0, "1.0", True, None, float("nan"), float("inf")])
def test_a_tolerance_is_a_finite_number_above_zero(tolerance: object) -> None:
    with pytest.raises(ValidationError, match="tolerance_mm"):
        NsdParameters.model_validate({"tolerance_mm": tolerance})
    assert NsdParameters.model_validate({"tolerance_mm": 2}).tolerance_mm == 2.0
    assert NsdParameters().tolerance_mm == 1.0


def test_names_are_keys_and_titles_differ() -> None:
    assert [metric.name for metric in METRICS.values()] == list(METRICS)
    assert len({metric.title for metric in METRICS.values()}) == len(METRICS)
    assert METRICS.keys() >= RANKED


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(MetricError, match=r"There is no metric 'dise'.*'dice'"):
        metric_named("dise")
    with pytest.raises(MetricError, match=r"Known names: .*auroc.*pearson_r"):
        metric_named("xyzxyz")


def test_every_public_function_of_a_metric_module_is_registered() -> None:
    for module in {metric.module for metric in METRICS.values()}:
        namespace = vars(sys.modules.get(f"harness.metrics.{module}") or __import__(f"harness.metrics.{module}"))
        public = {
            name
            for name, member in namespace.items()
            if inspect.isfunction(member) and member.__module__.endswith(f".{module}") and not name.startswith("_")
        }
        assert public == {metric.name for metric in METRICS.values() if metric.module == module}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import harness.metrics.registry", {"numpy", "scipy", "sklearn", "medpy"}),
        (
            "from harness.metrics.registry import METRICS; [metric.resolve() for metric in METRICS.values()]",
            {"scipy", "sklearn", "medpy"},
        ),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement: str, absent: set[str]) -> None:
    program = f"{statement}; import sys; print(*sorted({absent!r} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed.strip() == ""
