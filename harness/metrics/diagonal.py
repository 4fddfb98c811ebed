"""The worst distance in a volume, for metrics of distance that have no worst value of their own."""

from __future__ import annotations

import math

from harness.metrics.arguments import rounded_spacing


def diagonal_mm(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> float:
    """Return the diagonal of a volume, which is farther than any two of its voxels are apart.

    An empty mask and a missing one are both worth this much: neither may be better than the other, or than any mask
    that is not empty.

    Parameters
    ----------
    shape
        Voxels along x, y and z.
    spacing_mm
        Voxel size in mm, rounded here to 5 decimals.

    Returns
    -------
    float
        From the first voxel's outer corner to the last one's, in mm.

    Raises
    ------
    MetricError
        The voxel size is not positive.

    Examples
    --------
    3, 4 and 12 mm:

    >>> diagonal_mm((3, 4, 1), (1.0, 1.0, 12.0))
    13.0
    """
    spacing = rounded_spacing("diagonal", spacing_mm)
    return math.hypot(*(count * size for count, size in zip(shape, spacing, strict=True)))
