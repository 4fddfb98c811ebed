"""What the teams do with a brain's voxels, in numpy alone: scaling, smoothing, growing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from volumes import Array, Mask, Volume

WORKING_MM = 2.0
# A median needs no more than one voxel in eight.
SPARSE = (slice(None, None, 2),) * 3


@dataclass(frozen=True)
class Scan:
    """One case's sequences, cropped to the brain, on voxels of about 2 mm, and the way back.

    Attributes
    ----------
    sequences
        Brightness relative to the brain's median, by name; 0 outside the brain. All of shape ``brain.shape``.
    brain
        Where there is brain; the rest of the box is air or skull that was taken off.
    spacing
        Voxel edges, mm.
    blocks
        How many voxels of the first volume went into one of these along each axis.
    corner
        The first volume's voxel at which this box starts.
    like
        The first volume.
    """

    sequences: Mapping[str, Array]
    brain: Mask
    spacing: tuple[float, ...]
    blocks: tuple[int, ...]
    corner: tuple[int, ...]
    like: Volume

    def voxels(self, reach_mm: float) -> tuple[int, ...]:
        """Return how many voxels along each axis a reach in mm is, rounded."""
        return tuple(round(reach_mm / edge) for edge in self.spacing)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, mL."""
        return float(np.prod(self.spacing)) / 1000

    def mean_around(self, values: Array, reach_mm: float) -> Array:
        """Return the mean over the brain voxels within a reach in mm along each axis, and 0 outside the brain."""
        reach = self.voxels(reach_mm)
        count = sum_around(self.brain.astype(np.float32), reach)
        return np.where(self.brain, sum_around(values, reach) / np.maximum(count, 0.5), np.float32(0))

    def restored(self, mask: Mask) -> Mask:
        """Return a mask of this box on the first volume's own voxels."""
        for axis, size in enumerate(self.blocks):
            mask = mask.repeat(size, axis=axis)
        whole = np.zeros(self.like.values.shape, dtype=bool)
        place = tuple(slice(start, start + size) for start, size in zip(self.corner, mask.shape, strict=True))
        shape = whole[place].shape
        whole[place] = mask[tuple(slice(size) for size in shape)]
        return whole


def look(volumes: Mapping[str, Volume]) -> Scan:
    """Bring the volumes of a case onto one grid; the first says which, and where the brain is."""
    like = next(iter(volumes.values()))
    blocks = tuple(max(1, int(WORKING_MM / edge + 0.25)) for edge in like.spacing)
    extent = [np.flatnonzero((like.values > 0).any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
    box = tuple(slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(None) for where in extent)
    brain = coarse(like.values[box], blocks) > 0
    return Scan(
        sequences={
            name: scaled(coarse(on_grid(volume.values, like.values.shape)[box], blocks), brain)
            for name, volume in volumes.items()
        },
        brain=brain,
        spacing=tuple(edge * size for edge, size in zip(like.spacing, blocks, strict=True)),
        blocks=blocks,
        corner=tuple(part.start or 0 for part in box),
        like=like,
    )


def on_grid(values: Array, shape: tuple[int, ...]) -> Array:
    """Return the values on another number of voxels that cover the same ground, each from the nearest."""
    if values.shape == shape:
        return values
    nearest = [(np.arange(new) * old / new).astype(int) for old, new in zip(values.shape, shape, strict=True)]
    return values[np.ix_(*nearest)]


def coarse(values: Array, blocks: tuple[int, ...]) -> Array:
    """Return the means of blocks of voxels; those at the far edges may hold fewer."""
    for axis, size in enumerate(blocks):
        if size > 1:
            starts = np.arange(0, values.shape[axis], size)
            counts = np.diff(starts, append=values.shape[axis]).astype(np.float32)
            shape = [1, 1, 1]
            shape[axis] = -1
            values = np.add.reduceat(values, starts, axis=axis) / counts.reshape(shape)
    return values


def scaled(values: Array, brain: Mask) -> Array:
    """Return the values relative to the brain's median: scanners have no common unit of brightness."""
    inside = values[SPARSE][brain[SPARSE]]
    middle = inside.size // 2
    # np.median would do, but its first call imports numpy.ma, which takes longer than all the rest of this function.
    unit = max(float(np.partition(inside, middle)[middle]), 1e-6) if inside.size else 1.0
    return np.where(brain, values, np.float32(0)) / np.float32(unit)


def sum_around(values: Array, reach: tuple[int, ...]) -> Array:
    """Return the sum over the box of ``2 * reach + 1`` voxels around each voxel; beyond the edges all is 0."""
    # Products with banded matrices are far quicker than running sums, whatever the reach.
    x, y, z = (band(size, steps) for size, steps in zip(values.shape, reach, strict=True))
    along_x: Array = (x @ values.reshape(values.shape[0], -1)).reshape(values.shape)
    total: Array = y @ along_x @ z
    return total


def band(size: int, reach: int) -> Array:
    """Return the matrix, shape (size, size), that is 1 up to ``reach`` steps off its diagonal."""
    place = np.arange(size)
    return np.asarray(np.abs(place[:, None] - place) <= reach, dtype=np.float32)


def grown(mask: Mask) -> Mask:
    """Return the mask and the voxels that share a face with it."""
    wider = mask.copy()
    for axis in range(3):
        first, last = [slice(None)] * 3, [slice(None)] * 3
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        wider[tuple(first)] |= mask[tuple(last)]
        wider[tuple(last)] |= mask[tuple(first)]
    return wider


def shrunk(mask: Mask) -> Mask:
    """Return the voxels of the mask that share no face with a voxel outside it."""
    return ~grown(~mask)


def connected(mask: Mask, seed: tuple[int, ...]) -> Mask:
    """Return the part of the mask that hangs together with the seed voxel."""
    part = np.zeros_like(mask)
    part[seed] = mask[seed]
    reached = 0
    while (count := int(np.count_nonzero(part))) > reached:
        reached = count
        part = grown(part) & mask
    return part


def peak(values: Array) -> tuple[int, ...]:
    """Return the voxel of the greatest value."""
    return tuple(int(place) for place in np.unravel_index(int(values.argmax()), values.shape))
