"""Every entry of the registry does what it says."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from harness.errors import MetricError
from harness.metrics.parameters import MetricParameters, NsdParameters
from harness.metrics.registry import METRICS, Metric, metric_named

RANKED = {"auroc", "dice", "nsd", "mae", "pearson_r"}

each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def value_of(metric: Metric, quality: str) -> float:
    """Score a perfect, a poor or the worst possible prediction."""
    if metric.reads == "mask":
        reference = np.zeros((12, 12, 12), bool)
        reference[2:5, 2:5, 2:5] = True
        prediction = np.roll(reference, {"perfect": 0, "poor": 2, "worst": 7}[quality], axis=0)
        value = metric.resolve()(reference, prediction, (1.0, 1.0, 1.0), metric.parameters())
    else:
        numbers = np.array([0.0, 0.0, 1.0, 1.0])
        prediction = {"perfect": numbers, "poor": np.array([0.4, 0.6, 0.3, 0.7]), "worst": 1 - numbers}[quality]
        value = metric.resolve()(numbers, prediction, metric.parameters())
    assert isinstance(value, float)
    return value


@each_metric
def test_a_better_prediction_has_the_better_value(metric: Metric) -> None:
    perfect, poor, worst = (value_of(metric, quality) for quality in ("perfect", "poor", "worst"))

    if metric.direction == "higher":
        assert perfect > poor > worst
    else:
        assert perfect < poor < worst


@each_metric
def test_no_value_is_worse_than_the_worst(metric: Metric) -> None:
    if metric.worst is None:
        assert value_of(metric, "worst") > 0  # an error or a distance, which has no bound
    elif metric.name == "average_precision":
        assert value_of(metric, "worst") > metric.worst  # the bound is not reached while there are positives
    else:
        assert value_of(metric, "worst") == pytest.approx(metric.worst, abs=1e-12)


@each_metric
def test_the_function_takes_what_the_entry_says(metric: Metric) -> None:
    function = metric.resolve()
    expected = ["reference", "prediction", *(["spacing_mm"] if metric.reads == "mask" else []), "parameters"]

    assert list(inspect.signature(function).parameters) == expected
    assert inspect.signature(function).parameters["parameters"].annotation == metric.parameters.__name__
    assert (metric.scope, metric.reads) in {("case", "mask"), ("cohort", "scalar")}


@each_metric
def test_a_metric_without_a_value_says_why(metric: Metric) -> None:
    one_case = np.array([1.0])
    if metric.reads == "mask":
        empty = np.zeros((3, 3, 3), bool)
        value = metric.resolve()(empty, empty, (1.0, 1.0, 1.0), metric.parameters())
    else:
        value = metric.resolve()(one_case, one_case, metric.parameters())

    assert (value is None) == bool(metric.undefined)


@each_metric
def test_two_classes_are_required_where_the_entry_says_so(metric: Metric) -> None:
    if metric.reads == "mask":
        assert not metric.classes
        return
    ages = np.array([20.0, 40.0, 60.0])
    if metric.classes:
        with pytest.raises(MetricError, match="neither 0 nor 1"):
            metric.resolve()(ages, ages, metric.parameters())
    else:
        assert metric.resolve()(ages, ages, metric.parameters()) is not None


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
