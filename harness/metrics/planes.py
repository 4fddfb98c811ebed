"""Leaves out the planes of a volume that hold nothing, which is nearly all of them around a tumour."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Compacted(NamedTuple):
    """Two masks on one smaller grid, bytes 0 and 1, shape (x', y', z')."""

    reference: NDArray[np.uint8]
    prediction: NDArray[np.uint8]


def bounding_box(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the smallest box that holds the foreground of two masks.

    Parameters
    ----------
    reference, prediction
        Masks of one shape (x, y, z), at least one of them not empty.

    Returns
    -------
    tuple of slice
        One slice for each axis.

    Examples
    --------
    >>> mask = np.zeros((5, 5, 5), bool)
    >>> mask[1, 2, 0:2] = True
    >>> bounding_box(mask, np.roll(mask, 2, axis=0))
    (slice(1, 4, None), slice(2, 3, None), slice(0, 2, None))
    """
    return tuple(slice(int(planes[0]), int(planes[-1]) + 1) for planes in _occupied_planes(reference, prediction))


def compact(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], *, edge: tuple[int, ...], gap: tuple[int, ...]
) -> Compacted:
    """Shorten the empty space around and between the foreground of two masks.

    Planes that are empty in both masks are left out, save those that keep things apart. So the size of the result
    depends on what is in the volume and not on how far apart it lies: five specks in the corners of a volume, which
    stretch the bounding box to the whole, cost next to nothing.

    Parameters
    ----------
    reference, prediction
        Masks of one shape (x, y, z), at least one of them not empty.
    edge
        Empty planes to put before the first and after the last occupied plane, for each axis.
    gap
        Up to this many empty planes are kept between two occupied ones, for each axis. Distances of up to ``gap``
        planes are true in the result; longer ones stay longer than ``gap``.

    Returns
    -------
    Compacted
        Both masks, alike compacted.

    Examples
    --------
    >>> mask = np.array([0, 0, 1, 0, 0, 0, 0, 1, 1], bool).reshape(9, 1, 1)
    >>> compact(mask, mask, edge=(1, 0, 0), gap=(2, 2, 2)).reference.ravel().tolist()
    [0, 1, 0, 0, 1, 1, 0]
    """
    sources, targets, shape = [], [], []
    for planes, edge_planes, gap_planes in zip(_occupied_planes(reference, prediction), edge, gap, strict=True):
        steps = np.minimum(np.diff(planes, prepend=planes[0]), gap_planes + 1)
        positions = edge_planes + np.cumsum(steps)
        sources.append(planes)
        targets.append(positions)
        shape.append(int(positions[-1]) + 1 + edge_planes)
    source, target = np.ix_(*sources), np.ix_(*targets)
    result = Compacted(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))
    result.reference[target] = reference[source]
    result.prediction[target] = prediction[source]
    return result


def _occupied_planes(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return for each axis which planes hold foreground of either mask, in order."""
    # Whole planes that lie together in memory are scanned fast: put the axis that steps from one to the next first.
    axes = sorted(range(3), key=lambda axis: -abs(reference.strides[axis]))
    one, other = reference.transpose(axes), prediction.transpose(axes)
    first = np.flatnonzero(one.any(axis=(1, 2)) | other.any(axis=(1, 2)))
    slab = slice(first[0], first[-1] + 1)
    rest = np.logical_or(one[slab].any(axis=0), other[slab].any(axis=0))
    planes = (first, np.flatnonzero(rest.any(axis=1)), np.flatnonzero(rest.any(axis=0)))
    return [planes[axes.index(axis)] for axis in range(3)]
