"""What a missing prediction and an empty mask are worth: decided by the spec, nowhere else."""

from __future__ import annotations

import math

from harness.datasets.references import ReferenceMask
from harness.errors import SpecError
from harness.metrics.diagonal import diagonal_mm
from harness.metrics.metric import Metric
from harness.specs.task import EmptyMasks, MetricSpec, ScalarReference


def missing_case_value(spec: MetricSpec, metric: Metric, reference: ReferenceMask) -> float | None:
    """Return what a case without a valid prediction is worth, for a metric with a value per case.

    None where the spec leaves such a case out. The worst of a distance is the image's diagonal in mm.
    """
    if spec.missing == "omit":
        return None
    if spec.missing != "worst":
        return float(spec.missing)
    if metric.worst == "diagonal":
        return diagonal_mm(reference.grid.shape, reference.grid.spacing_mm)
    if metric.worst is None:
        raise SpecError(f"{metric.title} has no worst value.", remedy="Set missing to omit, or to a number.")
    return metric.worst


def imputed_prediction(spec: MetricSpec, metric: Metric, reference: float, task: ScalarReference) -> float | None:
    """Return the number that stands for a missing prediction, for a metric over all cases.

    None where the spec leaves such a case out. The worst is: ordered behind every other case of the opposite class (so
    that no score outside [0, 1] can hide it) where the order alone counts; else what lies farthest from the reference,
    which is the wrong one of two classes, or the far end of the plausible range.
    """
    if spec.missing == "omit":
        return None
    if spec.missing != "worst":
        return float(spec.missing)
    plausible = task.values or tuple(end for end in (task.minimum, task.maximum) if end is not None)
    if not plausible:
        raise SpecError("A reference has neither values nor a range.", remedy="Complete the task spec.")
    if metric.order_only:
        return -math.inf if reference == max(plausible) else math.inf
    return max(plausible, key=lambda value: abs(value - reference))


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
