"""What a spec may set for a metric: one frozen class for each set of parameters."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class MetricParameters(BaseModel):
    """Parameters of a metric that has none; the base of those that have some."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NsdParameters(MetricParameters):
    """Parameters of the normalised surface distance."""

    tolerance_mm: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Distance in mm up to which two surfaces count as the same."""


class CalibrationParameters(MetricParameters):
    """Parameters of the calibration error."""

    bins: Annotated[int, Field(ge=1, le=1000)] = 10
    """Equal parts of the range from 0 to 1 within which predictions are pooled."""


class ThresholdParameters(MetricParameters):
    """Parameters of metrics that turn a probability into a decision."""

    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5
    """The least prediction that counts as positive."""
