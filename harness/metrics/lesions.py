"""Metrics of two masks that count lesions: groups of voxels that touch by a face, an edge or a corner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_masks
from harness.metrics.parameters import MetricParameters
from harness.metrics.planes import compact


def lesions_detected(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],  # noqa: ARG001 - metrics of masks are called alike
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Lesions of the reference that the prediction touches.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm; changes nothing.
    parameters
        None to set.

    Returns
    -------
    float
        How many lesions of the reference (26-connected) have at least one predicted voxel. Either mask empty: 0.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape.

    Examples
    --------
    The reference has two lesions; one of them has a predicted voxel.

    >>> reference = np.array([True, True, False, False, True, False]).reshape(6, 1, 1)
    >>> prediction = np.array([False, True, True, False, False, False]).reshape(6, 1, 1)
    >>> lesions_detected(reference, prediction, (1.0, 1.0, 1.0), MetricParameters())
    1.0
    """
    return float(_count_lesions("lesions_detected", reference, prediction).detected)


def lesions_missed(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],  # noqa: ARG001
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Lesions of the reference that the prediction does not touch.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm; changes nothing.
    parameters
        None to set.

    Returns
    -------
    float
        How many lesions of the reference (26-connected) have no predicted voxel. Reference empty: 0. Prediction empty:
        all lesions of the reference.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape.

    Examples
    --------
    >>> reference = np.array([True, True, False, False, True, False]).reshape(6, 1, 1)
    >>> prediction = np.array([False, True, True, False, False, False]).reshape(6, 1, 1)
    >>> lesions_missed(reference, prediction, (1.0, 1.0, 1.0), MetricParameters())
    1.0
    """
    return float(_count_lesions("lesions_missed", reference, prediction).missed)


def lesions_false(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],  # noqa: ARG001
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Predicted lesions that touch none of the reference.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm; changes nothing.
    parameters
        None to set.

    Returns
    -------
    float
        How many groups of predicted voxels (26-connected) have no voxel of the reference. Prediction empty: 0.
        Reference empty: all groups of the prediction.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape.

    Examples
    --------
    The first group touches the reference, the second does not; a voxel beside the reference does not touch it.

    >>> reference = np.array([True, False, False, False, True, False]).reshape(6, 1, 1)
    >>> prediction = np.array([True, True, False, False, False, True]).reshape(6, 1, 1)
    >>> lesions_false(reference, prediction, (1.0, 1.0, 1.0), MetricParameters())
    1.0
    """
    return float(_count_lesions("lesions_false", reference, prediction).false)


def lesion_f1(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],  # noqa: ARG001
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """F1 score of lesions: ``2 · detected / (2 · detected + missed + false)``.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z).
    spacing_mm
        Voxel size in mm; changes nothing.
    parameters
        None to set.

    Returns
    -------
    float
        From 0 (no lesion detected) to 1 (all detected, and none predicted elsewhere). Both masks empty: 1. One empty:
        0.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape.

    Notes
    -----
    The lesion-wise F1 score of Hernandez Petzsche MR et al., ISLES 2022: a multi-center magnetic resonance imaging
    stroke lesion segmentation dataset, Sci Data 9 (2022) 762: one voxel in common detects a lesion, voxels connect in
    26 directions, and lesions are counted on the reference where detected or missed, on the prediction where false.

    Examples
    --------
    One lesion detected, one missed, one false: 2 / (2 + 1 + 1).

    >>> reference = np.array([True, False, False, False, True, False, False]).reshape(7, 1, 1)
    >>> prediction = np.array([True, True, False, False, False, False, True]).reshape(7, 1, 1)
    >>> lesion_f1(reference, prediction, (1.0, 1.0, 1.0), MetricParameters())
    0.5
    """
    count = _count_lesions("lesion_f1", reference, prediction)
    if not any(count):
        return 1.0
    return 2 * count.detected / (2 * count.detected + count.missed + count.false)


class _LesionCount(NamedTuple):
    detected: int
    missed: int
    false: int


def _count_lesions(metric: str, reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> _LesionCount:
    check_masks(metric, reference, prediction)
    if not (reference.any() or prediction.any()):
        return _LesionCount(0, 0, 0)
    # One empty plane keeps apart what does not touch.
    masks = compact(reference, prediction, edge=(0, 0, 0), gap=(1, 1, 1))
    detected, missed = _touched(masks.reference, masks.prediction)
    _, false = _touched(masks.prediction, masks.reference)
    return _LesionCount(detected, missed, false)


def _touched(mask: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many lesions of a mask hold a voxel of the other, and how many hold none."""
    from scipy.ndimage import label

    lesions, count = label(mask, structure=np.ones((3, 3, 3)))
    touched = np.zeros(count + 1, bool)
    touched[lesions[other != 0]] = True
    found = int(np.count_nonzero(touched[1:]))  # the first is the background
    return found, count - found
