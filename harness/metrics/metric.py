"""What the rest of the program has to know of a metric."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from harness.metrics.parameters import MetricParameters
from harness.specs.task import Direction

MetricFunction = Callable[..., float | None]
"""``(reference, prediction, spacing_mm, parameters)`` for masks, ``(reference, prediction, parameters)`` for scalars;
None where the metric is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric, as the registry lists it.

    Attributes
    ----------
    name
        What specs and files call it, and the name of its function.
    title
        What people read.
    direction
        Which values are better: ``higher``, ``lower``, or the closer to ``zero``; ``none`` for a metric that describes
        and cannot be ranked.
    scope
        ``case``: one value for each case, and their mean for the task. ``cohort``: one value from all cases of a task.
    reads
        ``mask``: two boolean volumes and a voxel size. ``scalar``: two arrays with one number for each case.
    module
        The module of ``harness.metrics`` that computes it.
    unit
        What people read behind the value; empty for a plain number.
    worst
        The worst value there can be; ``diagonal`` for a distance in mm, whose worst is the volume's diagonal; None
        where it depends on the cases or has no bound.
    parameters
        What a spec may set.
    classes
        Whether references must be of two classes, 0 and 1.
    order_only
        Whether only the order of the predictions counts: any number is a prediction, and a missing one comes behind
        all others, as an infinity.
    probability
        Whether predictions must be from 0 to 1.
    undefined
        Why there can be no value, for people to read; empty where there always is one.
    """

    name: str
    title: str
    direction: Direction
    scope: Literal["case", "cohort"]
    reads: Literal["mask", "scalar"]
    module: str
    unit: Literal["", "mm", "mL", "years"] = ""
    worst: float | Literal["diagonal"] | None = None
    parameters: type[MetricParameters] = MetricParameters
    classes: bool = False
    order_only: bool = False
    probability: bool = False
    undefined: str = ""

    def resolve(self) -> MetricFunction:
        """Import the metric's module and return its function."""
        return cast("MetricFunction", getattr(importlib.import_module(f"harness.metrics.{self.module}"), self.name))
