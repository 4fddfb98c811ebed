"""Slices through a case with the outlines of reference and prediction, as one picture.

Slices are shown as radiologists see them: the patient's right is on the left of axial and coronal slices. Voxels keep
their true aspect, and nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from harness.datasets.grids import Grid
from harness.reports.png import MOST_COLOURS, png

Mask = NDArray[np.bool_]
Regions = Mapping[str, Mask]
Windows = list[NDArray[np.intp]]

FIELD_MM = 110.0
"""Side of what is shown around the structure."""
SIDE = 132
"""Side of one slice's picture, in pixels."""
GAP = 4
REFERENCE, PREDICTION = (86, 180, 233), (230, 159, 0)
"""Sky blue and orange of Okabe and Ito, which every kind of colour vision tells apart; both together are purple."""
BOTH = (204, 51, 153)
GREYS = MOST_COLOURS - 3
DARKEST, BRIGHTEST = 1.0, 99.5
"""Percentiles of a slice that become black and the brightest grey."""


class Plane(NamedTuple):
    """One of three planes, in axes of a volume whose axes run to the right, front and top of the patient.

    Attributes
    ----------
    letters
        At the left, right, top and bottom of the picture.
    """

    name: str
    axis: int
    letters: tuple[str, str, str, str]


PLANES = (
    Plane("axial", 2, ("R", "L", "A", "P")),
    Plane("coronal", 1, ("R", "L", "S", "I")),
    Plane("sagittal", 0, ("A", "P", "S", "I")),
)


@dataclass(frozen=True, eq=False)
class Overlay:
    """A case to be shown: three arrays on one grid.

    Attributes
    ----------
    reference, prediction
        By structure where it is; no prediction where there is no valid one.
    """

    volume: NDArray[np.generic]
    reference: Regions
    prediction: Regions
    grid: Grid


def mosaic(overlay: Overlay) -> bytes:
    """Draw axial, coronal and sagittal slices side by side, where the structure is largest.

    Parameters
    ----------
    overlay
        The case.

    Returns
    -------
    bytes
        A PNG of three squares of ``SIDE`` pixels.
    """
    turn = nib.orientations.io_orientation(overlay.grid.affine)  # type: ignore[no-untyped-call]
    volume = _turned(overlay.volume, turn)
    reference = [_turned(region, turn) for region in overlay.reference.values()]
    prediction = [_turned(region, turn) for region in overlay.prediction.values()]
    spacing = np.empty(3)
    spacing[turn[:, 0].astype(int)] = overlay.grid.spacing_mm
    centre = _centre(reference, prediction, volume.shape)
    pictures = []
    for plane in PLANES:
        across = [axis for axis in range(3) if axis != plane.axis]
        where = [_window(centre[axis], float(spacing[axis])) for axis in across]

        def sliced(array: NDArray[np.generic], plane: Plane = plane, where: Windows = where) -> NDArray[np.generic]:
            return _picture(np.take(array, centre[plane.axis], axis=plane.axis), where)

        painted = _painted(sliced(volume), map(sliced, reference), map(sliced, prediction))
        pictures += [painted, np.full((SIDE, GAP), GREYS // 2, np.uint8)]
    return png(np.concatenate(pictures[:-1], axis=1), _palette())


def _turned(array: NDArray[np.generic], turn: NDArray[np.float64]) -> NDArray[np.generic]:
    """Turn an array so that its axes run to the right, front and top, as closely as they can."""
    return np.asarray(nib.orientations.apply_orientation(array, turn))  # type: ignore[no-untyped-call]


def _centre(
    reference: Sequence[NDArray[np.generic]], prediction: Sequence[NDArray[np.generic]], shape: tuple[int, ...]
) -> list[int]:
    """Return the slice of each axis in which the reference is largest; where it is empty, the prediction."""
    mask = next((each for each in (_any(reference), _any(prediction)) if each is not None), None)
    if mask is None:
        return [side // 2 for side in shape]
    areas = [mask.sum(axis=tuple(other for other in range(3) if other != axis)) for axis in range(3)]
    return [int(np.argmax(area)) for area in areas]


def _any(regions: Sequence[NDArray[np.generic]]) -> NDArray[np.generic] | None:
    joined = np.logical_or.reduce(regions) if regions else None
    return joined if joined is not None and joined.any() else None


def _window(centre: int, spacing: float) -> NDArray[np.intp]:
    """Return the voxel under each pixel along one axis; those beyond the volume are told by :func:`_picture`."""
    offsets = (np.arange(SIDE) + 0.5) / SIDE * FIELD_MM - FIELD_MM / 2
    return np.rint(centre + offsets / spacing).astype(np.intp)


def _picture(array: NDArray[np.generic], where: Sequence[NDArray[np.intp]]) -> NDArray[np.generic]:
    """Sample a slice and turn it: up is the patient's top or front, and left the right or front."""
    inside = [(each >= 0) & (each < side) for each, side in zip(where, array.shape, strict=True)]
    kept = [np.clip(each, 0, side - 1) for each, side in zip(where, array.shape, strict=True)]
    sampled = np.where(inside[0][:, None] & inside[1][None, :], array[np.ix_(*kept)], 0)
    # In axes to the right, front and top, a picture's rows run down and its columns from the right or the front.
    return np.asarray(sampled.T[::-1, ::-1])


def _painted(
    grey: NDArray[np.generic], reference: Iterable[NDArray[np.generic]], prediction: Iterable[NDArray[np.generic]]
) -> NDArray[np.uint8]:
    values = grey.astype(np.float64)
    low, high = np.percentile(values, [DARKEST, BRIGHTEST])
    shades = np.clip((values - low) / max(float(high - low), 1e-12), 0, 1) * (GREYS - 1)
    painted: NDArray[np.uint8] = np.rint(shades).astype(np.uint8)
    true, predicted = _outlines(reference, painted.shape), _outlines(prediction, painted.shape)
    painted[true] = GREYS
    painted[predicted] = GREYS + 1
    painted[true & predicted] = GREYS + 2
    return np.asarray(painted)


def _outlines(regions: Iterable[NDArray[np.generic]], shape: tuple[int, ...]) -> Mask:
    found = np.zeros(shape, np.bool_)
    for region in regions:
        found |= _outline(region.astype(np.bool_))
    return found


def _outline(mask: Mask) -> Mask:
    """Return the pixels of a mask that have a neighbour outside it."""
    framed = np.pad(mask, 1)
    core = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return np.asarray(mask & ~core)


def _palette() -> NDArray[np.uint8]:
    greys = np.rint(np.linspace(0, 255, GREYS)).astype(np.uint8)
    return np.vstack([np.repeat(greys[:, None], 3, axis=1), np.array([REFERENCE, PREDICTION, BOTH], np.uint8)])
