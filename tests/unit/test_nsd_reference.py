"""NSD beside google-deepmind/surface-distance, whose definition it is.

Voxel sizes and tolerances are chosen so that many distances equal the tolerance to the last bit or nearly so: there a
different order of operations, or single precision, changes the value visibly.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from harness.datasets.grids import Grid
from harness.metrics import surface
from harness.metrics.overlap import dice
from harness.metrics.parameters import MetricParameters, NsdParameters
from harness.metrics.planes import slabs
from harness.metrics.surface import nsd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of its own age
    from surface_distance import lookup_tables, metrics

SPACINGS = (1.0, 0.5, 0.33333, 0.45, 1.2, 5.0)
PAIRS = 2_700
OBLIQUE_PAIRS = 300


class Pair(NamedTuple):
    reference: NDArray[np.bool_]
    prediction: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    tolerance_mm: float


@pytest.fixture(autouse=True)
def old_names_of_scipy() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Please (use|import)", category=DeprecationWarning)
        yield


def pairs(count: int, seed: int) -> Iterator[Pair]:
    """Draw pairs of masks that are not empty, smooth, noisy or nearly alike, up to the border of the volume."""
    rng = np.random.default_rng(seed)
    while count:
        shape = rng.integers(1, 22, 3)
        reference = drawn_mask(rng, shape)
        prediction = (
            drawn_mask(rng, shape),
            np.roll(reference, rng.integers(-2, 3, 3).tolist(), (0, 1, 2)),
            reference ^ (rng.random(shape) < 0.02),
        )[rng.integers(3)]
        if reference.any() and prediction.any():
            count -= 1
            x, y, z = rng.choice(SPACINGS, 3).tolist() if rng.random() < 0.5 else [rng.choice(SPACINGS).item()] * 3
            legs = rng.integers(0, 3, 3) * (x, y, z)
            length = float(np.sqrt(np.add.reduce(legs * legs)))
            yield Pair(reference, prediction, (x, y, z), length if length and rng.random() < 0.9 else 12.0)


def drawn_mask(rng: np.random.Generator, shape: NDArray[np.int64]) -> NDArray[np.bool_]:
    if rng.random() < 0.25:
        return np.asarray(rng.random(shape) < rng.choice([0.02, 0.3, 0.5, 0.9]))
    smooth = gaussian_filter(rng.standard_normal(shape), rng.uniform(0.7, 2.0))
    return np.asarray(smooth > np.quantile(smooth, rng.uniform(0.3, 0.97)))


def reference_nsd(pair: Pair) -> float:
    distances = metrics.compute_surface_distances(pair.reference, pair.prediction, pair.spacing_mm)
    return float(metrics.compute_surface_dice_at_tolerance(distances, pair.tolerance_mm))


def test_values_are_those_of_surface_distance() -> None:
    ties = transforms = 0
    for pair in pairs(PAIRS, seed=0):
        value = nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm))
        assert abs(value - reference_nsd(pair)) <= 1e-12, pair[2:]
        ties += value != nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm * (1 - 1e-9)))
        transforms += surface._search(pair.reference.shape, *pair[2:]).offsets is None

    # The pairs say something: ties decide many a value, and both ways of searching were taken often.
    assert ties > PAIRS / 4
    assert PAIRS / 20 < transforms < PAIRS / 2


def test_values_are_those_of_surface_distance_for_oblique_affines_out_of_a_file() -> None:
    """A file stores the affine in single precision: the voxel size comes back as 1.0000001 mm, and is rounded."""
    rng = np.random.default_rng(8)
    noisy = 0
    for pair in pairs(OBLIQUE_PAIRS, seed=8):
        rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        affine = np.eye(4)
        affine[:3, :3] = rotation * pair.spacing_mm
        stored = nib.Nifti1Image(pair.reference.astype(np.uint8), affine).to_bytes()  # type: ignore[no-untyped-call]
        read = Grid(pair.reference.shape, nib.Nifti1Image.from_bytes(stored).affine).spacing_mm
        noisy += read != pair.spacing_mm
        value = nsd(pair.reference, pair.prediction, read, NsdParameters(tolerance_mm=pair.tolerance_mm))
        assert abs(value - reference_nsd(pair)) <= 1e-12, (read, pair.tolerance_mm)
    assert noisy > OBLIQUE_PAIRS / 2


def test_trying_offsets_and_transforming_give_the_same_value(monkeypatch: pytest.MonkeyPatch) -> None:
    # At a tie too, where a rounding error decides: how large a tolerance is must not change what equals it.
    cases = list(pairs(150, seed=1))
    values = [nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm)) for pair in cases]

    monkeypatch.setattr(surface, "MOST_OFFSETS", 0)

    assert values == [nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm)) for pair in cases]


@pytest.mark.parametrize("voxels", [1, 300])
@pytest.mark.parametrize("offsets", [0, surface.MOST_OFFSETS])
def test_cutting_into_slabs_changes_nothing(monkeypatch: pytest.MonkeyPatch, voxels: int, offsets: int) -> None:
    cases = list(pairs(150, seed=2))
    values = [nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm)) for pair in cases]
    cut = slabs_of(cases, surface.VOXELS_AT_ONCE)

    monkeypatch.setattr(surface, "VOXELS_AT_ONCE", voxels)
    monkeypatch.setattr(surface, "MOST_OFFSETS", offsets)

    assert values == [nsd(*pair[:3], NsdParameters(tolerance_mm=pair.tolerance_mm)) for pair in cases]
    assert cut == len(cases)
    assert slabs_of(cases, voxels) > 1.5 * len(cases)


def slabs_of(cases: list[Pair], voxels: int) -> int:
    searches = [surface._search(pair.reference.shape, *pair[2:]) for pair in cases]
    return sum(
        sum(1 for _ in slabs(*pair[:2], edge=search.edge, gap=search.gap, voxels=voxels))
        for pair, search in zip(cases, searches, strict=True)
    )


def test_how_masks_lie_in_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for pair, voxels in itertools.product(pairs(40, seed=3), (50, surface.VOXELS_AT_ONCE)):
        monkeypatch.setattr(surface, "VOXELS_AT_ONCE", voxels)
        parameters = NsdParameters(tolerance_mm=pair.tolerance_mm)
        laid_out: list[Callable[[NDArray[np.bool_]], NDArray[np.bool_]]] = [
            np.ascontiguousarray,
            np.asfortranarray,
            lambda mask: np.ascontiguousarray(mask.transpose(1, 2, 0)).transpose(2, 0, 1),
            lambda mask: np.ascontiguousarray(mask[::-1, :, ::-1])[::-1, :, ::-1],
        ]
        values = {
            (
                nsd(one(pair.reference), other(pair.prediction), pair.spacing_mm, parameters),
                dice(one(pair.reference), other(pair.prediction), pair.spacing_mm, MetricParameters()),
            )
            for one, other in itertools.product(laid_out, repeat=2)
        }

        assert len(values) == 1


def test_specks_far_apart_score_as_in_surface_distance() -> None:
    rng = np.random.default_rng(4)
    for spacing, tolerance in (((1.0, 1.0, 1.0), 1.0), ((0.45, 0.45, 5.0), 2.25), ((1.0, 0.5, 1.2), 12.0)):
        reference = np.zeros((60, 50, 40), bool)
        reference[25:33, 20:31, 15:24] = True
        prediction = np.roll(reference, (1, -1, 2), (0, 1, 2))
        for x, y, z in rng.integers(0, (60, 50, 40), (12, 3)):
            reference[x, y, z] = True
            prediction[x : x + 2, y, z] = True
        pair = Pair(reference, prediction, spacing, tolerance)

        assert abs(nsd(*pair[:3], NsdParameters(tolerance_mm=tolerance)) - reference_nsd(pair)) <= 1e-12


def test_the_table_of_surface_elements_is_theirs() -> None:
    normals = surface._normals()

    for code, theirs in enumerate(lookup_tables._NEIGHBOUR_CODE_TO_NORMALS):
        assert (normals[code, : len(theirs)] == theirs).all()
        assert not normals[code, len(theirs) :].any()


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.45, 0.33333, 5.0)])
def test_areas_are_theirs(spacing: tuple[float, float, float]) -> None:
    theirs = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)

    np.testing.assert_allclose(surface._areas(spacing), theirs, rtol=1e-15)


def test_a_flat_face_has_the_area_of_a_voxel_face() -> None:
    # Four voxels before the corner on x and none after it: a piece of a plane, 2 mm by 3 mm.
    assert surface._areas((1.0, 2.0, 3.0))[0b11110000] == 6.0
    assert surface._areas((1.0, 2.0, 3.0))[0b11001100] == 3.0
    assert surface._areas((1.0, 2.0, 3.0))[0b10101010] == 2.0
