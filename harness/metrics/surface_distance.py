"""Metrics of two masks that ask how far each element of one surface is from the other.

The surface elements are those of :mod:`harness.metrics.surface`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_masks, rounded_spacing
from harness.metrics.diagonal import diagonal_mm
from harness.metrics.parameters import MetricParameters
from harness.metrics.planes import bounding_box
from harness.metrics.surface import _areas, _codes, _is_surface

PERCENTILE = 95
PAIRS_PER_VOXEL = 25
"""A tree looks, at worst, at each element of the other surface for each element of the one; a distance transform looks
at each voxel of the box once, which takes as long as this many pairs. Whichever is sooner done at worst is taken, so
that a prediction of everything cannot stall the scoring, and a few specks far away do not cost a whole volume."""
MEASURED_AT_ONCE = 1 << 22
"""Differences of positions take 24 bytes for each element: measure in pieces."""


def hd95(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001 - metrics of masks are called alike
) -> float:
    """95th percentile of the Hausdorff distance between two surfaces.

    The distance from each element of either surface to the nearest element of the other. In each direction, the least
    distance within which at least 95 % of the surface's area lies; of the two, the larger. Other libraries pool both
    directions or weigh each voxel alike: :func:`harness.metrics.voxel_distance.hd95_medpy` does both.

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
    ``compute_robust_hausdorff`` of google-deepmind/surface-distance at 95 percent. The order in which areas are added
    is taken from there too: where a step of the distances lies at 95 % of the area to the last bit, it decides.

    Examples
    --------
    The surface of one voxel is its eight corners, equal in area. Of two voxels side by side, four corners are shared,
    and the other four are 1.5 mm away:

    >>> reference, prediction = np.zeros((4, 1, 1), bool), np.zeros((4, 1, 1), bool)
    >>> reference[0] = prediction[1] = True
    >>> hd95(reference, prediction, (1.5, 1.0, 1.0), MetricParameters())
    1.5
    >>> hd95(reference, reference & ~reference, (3.0, 4.0, 3.0), MetricParameters())
    13.0
    """
    surfaces = _surfaces("hd95", reference, prediction, spacing_mm)
    return surfaces if isinstance(surfaces, float) else max(_percentile(each) for each in surfaces)


def assd(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: MetricParameters,  # noqa: ARG001
) -> float:
    """Average symmetric surface distance, each surface element weighing by its area.

    The distance from each element of either surface to the nearest element of the other, averaged over the area of
    both surfaces together: a small surface weighs less than a large one.

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
    ``compute_average_surface_distance`` of google-deepmind/surface-distance gives the two directed averages; this is
    their mean, weighted by the areas of the surfaces. Without the areas, it is the definition of Heimann T et al.,
    Comparison and evaluation of methods for liver segmentation from CT datasets, IEEE Trans Med Imaging 28 (2009)
    1251-1265.

    Examples
    --------
    Two voxels side by side: half of the area is at distance 0, the other half 1.5 mm away.

    >>> reference, prediction = np.zeros((4, 1, 1), bool), np.zeros((4, 1, 1), bool)
    >>> reference[0] = prediction[1] = True
    >>> assd(reference, prediction, (1.5, 1.0, 1.0), MetricParameters())
    0.75
    >>> assd(reference & ~reference, prediction, (3.0, 4.0, 3.0), MetricParameters())
    13.0
    """
    surfaces = _surfaces("assd", reference, prediction, spacing_mm)
    if isinstance(surfaces, float):
        return surfaces
    weighted = sum(float(np.sum(each.distances * each.areas)) for each in surfaces)
    return weighted / sum(float(np.sum(each.areas)) for each in surfaces)


class _Surface(NamedTuple):
    """The elements of one surface: how far the other is, in mm, and how large they are, in mm², shape (elements,)."""

    distances: NDArray[np.float64]
    areas: NDArray[np.float64]


def _surfaces(
    metric: str,
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> tuple[_Surface, _Surface] | float:
    """Measure both surfaces against each other; where a mask is empty, return what the metric is worth."""
    check_masks(metric, reference, prediction)
    spacing = rounded_spacing(metric, spacing_mm)
    empty = not reference.any(), not prediction.any()
    if any(empty):
        return 0.0 if all(empty) else diagonal_mm(reference.shape, spacing)
    box = bounding_box(reference, prediction)
    codes = [_codes(np.pad(mask[box].view(np.uint8), 1)) for mask in (reference, prediction)]
    of_reference, of_prediction = (_is_surface(each) for each in codes)
    areas = _areas(spacing)
    return (
        _Surface(_nearest(of_reference, of_prediction, spacing), areas[codes[0][of_reference]]),
        _Surface(_nearest(of_prediction, of_reference, spacing), areas[codes[1][of_prediction]]),
    )


def _percentile(surface: _Surface) -> float:
    order = np.lexsort((surface.areas, surface.distances))
    areas = surface.areas[order]
    place = int(np.searchsorted(np.cumsum(areas) / np.sum(areas), PERCENTILE / 100))
    return float(surface.distances[order[min(place, order.size - 1)]])


def _nearest(
    surface: NDArray[np.bool_], other: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the distance from each element of a surface to the nearest of the other, in mm, shape (elements,).

    Both surfaces are volumes of one shape. Which element is the nearest may be decided by a rounded distance; the
    distance that is returned comes from the whole numbers of voxels between the two.
    """
    elements = np.flatnonzero(surface)
    apart = np.flatnonzero(~other.reshape(-1)[elements])  # the others are 0 mm away
    distances = np.zeros(elements.size)
    if not apart.size:
        return distances
    pairs = apart.size * int(np.count_nonzero(other))
    search = _by_tree if pairs <= PAIRS_PER_VOXEL * other.size else _by_transform
    distances[apart] = search(elements[apart], other, spacing)
    return distances


def _by_tree(
    elements: NDArray[np.intp], other: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    from scipy.spatial import cKDTree

    positions, targets = np.stack(np.unravel_index(elements, other.shape), axis=1), np.argwhere(other)
    found = cKDTree(targets * np.array(spacing)).query(positions * np.array(spacing))[1]
    return _lengths(positions - targets[found], spacing)


def _by_transform(
    elements: NDArray[np.intp], other: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    from scipy.ndimage import distance_transform_edt

    # The positions alone: of the distances that SciPy would return, those inside a surface are not asked for.
    found = distance_transform_edt(~other, sampling=spacing, return_distances=False, return_indices=True)
    nearest = found.reshape(3, -1)
    distances = np.empty(elements.size)
    for start in range(0, elements.size, MEASURED_AT_ONCE):
        piece = elements[start : start + MEASURED_AT_ONCE]
        steps = np.stack(np.unravel_index(piece, other.shape), axis=1) - nearest[:, piece].T
        distances[start : start + MEASURED_AT_ONCE] = _lengths(steps, spacing)
    return distances


def _lengths(steps: NDArray[np.intp], spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the lengths in mm of differences of positions, shape (elements, 3), as SciPy's transform rounds them."""
    legs = steps * np.array(spacing)
    return np.asarray(np.sqrt(np.add.reduce((legs * legs).T, axis=0)))
