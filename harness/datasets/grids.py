"""Voxel grids: where an array's voxels lie in the scanner's millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLOSE_IN_VOXELS = 0.02
"""Two grids are the same when no corner of theirs is farther apart than this share of the smallest voxel side."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A three-dimensional voxel grid.

    Attributes
    ----------
    shape
        Number of voxels along each axis.
    affine
        4 × 4, voxel indices to millimetres (RAS+).
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Side lengths of a voxel in mm, from the affine."""
        x, y, z = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0)).tolist()
        return (x, y, z)

    def corners_mm(self) -> NDArray[np.float64]:
        """Return the centres of the eight corner voxels, 8 × 3, in mm."""
        indices = np.stack(np.meshgrid(*[(0, side - 1) for side in self.shape], indexing="ij"), axis=-1).reshape(-1, 3)
        return np.asarray(indices @ self.affine[:3, :3].T + self.affine[:3, 3])


@dataclass(frozen=True)
class Reorientation:
    """How to turn an array of one grid into an array of another by transposing and flipping, without resampling.

    Attributes
    ----------
    axes
        The source axis that becomes each target axis.
    flipped
        For each target axis, whether its order is reversed.
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @property
    def changes_nothing(self) -> bool:
        """Whether source and target are the same grid as they stand."""
        return self.axes == (0, 1, 2) and not any(self.flipped)

    def apply(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return the array on the target grid, as a view."""
        turned = array.transpose(self.axes)
        return turned[tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flipped)]


def reorientation(source: Grid, target: Grid) -> Reorientation | None:
    """Find how the source grid's voxels become the target's, where both hold the same points of space.

    Parameters
    ----------
    source, target
        The two grids.

    Returns
    -------
    Reorientation or None
        None where the grids differ by more than flips and a permutation of axes.
    """
    to_target = np.linalg.inv(target.affine) @ source.affine
    rounded = np.rint(to_target[:3, :3])
    if not np.array_equal(np.abs(rounded).sum(axis=0), (1, 1, 1)) or not np.array_equal(
        np.abs(rounded).sum(axis=1), (1, 1, 1)
    ):
        return None
    axis_0, axis_1, axis_2 = (int(axis) for axis in np.abs(rounded).argmax(axis=1))
    axes = (axis_0, axis_1, axis_2)
    found = Reorientation(axes, tuple(bool(rounded[row, axis] < 0) for row, axis in enumerate(axes)))  # type: ignore[arg-type]
    if tuple(source.shape[axis] for axis in axes) != target.shape:
        return None
    return found if _same_points(source, target, found) else None


def _same_points(source: Grid, target: Grid, found: Reorientation) -> bool:
    """Compare the corners of both grids in voxel order of the target."""
    source_corners = source.corners_mm().reshape(2, 2, 2, 3)
    turned = source_corners.transpose((*found.axes, 3))
    turned = turned[tuple(slice(None, None, -1) if flip else slice(None) for flip in found.flipped)]
    apart = np.abs(turned.reshape(8, 3) - target.corners_mm()).max()
    return bool(apart <= CLOSE_IN_VOXELS * min(target.spacing_mm))


def difference(source: Grid, target: Grid) -> str:
    """Say in words how two grids differ, for the person who wrote the source."""
    if source.shape != target.shape:
        return f"shape {_times(source.shape)} where the input has {_times(target.shape)}"
    apart = float(np.abs(source.corners_mm() - target.corners_mm()).max())
    return f"the shape of the input, but an affine that puts its corners up to {apart:.3g} mm elsewhere"


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in shape)
