"""Slices as pictures: read back, they show each structure where it is, whatever the axes of the volume."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from harness.datasets.grids import Grid
from harness.reports.png import png
from harness.reports.slices import BOTH, FIELD_MM, GAP, PREDICTION, REFERENCE, SIDE, Overlay, mosaic

FLIPS = {
    "RAS": np.diag([1.0, 1.0, 1.0, 1.0]),
    "LPS": np.diag([-1.0, -1.0, 1.0, 1.0]),
    "SRA": np.array([[0.0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
}
SHAPE = (60, 60, 60)


def shown(content: bytes) -> list[NDArray[np.uint8]]:
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert picture.shape == (SIDE, 3 * SIDE + 2 * GAP, 3)
    return [picture[:, place * (SIDE + GAP) : place * (SIDE + GAP) + SIDE] for place in range(3)]


def centre_of(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[float, float]:
    rows, columns = np.nonzero((picture == colour).all(axis=-1))
    return (float(rows.mean()) - SIDE / 2, float(columns.mean()) - SIDE / 2)


@pytest.mark.parametrize("axes", FLIPS)
def test_right_is_left_and_front_is_up(axes: str) -> None:
    """A prediction 16 mm to the right, front and top of the reference, on volumes of any orientation."""
    affine = FLIPS[axes]
    places = np.moveaxis(np.indices(SHAPE), 0, -1) - 30.0
    world = places @ affine[:3, :3].T
    reference = np.linalg.norm(world, axis=-1) < 6
    # Beside the reference along two axes of each plane, and reaching through all three slices.
    prediction = np.zeros(SHAPE, bool)
    for plane in range(3):
        aside = np.full(3, 16.0)
        aside[plane] = 0
        prediction |= np.linalg.norm(world - aside, axis=-1) < 3
    overlay = Overlay(places[..., 0], {"": reference}, {"": prediction}, Grid(SHAPE, affine))
    pixels_per_mm = SIDE / FIELD_MM
    for picture in shown(mosaic(overlay)):
        row, column = centre_of(picture, REFERENCE)
        assert max(abs(row), abs(column)) <= 3
        row, column = centre_of(picture, PREDICTION)
        assert row == pytest.approx(-16 * pixels_per_mm, abs=3)
        assert column == pytest.approx(-16 * pixels_per_mm, abs=3)


def test_a_ball_is_round_on_voxels_that_are_not() -> None:
    affine = np.diag([1.0, 1.0, 5.0, 1.0])
    places = (np.moveaxis(np.indices((60, 60, 24)), 0, -1) - np.array([30, 30, 12])) * np.array([1.0, 1, 5])
    ball = np.linalg.norm(places, axis=-1) < 20
    overlay = Overlay(places[..., 0], {"": ball}, {"": ball}, Grid((60, 60, 24), affine))
    for picture in shown(mosaic(overlay)):
        rows, columns = np.nonzero((picture == BOTH).all(axis=-1))
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=6 * SIDE / FIELD_MM)


def test_a_case_without_anything_is_shown_in_its_middle() -> None:
    empty = np.zeros(SHAPE, bool)
    pictures = shown(mosaic(Overlay(np.ones(SHAPE), {"": empty}, {}, Grid(SHAPE, np.eye(4)))))
    assert not any((picture == colour).all(axis=-1).any() for picture in pictures for colour in (REFERENCE, PREDICTION))


@pytest.mark.parametrize("width", [5, 6])
def test_pictures_are_read_back_by_a_library(width: int) -> None:
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (16, 3)).astype(np.uint8)
    picture = rng.integers(0, 16, (4, width)).astype(np.uint8)
    back = np.asarray(Image.open(io.BytesIO(png(picture, palette))).convert("RGB"))
    assert np.array_equal(back, palette[picture])
