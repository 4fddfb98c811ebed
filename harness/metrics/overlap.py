"""Metrics of two masks that count voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_masks
from harness.metrics.parameters import MetricParameters
from harness.metrics.planes import axes_in_memory

VOXELS_AT_ONCE = 1 << 18


def dice(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],  # noqa: ARG001 - metrics of masks are called alike
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Dice coefficient: twice the common voxels over the voxels of both masks.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm; changes nothing, as it cancels.
    parameters
        None to set.

    Returns
    -------
    float
        From 0 (no voxel in common) to 1 (the same mask). Both masks empty: 1. One empty: 0.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape.

    Notes
    -----
    Dice LR, Measures of the amount of ecologic association between species, Ecology 26 (1945) 297-302. What two empty
    masks are worth is left open there; 1 rewards a team for finding nothing where nothing is.

    Examples
    --------
    Three voxels and two, one in common: 2 · 1 / (3 + 2).

    >>> reference = np.array([True, True, True, False]).reshape(4, 1, 1)
    >>> prediction = np.array([False, False, True, True]).reshape(4, 1, 1)
    >>> dice(reference, prediction, (1.0, 1.0, 1.0), MetricParameters())
    0.4
    >>> dice(~reference & reference, ~reference & reference, (1.0, 1.0, 1.0), MetricParameters())
    1.0
    """
    check_masks("dice", reference, prediction)
    both = int(np.count_nonzero(reference)) + int(np.count_nonzero(prediction))
    return 2 * _common(reference, prediction) / both if both else 1.0


def _common(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> int:
    """Count common voxels a few planes at a time, as a third volume in memory costs more than counting."""
    axes = axes_in_memory(reference)
    one, other = reference.transpose(axes), prediction.transpose(axes)
    planes = max(1, VOXELS_AT_ONCE // one[0].size)
    starts = range(0, len(one), planes)
    return sum(int(np.count_nonzero(one[at : at + planes] & other[at : at + planes])) for at in starts)
