"""What one predicted mask is worth beside its reference, on every metric of its task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.datasets.references import ReferenceMask
from harness.metrics.averages import mean
from harness.metrics.registry import metric_named
from harness.scoring import policies
from harness.scoring.scores import CaseScore
from harness.specs.task import MetricSpec, TaskSpec

Region = NDArray[np.bool_]


def score_mask(
    task: TaskSpec, case: str, ending: str, reference: ReferenceMask, prediction: Mapping[str, Region] | None
) -> CaseScore:
    """Compute every metric of a case.

    Parameters
    ----------
    task
        Its spec.
    case, ending
        The case, and how its trial ended.
    reference
        The truth.
    prediction
        By structure where it is predicted, on the reference's grid; None for a prediction that is missing or invalid.

    Returns
    -------
    CaseScore
        With the mean over structures, where there are several, and each one's own value.
    """
    if prediction is None:
        costs = {
            spec.name: policies.missing_case_value(spec, metric_named(spec.name), reference) for spec in task.metrics
        }
        return CaseScore(
            case=case, ending=ending, values={name: value for name, value in costs.items() if value is not None}
        )
    by_structure = {
        name: {spec.name: _value(spec, region, prediction[name], reference.grid.spacing_mm) for spec in task.metrics}
        for name, region in reference.regions.items()
    }
    values = {spec.name: mean(each[spec.name] for each in by_structure.values()) for spec in task.metrics}
    return CaseScore(case=case, ending=ending, values=values, structures=by_structure if task.structures else {})


def _value(spec: MetricSpec, reference: Region, prediction: Region, spacing_mm: tuple[float, float, float]) -> float:
    decided = policies.empty_value(spec.empty, reference=bool(reference.any()), prediction=bool(prediction.any()))
    if decided is not None:
        return decided
    metric = metric_named(spec.name)
    value = metric.resolve()(reference, prediction, spacing_mm, metric.parameters.model_validate(spec.parameters))
    if value is None:
        raise TypeError(f"{metric.name} must have a value for every case")
    return value
