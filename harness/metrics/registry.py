"""The metrics a spec can name.

To add one: write its function in a module beside this one, and add an entry here. No metric's module is imported
before it is asked for, so that reading a spec does not pay for NumPy and SciPy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from harness.errors import MetricError, nearest
from harness.metrics.parameters import MetricParameters, NsdParameters

MetricFunction = Callable[..., float | None]
"""``(reference, prediction, spacing_mm, parameters)`` for masks, ``(reference, prediction, parameters)`` for scalars;
None where the metric is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What the rest of the program has to know of a metric.

    Attributes
    ----------
    name
        What specs and files call it, and the name of its function.
    title
        What people read.
    direction
        Whether higher or lower values are better.
    scope
        ``case``: one value for each case, and their mean for the task. ``cohort``: one value from all cases of a task.
    reads
        ``mask``: two boolean volumes and a voxel size. ``scalar``: two arrays with one number for each case.
    module
        The module of ``harness.metrics`` that computes it.
    unit
        What people read behind the value; empty for a plain number.
    worst
        The worst value there can be; None where it depends on the cases or has no bound.
    parameters
        What a spec may set.
    classes
        Whether references must be of two classes, 0 and 1.
    undefined
        Why there can be no value, for people to read; empty where there always is one.
    """

    name: str
    title: str
    direction: Literal["higher", "lower"]
    scope: Literal["case", "cohort"]
    reads: Literal["mask", "scalar"]
    module: str
    unit: Literal["", "mm", "years"] = ""
    worst: float | None = None
    parameters: type[MetricParameters] = MetricParameters
    classes: bool = False
    undefined: str = ""

    def resolve(self) -> MetricFunction:
        """Import the metric's module and return its function."""
        return cast("MetricFunction", getattr(importlib.import_module(f"harness.metrics.{self.module}"), self.name))


METRICS: dict[str, Metric] = {
    "auroc": Metric(
        name="auroc",
        title="AUROC",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="classification",
        worst=0.0,
        classes=True,
        undefined="the references are of one class only",
    ),
    "average_precision": Metric(
        name="average_precision",
        title="Average precision",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="classification",
        worst=0.0,
        classes=True,
        undefined="the references are of one class only",
    ),
    "dice": Metric(
        name="dice",
        title="Dice",
        direction="higher",
        scope="case",
        reads="mask",
        module="overlap",
        worst=0.0,
    ),
    "nsd": Metric(
        name="nsd",
        title="NSD",
        direction="higher",
        scope="case",
        reads="mask",
        module="surface",
        worst=0.0,
        parameters=NsdParameters,
    ),
    "hd95_medpy": Metric(
        name="hd95_medpy",
        title="HD95 (MedPy)",
        direction="lower",
        scope="case",
        reads="mask",
        module="voxel_distance",
        unit="mm",
    ),
    "mae": Metric(
        name="mae",
        title="MAE",
        direction="lower",
        scope="cohort",
        reads="scalar",
        module="regression",
        unit="years",
    ),
    "root_mean_squared_error": Metric(
        name="root_mean_squared_error",
        title="RMSE",
        direction="lower",
        scope="cohort",
        reads="scalar",
        module="regression",
        unit="years",
    ),
    "pearson_r": Metric(
        name="pearson_r",
        title="Pearson r",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="regression",
        worst=-1.0,
        undefined="there are fewer than two cases, or the references or the predictions are constant",
    ),
}


def metric_named(name: str) -> Metric:
    """Look up a metric.

    Parameters
    ----------
    name
        What a spec calls it.

    Returns
    -------
    Metric
        Its entry.

    Raises
    ------
    MetricError
        There is no metric of that name.

    Examples
    --------
    >>> metric_named("nsd").title
    'NSD'
    >>> metric_named("nds")
    Traceback (most recent call last):
    harness.errors.MetricError: There is no metric 'nds'. Did you mean 'nsd'?
    """
    try:
        return METRICS[name]
    except KeyError:
        raise MetricError(f"There is no metric '{name}'.", remedy=nearest(name, METRICS)) from None
