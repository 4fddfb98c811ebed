"""Dice, NSD and HD95 on masks whose values can be worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from medpy.metric import binary
from numpy.typing import NDArray

from harness.errors import MetricError
from harness.metrics.overlap import dice
from harness.metrics.parameters import MetricParameters, NsdParameters
from harness.metrics.registry import METRICS
from harness.metrics.surface import nsd
from harness.metrics.voxel_distance import assd_medpy, hd95_medpy

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]

NONE = MetricParameters()
MILLIMETRE = (1.0, 1.0, 1.0)
SYMMETRIC = {"dice", "nsd", "hd95", "assd", "hd95_medpy", "assd_medpy", "volume_error"}
MASK_METRICS = sorted(name for name, metric in METRICS.items() if metric.reads == "mask")


def mask_with(*voxels: tuple[int, int, int], shape: tuple[int, int, int] = (6, 7, 8)) -> Mask:
    mask = np.zeros(shape, bool)
    for voxel in voxels:
        mask[voxel] = True
    return mask


def score(name: str, reference: Mask, prediction: Mask, spacing: Spacing = MILLIMETRE) -> float:
    metric = METRICS[name]
    value = metric.resolve()(reference, prediction, spacing, metric.parameters())
    assert value is not None
    return value


EMPTY = mask_with()
VOXEL = mask_with((2, 3, 4))


@pytest.mark.parametrize(
    ("name", "both_empty", "one_empty"),
    [
        ("dice", 1.0, 0.0),
        ("nsd", 1.0, 0.0),
        ("lesion_f1", 1.0, 0.0),
        *((name, 0.0, math.sqrt(6**2 + 7**2 + 8**2)) for name in ("hd95", "assd", "hd95_medpy", "assd_medpy")),
        ("volume_error", 0.0, 0.001),
        ("lesions_detected", 0.0, 0.0),
    ],
)
def test_empty_masks(name: str, both_empty: float, one_empty: float) -> None:
    assert score(name, EMPTY, EMPTY) == both_empty
    assert score(name, EMPTY, VOXEL) == pytest.approx(one_empty, abs=1e-12)
    assert score(name, VOXEL, EMPTY) == pytest.approx(one_empty, abs=1e-12)


def test_dice_of_two_bars_that_share_two_voxels() -> None:
    reference = mask_with((0, 0, 0), (1, 0, 0), (2, 0, 0))
    prediction = mask_with((1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 0, 0))

    assert dice(reference, prediction, MILLIMETRE, NONE) == 2 * 2 / (3 + 4)


def test_dice_is_one_float_division_of_counts() -> None:
    reference, prediction = np.ones((10, 10, 10), bool), np.ones((10, 10, 10), bool)
    reference.flat[:1] = False
    prediction.flat[-2:] = False

    assert dice(reference, prediction, MILLIMETRE, NONE) == (2 * 997) / (999 + 998)


def test_nsd_of_a_voxel_and_a_bar_of_two() -> None:
    # A voxel has eight corners of area √3/8. In the bar the four in the middle lie on edges: two triangles of √2/4.
    corner, edge = math.sqrt(3) / 8, math.sqrt(2) / 2
    bar = VOXEL | mask_with((3, 3, 4))

    value = nsd(VOXEL, bar, MILLIMETRE, NsdParameters(tolerance_mm=0.5))

    assert value == pytest.approx((8 * corner + 4 * corner + 4 * edge) / (16 * corner + 4 * edge), abs=1e-15)
    assert nsd(VOXEL, bar, MILLIMETRE, NsdParameters(tolerance_mm=1.0)) == 1.0


@pytest.mark.parametrize(("axis", "within"), [(0, 1.0), (1, 0.5), (2, 0.5)])
def test_nsd_measures_along_each_axis_in_its_own_size(axis: int, within: float) -> None:
    # Shifted by one voxel, half of the corners coincide; the others are one voxel away: 0.9, 1.1 or 5 mm.
    spacing = (0.9, 1.1, 5.0)

    assert nsd(VOXEL, np.roll(VOXEL, 1, axis), spacing, NsdParameters(tolerance_mm=1.0)) == within


def test_nsd_counts_a_distance_equal_to_the_tolerance() -> None:
    shifted = np.roll(VOXEL, 3, axis=2)  # the nearest corners are two voxels apart, the others three

    assert nsd(VOXEL, shifted, MILLIMETRE, NsdParameters(tolerance_mm=2.0)) == 0.5
    assert nsd(VOXEL, shifted, MILLIMETRE, NsdParameters(tolerance_mm=1.9999)) == 0.0


def test_nsd_ignores_noise_in_the_voxel_size() -> None:
    noisy = (1.0000001, 1.0000001, 0.9999999)

    assert nsd(VOXEL, np.roll(VOXEL, 1, axis=0), noisy, NsdParameters(tolerance_mm=1.0)) == 1.0


def test_nsd_takes_the_outside_of_the_volume_for_background() -> None:
    rng = np.random.default_rng(0)
    reference, prediction = rng.random((2, 5, 6, 7)) < 0.4
    far_reference, far_prediction = np.pad(reference, 4), np.pad(prediction, 4)
    for tolerance in (0.5, 1.0, 1.5):
        parameters = NsdParameters(tolerance_mm=tolerance)
        assert nsd(reference, prediction, MILLIMETRE, parameters) == nsd(
            far_reference, far_prediction, MILLIMETRE, parameters
        )

    full = np.ones((3, 3, 3), bool)
    assert nsd(full, full, MILLIMETRE, NsdParameters()) == 1.0


def test_nsd_sees_specks_far_away() -> None:
    # Eight specks in the corners of the volume, and one more, alone, in the prediction: 64 of 72 corners on each side.
    corners = list(itertools.product((0, 39), (0, 49), (0, 59)))
    reference = mask_with(*corners, shape=(40, 50, 60))
    prediction = reference | mask_with((20, 25, 30), shape=(40, 50, 60))

    assert nsd(reference, prediction, MILLIMETRE, NsdParameters()) == pytest.approx(128 / 136, abs=1e-15)


@pytest.mark.parametrize(("tolerance", "expected"), [(1e-300, 0.5), (1e3, 1.0), (1e300, 1.0)])
def test_nsd_with_extreme_tolerances(tolerance: float, expected: float) -> None:
    for spacing in (MILLIMETRE, (0.00001, 0.00001, 0.00001)):
        shifted = np.roll(VOXEL, 1, axis=1)
        assert nsd(VOXEL, shifted, spacing, NsdParameters(tolerance_mm=tolerance)) == expected


def test_hd95_pools_both_directions() -> None:
    # One voxel against itself and 39 more in a row: pooled distances 0, 0, 1, ..., 39 and their 95th percentile. The
    # larger of the directed percentiles, which other libraries report, is 37.05.
    reference = mask_with((0, 0, 0), shape=(40, 2, 2))
    prediction = reference.copy()
    prediction[:, 0, 0] = True

    assert hd95_medpy(reference, prediction, MILLIMETRE, NONE) == pytest.approx(37.0, abs=1e-12)
    assert hd95_medpy(prediction, reference, MILLIMETRE, NONE) == pytest.approx(37.0, abs=1e-12)


def test_hd95_measures_in_millimetres() -> None:
    assert hd95_medpy(VOXEL, np.roll(VOXEL, 2, axis=2), (1.0, 1.0, 2.5), NONE) == 5.0


def test_hd95_and_assd_of_the_bounding_box_are_those_of_the_volume_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        shape = tuple(rng.integers(3, 9, 3).tolist())
        masks = [np.pad(rng.random(shape) < density, rng.integers(0, 4, (3, 2))[:, [0, 0]]) for density in (0.3, 0.3)]
        grown = np.maximum(masks[0].shape, masks[1].shape)
        one, other = (np.pad(m, [(0, int(n - k)) for n, k in zip(grown, m.shape, strict=True)]) for m in masks)
        if not (one.any() and other.any()):
            continue
        spacing = tuple(rng.choice([1.0, 0.5, 0.33333, 0.45, 1.2, 5.0], 3).tolist())
        assert hd95_medpy(one, other, spacing, NONE) == binary.hd95(other, one, voxelspacing=spacing)
        assert assd_medpy(one, other, spacing, NONE) == binary.assd(other, one, voxelspacing=spacing)


@pytest.mark.parametrize("name", MASK_METRICS)
def test_masks_score_alike_in_every_memory_layout_and_either_order(name: str) -> None:
    rng = np.random.default_rng(2)
    reference, prediction = rng.random((2, 9, 10, 11)) < 0.2
    expected = score(name, reference, prediction)
    layouts = [
        (np.asfortranarray(reference), np.asfortranarray(prediction)),
        (reference, np.asfortranarray(prediction)),
        (reference[::-1].copy()[::-1], prediction),
        (np.moveaxis(np.moveaxis(reference, 1, 0).copy(), 0, 1), prediction),
    ]

    assert [score(name, *layout) for layout in layouts] == [expected] * len(layouts)
    if name in SYMMETRIC:
        assert score(name, prediction, reference) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", MASK_METRICS)
def test_masks_are_left_as_they_were(name: str) -> None:
    reference, prediction = VOXEL.copy(), np.roll(VOXEL, 1, axis=0)
    for mask in (reference, prediction):
        mask.flags.writeable = False

    score(name, reference, prediction)


@pytest.mark.parametrize("name", MASK_METRICS)
@pytest.mark.parametrize(
    ("reference", "prediction", "spacing", "part"),
    [
        (VOXEL, VOXEL[:-1], MILLIMETRE, "shape"),
        (VOXEL, VOXEL.astype(np.uint8), MILLIMETRE, "the prediction has type uint8"),
        (VOXEL[0], VOXEL[0], MILLIMETRE, r"the reference has type bool and shape \(7, 8\)"),
        (VOXEL[:0], VOXEL[:0], MILLIMETRE, "the reference has type bool and shape"),
    ],
)
def test_masks_that_cannot_be_compared(
    name: str, reference: Mask, prediction: Mask, spacing: Spacing, part: str
) -> None:
    with pytest.raises(MetricError, match=f"{name}: .*{part}"):
        score(name, reference, prediction, spacing)


@pytest.mark.parametrize("name", ["nsd", "hd95", "assd", "hd95_medpy", "assd_medpy", "predicted_volume"])
@pytest.mark.parametrize("size", [0.0, -1.0, 1e-6, math.nan, math.inf])
def test_voxel_sizes_that_cannot_be(name: str, size: float) -> None:
    with pytest.raises(MetricError, match=f"{name}: a voxel cannot have the size"):
        score(name, VOXEL, VOXEL, (1.0, size, 1.0))
