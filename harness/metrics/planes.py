"""Leaves out the planes of a volume that hold nothing, which is nearly all of them around a tumour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Compacted(NamedTuple):
    """Two masks on one smaller grid, bytes 0 and 1, shape (x', y', z')."""

    reference: NDArray[np.uint8]
    prediction: NDArray[np.uint8]


class Slab(NamedTuple):
    """A part of two masks, compacted like :class:`Compacted`, with some of what lies around it.

    Attributes
    ----------
    reference, prediction
        Bytes 0 and 1, shape (x', y', z').
    own
        Which inner corners of the grid are this part's; every other one is another part's, or touches nothing.
    """

    reference: NDArray[np.uint8]
    prediction: NDArray[np.uint8]
    own: tuple[slice, slice, slice]


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
    planes = _occupied_planes(reference, prediction)
    lines = [_line(*each) for each in zip(planes, edge, gap, strict=True)]
    return Compacted(_compacted(reference, lines), _compacted(prediction, lines))


def slabs(
    reference: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    *,
    edge: tuple[int, ...],
    gap: tuple[int, ...],
    voxels: int,
) -> Iterator[Slab]:
    """Cut two masks into parts of bounded size, each compacted by itself.

    Noise all over a volume cannot be compacted, and is taken a few planes at a time; and hundreds of specks, which
    together leave few planes empty, are few in each part.

    Parameters
    ----------
    reference, prediction, edge, gap
        As for :func:`compact`.
    voxels
        About so many at once, and as many more as ``gap`` planes on both sides are.

    Yields
    ------
    Slab
        Parts that own every inner corner where foreground and background meet, each of them once.
    """
    axis, *others = axes_in_memory(reference)  # a part of that axis is one piece of memory
    planes = _occupied_planes(reference, prediction)
    line = _line(planes[axis], edge[axis], gap[axis])
    area = math.prod(_line(planes[each], edge[each], gap[each]).length for each in others)
    margin, step = gap[axis], max(gap[axis], voxels // area, 1)
    for begin in range(0, line.length - 1, step):
        end = min(begin + step, line.length - 1)
        # Corner i lies between planes i and i + 1.
        if not ((line.targets >= begin) & (line.targets <= end)).any():
            continue
        part = line.between(max(0, begin - margin), min(line.length, end + 1 + margin))
        ahead = min(begin, margin)
        cut = [slice(None)] * 3
        cut[axis] = slice(int(part.sources[0]), int(part.sources[-1]) + 1)
        one, other = reference[tuple(cut)], prediction[tuple(cut)]
        lines = [_line(*each) for each in zip(_occupied_planes(one, other), edge, gap, strict=True)]
        lines[axis] = part._replace(sources=part.sources - part.sources[0])
        own = [slice(None)] * 3
        own[axis] = slice(ahead, ahead + end - begin)
        yield Slab(_compacted(one, lines), _compacted(other, lines), (own[0], own[1], own[2]))


class _Line(NamedTuple):
    """Which planes of an axis are kept, where they go, and how many there are then, empty ones included."""

    sources: NDArray[np.intp]
    targets: NDArray[np.intp]
    length: int

    def between(self, begin: int, end: int) -> _Line:
        """Return a piece of it."""
        kept = (self.targets >= begin) & (self.targets < end)
        return _Line(self.sources[kept], self.targets[kept] - begin, end - begin)


def _line(occupied: NDArray[np.intp], edge: int, gap: int) -> _Line:
    steps = np.minimum(np.diff(occupied, prepend=occupied[0]), gap + 1)
    targets = edge + np.cumsum(steps)
    return _Line(occupied, targets, int(targets[-1]) + 1 + edge)


def _compacted(mask: NDArray[np.bool_], lines: list[_Line]) -> NDArray[np.uint8]:
    """Copy what is kept, laid out in memory as the mask is."""
    axes = axes_in_memory(mask)
    found = np.zeros([lines[axis].length for axis in axes], np.uint8).transpose(np.argsort(axes))
    found[_index([line.targets for line in lines])] = mask[_index([line.sources for line in lines])]
    return found


def _index(places: list[NDArray[np.intp]]) -> tuple[slice | NDArray[np.intp], ...]:
    """Return an index of these places on each axis; of slices, which are much faster, where nothing is left out."""
    if all(each[-1] - each[0] == each.size - 1 for each in places):
        return tuple(slice(int(each[0]), int(each[-1]) + 1) for each in places)
    return np.ix_(*places)


def axes_in_memory(mask: NDArray[np.bool_]) -> list[int]:
    """Return the axes of a volume, the one that steps farthest through memory first."""
    return sorted(range(3), key=lambda axis: -abs(mask.strides[axis]))


def _occupied_planes(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return for each axis which planes hold foreground of either mask, in order."""
    # Whole planes that lie together in memory are scanned fast: put the axis that steps from one to the next first.
    axes = axes_in_memory(reference)
    one, other = reference.transpose(axes), prediction.transpose(axes)
    first = np.flatnonzero(one.any(axis=(1, 2)) | other.any(axis=(1, 2)))
    slab = slice(first[0], first[-1] + 1)
    rest = np.logical_or(one[slab].any(axis=0), other[slab].any(axis=0))
    planes = (first, np.flatnonzero(rest.any(axis=1)), np.flatnonzero(rest.any(axis=0)))
    return [planes[axes.index(axis)] for axis in range(3)]
