"""Pairs of masks that scoring meets: the compact, the far-flung, the absurd."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]


class Pair(NamedTuple):
    """A reference and a prediction, first axis fastest, as they come from a file."""

    reference: Mask
    prediction: Mask
    spacing_mm: Spacing


class Volume(NamedTuple):
    """A scan's grid."""

    shape: tuple[int, int, int]
    spacing_mm: Spacing


A = Volume((240, 240, 155), (1.0, 1.0, 1.0))
B = Volume((512, 512, 180), (0.45, 0.45, 1.0))
TUMOUR_ML = 10.0


def empty(volume: Volume) -> Mask:
    """Return a mask of nothing."""
    return np.zeros(volume.shape, bool, order="F")


def tumour(volume: Volume, *, off_mm: float = 0.0, radius_scale: float = 1.0) -> Mask:
    """Return a ball of ``TUMOUR_ML``, near the middle."""
    mask = empty(volume)
    radius = radius_scale * (3000 * TUMOUR_ML / (4 * np.pi)) ** (1 / 3)
    axes = [
        (np.arange(count) - count * 0.45) * side - off_mm
        for count, side in zip(volume.shape, volume.spacing_mm, strict=True)
    ]
    near = [np.flatnonzero(abs(axis) <= radius) for axis in axes]
    x, y, z = (axis[inside] for axis, inside in zip(axes, near, strict=True))
    mask[np.ix_(*near)] = x[:, None, None] ** 2 + y[:, None] ** 2 + z**2 <= radius**2
    return mask


def compact(volume: Volume) -> Pair:
    """Return a tumour, and a prediction that is nearly right."""
    return Pair(tumour(volume), tumour(volume, off_mm=1.0, radius_scale=0.95), volume.spacing_mm)


def far_positives(volume: Volume, count: int = 5) -> Pair:
    """Return a tumour, and a prediction with small false positives all over the volume."""
    pair, rng = compact(volume), np.random.default_rng(1)
    corners = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0]]) * (np.array(volume.shape) - 12) + 4
    drawn = rng.integers(4, np.array(volume.shape) - 8, (max(0, count - 5), 3))
    for x, y, z in np.concatenate([corners, drawn])[:count]:
        pair.prediction[x : x + 3, y : y + 3, z : z + 2] = True
    return pair


def specks(volume: Volume) -> Pair:
    """Return a tumour, and a prediction with four hundred specks."""
    return far_positives(volume, 400)


def noise(volume: Volume) -> Pair:
    """Return two masks that are a toss of a coin in each voxel."""
    rng, shape = np.random.default_rng(2), volume.shape
    one, other = (rng.integers(0, 2, shape[::-1], np.uint8).view(np.bool_).T for _ in range(2))
    return Pair(one, other, volume.spacing_mm)


def all_ones(volume: Volume) -> Pair:
    """Return a tumour, and a prediction that is everywhere."""
    return Pair(tumour(volume), ~empty(volume), volume.spacing_mm)


PAIRS: dict[str, tuple[Callable[[Volume], Pair], Volume]] = {
    "A": (compact, A),
    "A, far false positives": (far_positives, A),
    "B": (compact, B),
    "B, far false positives": (far_positives, B),
    "B, 400 specks": (specks, B),
    "B, noise": (noise, B),
    "B, all ones": (all_ones, B),
}
