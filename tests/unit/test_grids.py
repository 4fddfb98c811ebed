"""Grids: the same points in another order are recognised, and other points never are."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.datasets.grids import Grid, difference, reorientation
from tests.support.volumes import oblique

TARGET = Grid((4, 5, 6), oblique())
TURNS = [
    (axes, flips) for axes in itertools.permutations(range(3)) for flips in itertools.product((False, True), repeat=3)
]


def points_mm(grid: Grid) -> NDArray[np.float64]:
    """Return where each voxel lies, shape (x, y, z, 3)."""
    indices = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    return np.asarray(indices @ grid.affine[:3, :3].T + grid.affine[:3, 3])


def apart(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return the largest difference of two arrays of one shape."""
    assert first.shape == second.shape
    return float(np.abs(first - second).max())


def turned(grid: Grid, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Grid:
    """Store the same points with other axes: source axis i runs along (or against) the grid's axis axes[i]."""
    to_grid = np.zeros((4, 4))
    to_grid[3, 3] = 1
    for own, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        to_grid[axis, own] = -1 if flip else 1
        to_grid[axis, 3] = grid.shape[axis] - 1 if flip else 0
    x, y, z = (grid.shape[axis] for axis in axes)
    return Grid((x, y, z), grid.affine @ to_grid)


@pytest.mark.parametrize(("axes", "flips"), TURNS)
def test_each_of_the_48_orientations_comes_back_to_the_same_points(
    axes: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    source = turned(TARGET, axes, flips)
    found = reorientation(source, TARGET)
    assert found is not None
    stored = points_mm(source)
    for coordinate in range(3):
        assert apart(found.apply(stored[..., coordinate]), points_mm(TARGET)[..., coordinate]) < 1e-9
    assert found.changes_nothing == ((axes, flips) == ((0, 1, 2), (False, False, False)))


def test_there_are_48_different_orientations() -> None:
    found = {reorientation(turned(TARGET, axes, flips), TARGET) for axes, flips in TURNS}
    assert len(found) == 48


sides = st.integers(1, 9)
spacings = st.floats(0.3, 8.0)


@given(st.tuples(sides, sides, sides), st.tuples(spacings, spacings, spacings), st.sampled_from(TURNS))
def test_any_shape_and_spacing_comes_back(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    turn: tuple[tuple[int, ...], tuple[bool, ...]],
) -> None:
    target = Grid(shape, oblique(spacing))
    source = turned(target, *turn)
    found = reorientation(source, target)
    assert found is not None
    assert found.apply(np.zeros(source.shape)).shape == shape
    assert apart(found.apply(points_mm(source)[..., 0]), points_mm(target)[..., 0]) < 1e-6


def moved(by_mm: tuple[float, float, float]) -> Grid:
    affine = TARGET.affine.copy()
    affine[:3, 3] += by_mm
    return replace(TARGET, affine=affine)


def test_a_shift_far_below_a_voxel_is_rounding_and_accepted() -> None:
    assert reorientation(moved((0.01, 0, 0)), TARGET) is not None


def mirrored_in_world() -> Grid:
    """The scanner's left and right exchanged, array untouched: an RAS file read as LAS."""
    return replace(TARGET, affine=np.diag([-1.0, 1, 1, 1]) @ TARGET.affine)


DIFFERENT = {
    "shifted by 0.1 mm": moved((0.1, 0, 0)),
    "shifted by one voxel": replace(
        TARGET, affine=TARGET.affine @ np.eye(4) + np.outer(TARGET.affine[:, 0], (0, 0, 0, 1))
    ),
    "mirrored in world": mirrored_in_world(),
    "resampled, half the spacing": Grid((8, 10, 12), TARGET.affine @ np.diag([0.5, 0.5, 0.5, 1])),
    "another spacing, same shape": replace(TARGET, affine=TARGET.affine @ np.diag([1.02, 1, 1, 1])),
    "double the spacing, same shape": replace(TARGET, affine=TARGET.affine @ np.diag([2.0, 1, 1, 1])),
    "cropped": Grid((3, 5, 6), TARGET.affine),
    "rotated by two degrees": replace(
        TARGET,
        affine=np.array([[0.99939, -0.0349, 0, 0], [0.0349, 0.99939, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        @ TARGET.affine,
    ),
    "identity affine": replace(TARGET, affine=np.eye(4)),
    "axes swapped in the array alone": Grid((5, 4, 6), TARGET.affine),
    "flipped in the array alone": replace(TARGET, affine=TARGET.affine @ np.diag([-1.0, 1, 1, 1])),
    "sheared": replace(TARGET, affine=TARGET.affine @ (np.eye(4) + 0.4 * np.eye(4, k=1) * np.array([0, 1, 0, 0]))),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_grid_with_other_points_is_refused(name: str) -> None:
    assert reorientation(DIFFERENT[name], TARGET) is None
    assert reorientation(TARGET, DIFFERENT[name]) is None


def test_the_difference_of_shapes_is_told_by_shape() -> None:
    assert difference(DIFFERENT["cropped"], TARGET) == "shape 3 × 5 × 6 where the input has 4 × 5 × 6"


def test_the_difference_of_affines_is_told_in_mm() -> None:
    said = difference(moved((0, 2.5, 0)), TARGET)
    assert said == "the shape of the input, but an affine that puts its corners up to 2.5 mm elsewhere"


def test_spacing_is_that_of_the_affine() -> None:
    assert TARGET.spacing_mm == pytest.approx((0.9, 1.1, 2.5))
