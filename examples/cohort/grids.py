"""Voxel grids in world space, and smooth random fields on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Grid:
    """An axis-aligned RAS grid.

    Attributes
    ----------
    origin
        World position of the first voxel's centre, mm.
    spacing
        Voxel edges, mm.
    shape
        Number of voxels along each axis.
    """

    origin: tuple[float, float, float]
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]

    @classmethod
    def covering(
        cls,
        spacing: tuple[float, float, float],
        low: tuple[float, float, float],
        high: tuple[float, float, float],
    ) -> "Grid":
        """Return the grid of the given spacing (mm) that covers the box from ``low`` to ``high`` (mm)."""
        counts = [int(np.ceil((b - a) / step)) + 1 for a, b, step in zip(low, high, spacing, strict=True)]
        return cls(low, spacing, (counts[0], counts[1], counts[2]))

    @property
    def affine(self) -> NDArray[np.float64]:
        """Voxel-to-world matrix, shape (4, 4), mm."""
        matrix = np.diag([*self.spacing, 1.0])
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, mL."""
        return float(np.prod(self.spacing)) / 1000.0

    def axes(self) -> tuple[Array, Array, Array]:
        """Return world positions (mm) of the voxel centres along each axis."""
        x, y, z = (
            np.arange(count, dtype=np.float32) * np.float32(step) + np.float32(start)
            for start, step, count in zip(self.origin, self.spacing, self.shape, strict=True)
        )
        return x, y, z

    def points(self) -> Array:
        """Return world positions (mm) of all voxel centres, shape (3, nx, ny, nz)."""
        return np.stack(np.meshgrid(*self.axes(), indexing="ij"))


def bspline_matrix(positions: Array, knots: Array) -> Array:
    """Return cubic B-spline weights, shape (positions, knots), of evenly spaced knots along one axis (both in mm)."""
    distance = np.abs(positions[:, None] - knots[None, :]) / (knots[1] - knots[0])
    near = (4 - 6 * distance**2 + 3 * distance**3) / 6
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.asarray(np.where(distance < 1, near, far), dtype=np.float32)


def upsample(coefficients: Array, grid: Grid, knots: tuple[Array, Array, Array]) -> Array:
    """Evaluate a cubic B-spline on a grid.

    Parameters
    ----------
    coefficients
        One per knot, shape (k0, k1, k2).
    grid
        Where to evaluate it.
    knots
        World positions (mm) of the knots along each axis, at least one beyond either end of the grid.

    Returns
    -------
    Array
        Shape ``grid.shape``.
    """
    first, second, third = (bspline_matrix(axis, knot) for axis, knot in zip(grid.axes(), knots, strict=True))
    # Last axis first: every product is of contiguous matrices, and only the last one is large.
    partial = second @ (coefficients @ third.T)
    flat = first @ partial.reshape(partial.shape[0], -1)
    return np.asarray(flat.reshape(grid.shape), dtype=np.float32)


def smooth_noise(rng: np.random.Generator, grid: Grid, length_mm: float) -> Array:
    """Draw a smooth Gaussian field on a grid.

    Parameters
    ----------
    rng
        Source of randomness.
    grid
        Where the field is evaluated.
    length_mm
        Distance between the control points, mm: about the size of the field's bumps.

    Returns
    -------
    Array
        Shape ``grid.shape``, mean about 0 and standard deviation about 1.
    """
    x, y, z = (
        np.arange(axis[0] - length_mm, axis[-1] + 2 * length_mm, length_mm, dtype=np.float32) for axis in grid.axes()
    )
    control = rng.standard_normal((x.size, y.size, z.size), dtype=np.float32)
    # A cubic B-spline with unit normal coefficients has a variance of 151/315 for each axis.
    return upsample(control, grid, (x, y, z)) * np.float32((315 / 151) ** 1.5)
