"""Metrics of two masks that measure how much they hold."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_masks, rounded_spacing
from harness.metrics.parameters import MetricParameters

MM3_PER_ML = 1000


def reference_volume(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of masks are called alike
) -> float:
    """Volume of the reference; it describes the case, and no prediction changes it.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in mL. Empty: 0.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape, or the voxel size is not positive.

    Examples
    --------
    Three voxels of 10 mm × 10 mm × 5 mm:

    >>> reference = np.array([True, True, True, False]).reshape(4, 1, 1)
    >>> reference_volume(reference, ~reference, (10.0, 10.0, 5.0), MetricParameters())
    1.5
    """
    check_masks("reference_volume", reference, prediction)
    return _millilitres("reference_volume", int(np.count_nonzero(reference)), spacing_mm)


def predicted_volume(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Volume of the prediction; it describes, and is neither better nor worse.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in mL. Empty: 0.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape, or the voxel size is not positive.

    Examples
    --------
    One voxel of 10 mm × 10 mm × 5 mm:

    >>> reference = np.array([True, True, True, False]).reshape(4, 1, 1)
    >>> predicted_volume(reference, ~reference, (10.0, 10.0, 5.0), MetricParameters())
    0.5
    """
    check_masks("predicted_volume", reference, prediction)
    return _millilitres("predicted_volume", int(np.count_nonzero(prediction)), spacing_mm)


def volume_error(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Absolute difference between the volumes of prediction and reference, wherever they lie.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in mL. Both masks empty: 0. One empty: the volume of the other.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape, or the voxel size is not positive.

    Examples
    --------
    Three voxels and one, of 10 mm × 10 mm × 5 mm:

    >>> reference = np.array([True, True, True, False]).reshape(4, 1, 1)
    >>> volume_error(reference, ~reference, (10.0, 10.0, 5.0), MetricParameters())
    1.0
    """
    check_masks("volume_error", reference, prediction)
    voxels = int(np.count_nonzero(prediction)) - int(np.count_nonzero(reference))
    return _millilitres("volume_error", abs(voxels), spacing_mm)


def _millilitres(metric: str, voxels: int, spacing_mm: tuple[float, float, float]) -> float:
    return voxels * math.prod(rounded_spacing(metric, spacing_mm)) / MM3_PER_ML
