"""Metrics of two masks that measure between their surfaces.

A surface is made of elements, one at each corner of the voxel grid that touches both foreground and background. Which
of the eight voxels around a corner are foreground is its code, 1 to 254; the code and the voxel size give the area.
"""

from __future__ import annotations

import functools
import itertools
import math
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.metrics.arguments import check_masks, rounded_spacing
from harness.metrics.parameters import NsdParameters
from harness.metrics.planes import slabs

CODES = 256
MOST_OFFSETS = 4_000
"""Up to this many offsets are tried one by one; a tolerance of more voxels takes a distance transform, which is slower
and needs about forty bytes for each voxel, however large the tolerance is."""
VOXELS_AT_ONCE = 1 << 21
"""Few enough for all that is made of them to stay near the processor, and for noise not to fill the memory."""


def nsd(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    parameters: NsdParameters,
) -> float:
    """Normalised surface distance, or surface Dice at a tolerance.

    The area of both surfaces that lies within the tolerance of the other surface, over the area of both surfaces.

    Parameters
    ----------
    reference, prediction
        Masks, shape (x, y, z). What lies outside the volume is background.
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.
    parameters
        ``tolerance_mm``, the distance in mm up to which (inclusive) two surfaces count as the same.

    Returns
    -------
    float
        From 0 (nowhere within the tolerance) to 1. Both masks empty: 1. One empty: 0.

    Raises
    ------
    MetricError
        The masks are not boolean volumes of one shape, or the voxel size is not positive.

    Notes
    -----
    Nikolov S et al., Clinically applicable segmentation of head and neck anatomy for radiotherapy, J Med Internet Res
    23 (2021) e26151, with the surface elements of google-deepmind/surface-distance, whose values these are to 1e-12.

    Examples
    --------
    The surface of one voxel is its eight corners, equal in area. Two voxels side by side share four of them, and the
    other four are 1 mm away.

    >>> reference, prediction = np.zeros((4, 1, 1), bool), np.zeros((4, 1, 1), bool)
    >>> reference[0] = prediction[1] = True
    >>> nsd(reference, prediction, (1.0, 1.0, 1.0), NsdParameters(tolerance_mm=0.9))
    0.5
    >>> nsd(reference, prediction, (1.0, 1.0, 1.0), NsdParameters(tolerance_mm=1.0))
    1.0
    """
    check_masks("nsd", reference, prediction)
    spacing = rounded_spacing("nsd", spacing_mm)
    empty = not reference.any(), not prediction.any()
    if any(empty):
        return float(all(empty))

    search = _search(reference.shape, spacing, parameters.tolerance_mm)
    total, within = np.zeros(CODES, np.int64), np.zeros(CODES, np.int64)
    for slab in slabs(reference, prediction, edge=search.edge, gap=search.gap, voxels=VOXELS_AT_ONCE):
        codes = _codes(slab.reference), _codes(slab.prediction)
        surfaces = _is_surface(codes[0]), _is_surface(codes[1])
        for own, surface, other in zip(codes, surfaces, surfaces[::-1], strict=True):
            near = search.within(other)[slab.own] & surface[slab.own]
            total += _count(own[slab.own][surface[slab.own]])
            within += _count(own[slab.own][near])
    areas = _areas(spacing)
    return math.fsum(within * areas) / math.fsum(total * areas)


class _Search(NamedTuple):
    """How to find what lies within a tolerance of a surface, and the empty planes that this needs."""

    spacing_mm: tuple[float, float, float]
    tolerance_mm: float
    offsets: NDArray[np.intp] | None
    edge: tuple[int, ...]
    gap: tuple[int, ...]

    def within(self, surface: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the corners within the tolerance of a surface, both of shape (x', y', z').

        Corners closer to the border than ``edge`` may be left out: there is no surface there.
        """
        if not surface.any():
            return np.zeros_like(surface)
        if self.offsets is None:
            from scipy.ndimage import distance_transform_edt

            return np.asarray(distance_transform_edt(~surface, sampling=self.spacing_mm) <= self.tolerance_mm)
        # Shifting the flat array is shifting the volume, as ``edge`` keeps surfaces off the border.
        steps = self.offsets @ np.array(surface.strides)
        farthest = int(np.abs(steps).max())
        found = np.zeros_like(surface)
        source, near = surface.ravel(order="K"), found.ravel(order="K")
        inner = near[farthest : near.size - farthest]
        for step in steps.tolist():
            inner |= source[farthest + step : source.size - farthest + step]
        return found


def _search(shape: tuple[int, ...], spacing: tuple[float, float, float], tolerance: float) -> _Search:
    """Choose between trying each offset and a distance transform.

    The offsets are those within the tolerance, by the very arithmetic of SciPy's distance transform: where a distance
    equals the tolerance, both must agree on which side a rounding error lands.
    """
    # One step more than fits, and never more than the volume is wide.
    reach = tuple(math.floor(min(tolerance / size, count)) + 1 for size, count in zip(spacing, shape, strict=True))
    gap = tuple(steps + 1 for steps in reach)
    if math.prod(2 * steps + 1 for steps in reach) > MOST_OFFSETS:
        return _Search(spacing, tolerance, None, edge=(1, 1, 1), gap=gap)
    candidates = np.array(list(itertools.product(*(range(-steps, steps + 1) for steps in reach))))
    legs = candidates.astype(np.float64) * spacing
    distances = np.sqrt(np.add.reduce((legs * legs).T, axis=0))
    return _Search(spacing, tolerance, candidates[distances <= tolerance], edge=gap, gap=gap)


def _codes(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the code of each inner corner, shape one less than the mask's on each axis.

    The voxel before the corner on all axes has weight 128, the one after it on all axes 1; being after the corner
    instead of before it divides by 16 on x, by 4 on y and by 2 on z. One axis at a time, this takes three sums
    instead of eight.
    """
    along_z = 2 * mask[:, :, :-1] + mask[:, :, 1:]
    along_yz = 4 * along_z[:, :-1] + along_z[:, 1:]
    return np.asarray(16 * along_yz[:-1] + along_yz[1:])


def _is_surface(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which corners touch both foreground and background."""
    return np.asarray((codes != 0) & (codes != CODES - 1))


def _count(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each code occurs, shape (256,)."""
    return np.bincount(codes, minlength=CODES)


@functools.lru_cache(maxsize=64)
def _areas(spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the area in mm² of the surface element of each code, shape (256,)."""
    x, y, z = spacing
    triangles = _normals() * np.array([y * z, x * z, x * y])
    areas = np.asarray(np.sqrt((triangles**2).sum(axis=2)).sum(axis=1))
    areas.flags.writeable = False
    return areas


@functools.cache
def _normals() -> NDArray[np.float64]:
    """Return the normals of each code's triangles, as long as the triangle is large, shape (256, 4, 3)."""
    with resources.files("harness.metrics").joinpath("surface_elements.csv").open(encoding="utf-8") as table:
        eighths = np.loadtxt(table, delimiter=",", comments="#")
    return np.asarray(eighths.reshape(CODES, 4, 3) / 8)
