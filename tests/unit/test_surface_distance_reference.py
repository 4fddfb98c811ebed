"""HD95 and ASSD beside google-deepmind/surface-distance, whose surface elements they measure between."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from harness.metrics import surface_distance
from harness.metrics.parameters import MetricParameters
from harness.metrics.surface_distance import assd, hd95

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of its own age
    from surface_distance import metrics

NONE = MetricParameters()
SPACINGS = (1.0, 0.5, 0.33333, 0.45, 1.2, 5.0)
PAIRS = 600

Mask = NDArray[np.bool_]
Pair = tuple[Mask, Mask, tuple[float, float, float]]


@pytest.fixture(autouse=True)
def old_names_of_scipy() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Please (use|import)", category=DeprecationWarning)
        yield


def pairs(count: int, seed: int) -> Iterator[Pair]:
    """Draw pairs of masks that are not empty: two of any kind, one and itself moved, one and itself with noise."""
    rng = np.random.default_rng(seed)
    while count:
        shape = rng.integers(1, 18, 3)
        reference = drawn_mask(rng, shape)
        moved = np.roll(reference, rng.integers(-2, 3, 3).tolist(), (0, 1, 2))
        prediction = (drawn_mask(rng, shape), moved, reference ^ (rng.random(shape) < 0.02))[rng.integers(3)]
        if reference.any() and prediction.any():
            count -= 1
            x, y, z = rng.choice(SPACINGS, 3).tolist()
            yield reference, prediction, (x, y, z)


def drawn_mask(rng: np.random.Generator, shape: NDArray[np.int64]) -> Mask:
    if rng.random() < 0.25:
        return np.asarray(rng.random(shape) < rng.choice([0.02, 0.3, 0.9]))
    smooth = gaussian_filter(rng.standard_normal(shape), rng.uniform(0.7, 2.0))
    return np.asarray(smooth > np.quantile(smooth, rng.uniform(0.3, 0.97)))


def theirs(pair: Pair) -> tuple[float, float]:
    measured = metrics.compute_surface_distances(*pair)
    areas = [float(np.sum(measured[name])) for name in ("surfel_areas_gt", "surfel_areas_pred")]
    means = metrics.compute_average_surface_distance(measured)
    mean = sum(each * area for each, area in zip(means, areas, strict=True)) / sum(areas)
    return float(metrics.compute_robust_hausdorff(measured, 95)), float(mean)


@pytest.mark.parametrize("pairs_per_voxel", [0, surface_distance.PAIRS_PER_VOXEL, 1 << 40])
def test_values_are_those_of_surface_distance(monkeypatch: pytest.MonkeyPatch, pairs_per_voxel: int) -> None:
    """By the distance transform alone, by whichever is sooner done, and by the tree alone."""
    monkeypatch.setattr(surface_distance, "PAIRS_PER_VOXEL", pairs_per_voxel)
    monkeypatch.setattr(surface_distance, "MEASURED_AT_ONCE", 100)
    for pair in pairs(PAIRS, seed=7):
        expected = theirs(pair)
        assert abs(hd95(*pair, NONE) - expected[0]) <= 1e-9, pair[2]
        assert abs(assd(*pair, NONE) - expected[1]) <= 1e-9, pair[2]


def test_hd95_is_the_larger_of_both_directions() -> None:
    # Every element of the voxel is on the bar, or 0 to 1 mm from it. Along the bar lie 41 planes of four corners: √3/8
    # in area at both ends, √2/2 between them. 95 % of 2 · 0.2165 + 39 · 0.7071 is reached in the plane at 38, which is
    # 37 mm from the voxel's last corners.
    bar = np.zeros((40, 1, 1), bool)
    bar[:] = True
    voxel = np.zeros_like(bar)
    voxel[0] = True

    value = hd95(voxel, bar, (1.0, 1.0, 1.0), NONE)

    assert value == hd95(bar, voxel, (1.0, 1.0, 1.0), NONE)
    assert value == 37.0
