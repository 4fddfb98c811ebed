"""What a missing prediction and an empty mask are worth: decided by the spec, nowhere else."""

from __future__ import annotations

import math

from harness.datasets.references import ReferenceMask
from harness.errors import SpecError
from harness.metrics.diagonal import diagonal_mm
from harness.metrics.registry import Metric
from harness.specs.task import EmptyMasks, MetricSpec, ScalarReference


def missing_case_value(spec: MetricSpec, metric: Metric, reference: ReferenceMask) -> float:
    """Return what a case without a valid prediction is worth, for a metric with a value per case.

    Where the worst value has no bound of its own (distances), it is the image's diagonal in mm.
    """
    if spec.missing != "worst":
        return float(spec.missing)
    if metric.worst is not None:
        return metric.worst
    return diagonal_mm(reference.grid.shape, reference.grid.spacing_mm)


def imputed_prediction(spec: MetricSpec, reference: float, task: ScalarReference) -> float:
    """Return the number that stands for a missing prediction, for a metric over all cases.

    The worst is: ordered behind every other case of the opposite class (so that no score outside [0, 1] can
    hide it) where references are classes, and the far end of the plausible range where they are not.
    """
    if spec.missing != "worst":
        return float(spec.missing)
    if task.values is not None:
        return -math.inf if reference == max(task.values) else math.inf
    if task.minimum is None or task.maximum is None:
        raise SpecError("A reference has neither values nor a range.", remedy="Complete the task spec.")
    return max((task.minimum, task.maximum), key=lambda end: abs(end - reference))


def empty_value(empty: EmptyMasks | None, *, reference: bool, prediction: bool) -> float | None:
    """Return what the spec says a case with empty masks is worth; None where the metric itself decides.

    Parameters
    ----------
    empty
        The spec's say.
    reference, prediction
        Whether each mask has foreground.
    """
    if empty is None or (reference and prediction):
        return None
    return empty.one if reference or prediction else empty.both
