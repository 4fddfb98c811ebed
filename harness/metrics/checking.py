"""Whether a task spec and the metrics that it names go together."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.errors import MetricError, SpecError, nearest
from harness.metrics.metric import Metric
from harness.metrics.registry import metric_named
from harness.specs import faults
from harness.specs.task import Direction, MetricSpec, ScalarOutput, ScalarReference, TaskSpec

BETTER: dict[Direction, str] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "zero": "closer to zero is better",
    "none": "no value is better than another",
}


def check_metrics(task: TaskSpec, file: Path | None = None) -> None:
    """Check every metric of a task.

    Parameters
    ----------
    task
        The task spec.
    file
        Where it was read, for messages; None for one that was not read from a file.

    Raises
    ------
    SpecError
        A metric is unknown, reads something else than the task's output, is given the wrong direction,
        parameters that it does not have, or a policy that it cannot follow.
    """
    for place, spec in enumerate(task.metrics):
        field = f"{file or task.name}: the field 'metrics[{place}]"
        try:
            metric = metric_named(spec.name)
        except MetricError as fault:
            raise SpecError(f"{field}.name' is '{spec.name}', which is no metric.", remedy=fault.remedy) from fault
        _check_fit(field, task, spec, metric)
        _check_parameters(field, spec, metric)


def _check_fit(field: str, task: TaskSpec, spec: MetricSpec, metric: Metric) -> None:
    if metric.reads != task.output.format:
        raise SpecError(
            f"{field}.name' is '{spec.name}', which reads a {metric.reads}, not a {task.output.format}.",
            remedy="Choose a metric for this kind of output.",
        )
    if metric.direction != spec.direction:
        raise SpecError(
            f"{field}.direction' is '{spec.direction}'.",
            remedy=f"For {metric.title}, {BETTER[metric.direction]}: write '{metric.direction}'.",
        )
    if spec.empty is not None and metric.reads != "mask":
        raise SpecError(f"{field}.empty' is set, but {metric.title} reads no masks.", remedy="Remove it.")
    if metric.classes and not (isinstance(task.reference, ScalarReference) and task.reference.values == (0, 1)):
        raise SpecError(
            f"{field}.name' is '{spec.name}', which needs references of two classes.",
            remedy="Set reference.values to [0, 1].",
        )
    if spec.missing == "worst" and metric.scope == "case" and metric.worst is None:
        raise SpecError(
            f"{field}.missing' is 'worst', and {metric.title} has no worst value.",
            remedy="Set missing to omit, or to a number." if not spec.ranked else "Set missing to a number.",
        )
    if metric.probability:
        _check_probability(field, task, spec, metric)


def _check_probability(field: str, task: TaskSpec, spec: MetricSpec, metric: Metric) -> None:
    output = task.output
    bounds = (output.minimum, output.maximum) if isinstance(output, ScalarOutput) else (None, None)
    if any(bound is None or not 0 <= bound <= 1 for bound in bounds):
        raise SpecError(
            f"{field}.name' is '{spec.name}', which needs predictions from 0 to 1.",
            remedy="Set output.minimum to 0 and output.maximum to 1.",
        )
    if isinstance(spec.missing, float) and not 0 <= spec.missing <= 1:
        raise SpecError(
            f"{field}.missing' is {spec.missing:g}, which {metric.title} cannot take for a prediction.",
            remedy="Set it to a number from 0 to 1, or to worst.",
        )


def _check_parameters(field: str, spec: MetricSpec, metric: Metric) -> None:
    try:
        metric.parameters.model_validate(spec.parameters)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        if first["type"] == "extra_forbidden":
            known = metric.parameters.model_fields
            remedy = nearest(name, known) if known else f"{metric.title} has no parameters."
            raise SpecError(f"{field}.parameters' has the unknown key '{name}'.", remedy=remedy) from fault
        shown, must_be = faults.shown(first["input"]), faults.requirement(first)
        raise SpecError(f"{field}.parameters.{name}' is {shown}; it {must_be}.") from fault
