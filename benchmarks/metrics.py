"""Dice and NSD beside google-deepmind/surface-distance: arrays in memory, and from compressed files."""

from __future__ import annotations

import gzip
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np

from benchmarks.masks import PAIRS, Mask, Pair, Spacing
from benchmarks.measuring import Row, alone, medians_s, peak_mb
from harness.datasets.images import read_header
from harness.datasets.masks import read_mask
from harness.metrics.overlap import dice
from harness.metrics.parameters import MetricParameters, NsdParameters
from harness.metrics.surface import nsd

TOLERANCE_MM = 1.0
TIMES_FASTER = {"A": 3, "A, far false positives": 3, "B": 3, "B, far false positives": 100}
TIMES_FASTER_FROM_FILES = {"A": 5, "B": 5, "B, far false positives": 100}
NEVER_SLOWER = 1
LEAN_MB = 500


def ours(reference: Mask, prediction: Mask, spacing_mm: Spacing) -> tuple[float, float]:
    """Return Dice and NSD."""
    parameters = NsdParameters(tolerance_mm=TOLERANCE_MM)
    return (
        dice(reference, prediction, spacing_mm, MetricParameters()),
        nsd(reference, prediction, spacing_mm, parameters),
    )


def theirs(reference: Mask, prediction: Mask, spacing_mm: Spacing) -> tuple[float, float]:
    """Return Dice and NSD of surface-distance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own age
        from surface_distance import metrics

        distances = metrics.compute_surface_distances(reference, prediction, spacing_mm)
        return (
            float(metrics.compute_dice_coefficient(reference, prediction)),
            float(metrics.compute_surface_dice_at_tolerance(distances, TOLERANCE_MM)),
        )


def ours_from_files(reference: Path, prediction: Path) -> tuple[float, float]:
    """Read two masks and return Dice and NSD."""
    header = read_header(reference)
    one, other = (read_mask(path, read_header(path), judged=True).foreground() for path in (reference, prediction))
    return ours(one, other, header.grid.spacing_mm)


def theirs_from_files(reference: Path, prediction: Path) -> tuple[float, float]:
    """Read two masks in the usual way and return surface-distance's values."""
    images: list[Any] = [nib.load(path) for path in (reference, prediction)]
    one, other = (image.get_fdata() > 0 for image in images)
    return theirs(one, other, images[0].header.get_zooms())


class Memory(NamedTuple):
    """A pair's two arrays, and the peak of a process that held and compared them, in MB."""

    arrays: float
    peak: float


def memory_of(name: str) -> Memory:
    """Compare one pair in this process."""
    make, volume = PAIRS[name]
    pair = make(volume)
    ours(*pair)
    return Memory(2 * pair.reference.nbytes / 2**20, peak_mb())


def rows() -> Iterator[Row]:
    """Measure."""
    for name, (make, volume) in PAIRS.items():
        pair = make(volume)
        _require_same(ours(*pair), theirs(*pair), name)
        times = medians_s({"ours": partial(ours, *pair), "theirs": partial(theirs, *pair)}, _repeats(name))
        yield _compared(f"{name}: arrays", times, TIMES_FASTER.get(name, NEVER_SLOWER))
        memory = alone(memory_of, name)
        bound = 1.5 * memory.arrays + LEAN_MB
        yield Row(f"{name}: memory", f"peak {memory.peak:.0f} MB", f"under {bound:.0f} MB", met=memory.peak < bound)
        if name in TIMES_FASTER_FROM_FILES:
            yield _from_files(name, pair)


def _repeats(name: str) -> int:
    """Return how often to measure: what takes the other library long, and is not close, less often."""
    return {"A": 15, "B": 15}.get(name, 3 if name in TIMES_FASTER else 1)


def _from_files(name: str, pair: Pair) -> Row:
    affine = np.diag([*pair.spacing_mm, 1.0])
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{which}.nii.gz") for which in ("reference", "prediction")]
        for path, mask in zip(paths, pair[:2], strict=True):
            image: Any = nib.Nifti1Image(mask.view(np.uint8), affine)  # type: ignore[no-untyped-call]
            path.write_bytes(gzip.compress(image.to_bytes(), 6))
        _require_same(ours_from_files(*paths), theirs_from_files(*paths), name)
        ways = {"ours": partial(ours_from_files, *paths), "theirs": partial(theirs_from_files, *paths)}
        return _compared(f"{name}: from .nii.gz", medians_s(ways, _repeats(name)), TIMES_FASTER_FROM_FILES[name])


def _compared(what: str, times: dict[str, float], least: int) -> Row:
    ratio = times["theirs"] / times["ours"]
    figure = f"{times['ours'] * 1e3:.1f} ms; surface-distance {times['theirs'] * 1e3:.0f} ms; {ratio:.1f} ×"
    return Row(what, figure, f"at least {least} ×", met=ratio >= least)


def _require_same(one: tuple[float, float], other: tuple[float, float], name: str) -> None:
    if not np.allclose(one, other, rtol=0, atol=1e-6):
        raise AssertionError(f"{name}: {one} where surface-distance has {other}")
