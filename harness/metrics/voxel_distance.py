"""Metrics of two masks that measure between the centres of border voxels."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_masks, rounded_spacing
from harness.metrics.diagonal import diagonal_mm
from harness.metrics.parameters import MetricParameters
from harness.metrics.planes import bounding_box


def hd95_medpy(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of masks are called alike
) -> float:
    """95th percentile of the Hausdorff distance, as MedPy defines it.

    The distance from each border voxel of either mask to the nearest border voxel of the other; both directions are
    pooled before the percentile is taken. Other libraries take the larger of two directed percentiles, which can be
    many times as large: the name says which one this is.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z). What lies outside the volume is background.
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in mm. Both masks empty: 0. One empty: the diagonal of the volume
        (:func:`harness.metrics.diagonal.diagonal_mm`).

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape, or the voxel size is not positive.

    Notes
    -----
    ``medpy.metric.binary.hd95``, run on the box that bounds both masks. The box changes no bit of the value: the
    erosion that finds the border takes what is outside for background in either case, and the distance transform works
    on differences of positions to border voxels, all of which are in the box.

    Examples
    --------
    One voxel each, two voxels of 1.5 mm apart:

    >>> first, last = np.zeros((3, 4, 1), bool), np.zeros((3, 4, 1), bool)
    >>> first[0, 0, 0] = last[2, 0, 0] = True
    >>> hd95_medpy(first, last, (1.5, 1.0, 1.0), MetricParameters())
    3.0
    >>> hd95_medpy(first, first & ~first, (1.0, 1.0, 12.0), MetricParameters())
    13.0
    """
    return _by_medpy("hd95", reference, prediction, spacing_mm)


def assd_medpy(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Average symmetric surface distance, as MedPy defines it.

    The distance from each border voxel of either mask to the nearest border voxel of the other, averaged over the
    border voxels of both. :func:`harness.metrics.surface_distance.assd` weighs surface elements by their area instead.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z). What lies outside the volume is background.
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.
    parameters
        None to set.

    Returns
    -------
    float
        0 or above, in mm. Both masks empty: 0. One empty: the diagonal of the volume
        (:func:`harness.metrics.diagonal.diagonal_mm`).

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape, or the voxel size is not positive.

    Notes
    -----
    ``medpy.metric.binary.assd``, run on the box that bounds both masks, which changes no bit of the value: for the
    reasons given at :func:`hd95_medpy` the distances are the same, and they are added in the same order.

    Examples
    --------
    A voxel, and a bar of it and its neighbour 1.5 mm away: distances 0; 0 and 1.5.

    >>> voxel, bar = np.zeros((3, 4, 1), bool), np.zeros((3, 4, 1), bool)
    >>> voxel[0, 0, 0] = bar[0, 0, 0] = bar[1, 0, 0] = True
    >>> assd_medpy(voxel, bar, (1.5, 1.0, 1.0), MetricParameters())
    0.5
    """
    return _by_medpy("assd", reference, prediction, spacing_mm)


def _by_medpy(
    function: Literal["hd95", "assd"],
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> float:
    metric = f"{function}_medpy"
    check_masks(metric, reference, prediction)
    spacing = rounded_spacing(metric, spacing_mm)
    empty = not reference.any(), not prediction.any()
    if any(empty):
        return 0.0 if all(empty) else diagonal_mm(reference.shape, spacing)

    from medpy.metric import binary

    box = bounding_box(reference, prediction)
    return float(getattr(binary, function)(prediction[box], reference[box], voxelspacing=spacing))
