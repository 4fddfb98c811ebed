"""What a metric of one entry is computed from: its cases' values, or its predictions beside the references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.metrics.averages import mean
from harness.metrics.metric import Metric
from harness.metrics.registry import metric_named
from harness.metrics.resampled import Resampled, case_values, resampled, weighted_mean, weighted_median
from harness.scoring import policies
from harness.scoring.scores import PENDING, CaseScore, EntryScore
from harness.specs.challenge import Average
from harness.specs.task import MetricSpec, ScalarReference, TaskSpec

Array = NDArray[np.float64]
NO_CASE_LEFT = "no case has a valid prediction, and cases without one are left out"


class EvidenceKey(NamedTuple):
    """Whose evidence, and for what."""

    track: str
    team: str
    task: str
    metric: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """One metric of one entry, case by case.

    Attributes
    ----------
    spec, metric
        The metric as the task has it, and its entry in the registry.
    reference
        Shape (cases,), for metrics over all cases; None for metrics with a value per case.
    values
        Predictions, or values per case, shape (cases,). What is missing stands as the spec says it counts. NaN is a
        case that does not count: it has not run yet, or the spec leaves it out of this metric.
    """

    spec: MetricSpec
    metric: Metric
    reference: Array | None
    values: Array

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which cases count."""
        return ~np.isnan(self.values)

    @property
    def undefined(self) -> str:
        """Why there is no value, where there is none."""
        return self.metric.undefined if self.counted.any() else NO_CASE_LEFT

    def value(self, average: Average) -> float | None:
        """Compute the metric; None where it is undefined."""
        values, reference = self._counted()
        if not values.size:
            return None
        if reference is None:
            return mean(values.tolist()) if average == "mean" else float(np.median(values))
        return self.metric.resolve()(reference, values, self.metric.parameters.model_validate(self.spec.parameters))

    def resampled(self, average: Average) -> Resampled:
        """Prepare the metric over resamples, weights of shape (draws, cases)."""
        counted = self.counted
        values, reference = self._counted()
        if not values.size:
            return lambda weights: np.full(len(weights), np.nan)
        if reference is None:
            over = weighted_mean(values) if average == "mean" else weighted_median(values)
        else:
            parameters = self.metric.parameters.model_validate(self.spec.parameters)
            over = resampled(self.metric, reference, values, parameters)
        return over if counted.all() else lambda weights: _where_any(over, weights[:, counted])

    def case_values(self) -> Array | None:
        """Return what each case is worth, shape (cases,); None where only all of them together have a value."""
        return self.values if self.reference is None else case_values(self.metric, self.reference, self.values)

    def _counted(self) -> tuple[Array, Array | None]:
        counted = self.counted
        return self.values[counted], None if self.reference is None else self.reference[counted]


def collect(
    tasks: Sequence[TaskSpec], entries: Sequence[EntryScore], references: Mapping[str, Mapping[str, float]]
) -> dict[EvidenceKey, Evidence]:
    """Collect the evidence of every metric of every entry, ordered by entry.

    Parameters
    ----------
    tasks
        Their specs.
    entries
        What they reached, case by case.
    references
        By task and case, for tasks whose references are numbers.
    """
    specs = {task.name: task for task in tasks}
    return {
        EvidenceKey(entry.track, entry.team, entry.task, spec.name): evidence(
            spec, specs[entry.task], entry.case_scores, references.get(entry.task, {})
        )
        for entry in sorted(entries, key=lambda entry: (entry.track, entry.team, entry.task))
        for spec in specs[entry.task].metrics
    }


def evidence(spec: MetricSpec, task: TaskSpec, cases: Sequence[CaseScore], references: Mapping[str, float]) -> Evidence:
    """Collect what a metric is computed from, over all cases by id.

    Parameters
    ----------
    spec
        The metric.
    task
        Its task.
    cases
        One entry's cases.
    references
        By case, for tasks whose references are numbers.
    """
    metric = metric_named(spec.name)
    cases = sorted(cases, key=lambda case: case.case)
    if metric.scope == "case":
        return Evidence(spec, metric, None, np.array([case.values.get(spec.name, np.nan) for case in cases]))
    truths = [references[case.case] for case in cases]
    predictions = [_counting(case, truth, spec, task) for case, truth in zip(cases, truths, strict=True)]
    return Evidence(spec, metric, np.array(truths, dtype=np.float64), np.array(predictions, dtype=np.float64))


def _counting(case: CaseScore, truth: float, spec: MetricSpec, task: TaskSpec) -> float:
    if not isinstance(task.reference, ScalarReference):
        raise TypeError(f"{spec.name} needs one number per case")
    if case.ending == PENDING:
        return np.nan
    if case.prediction is not None:
        return case.prediction
    imputed = policies.imputed_prediction(spec, metric_named(spec.name), truth, task.reference)
    return np.nan if imputed is None else imputed


def _where_any(over: Resampled, weights: Array) -> Array:
    """Leave a draw without a value in which no case that counts was drawn."""
    some = weights.any(axis=1)
    values = np.full(some.size, np.nan)
    if some.any():
        values[some] = over(weights[some])
    return values
