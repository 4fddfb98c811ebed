"""Reading masks: as small whole numbers, in one byte a voxel however they are stored, and with what they hold."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets import images, stored
from harness.datasets.images import Header, NotAnImage

ROUNDING = 1e-4
"""Voxels are taken as the whole number that they are this close to."""
LARGEST_CODE = 255
FOREGROUND = ""
"""The name of the only region of a binary mask."""
MOST_VALUES = LARGEST_CODE + 2
"""More values than there are codes are no mask; so many, the smallest, are enough to say so."""
ZEROS = bytes(2 * stored.PIECE)
"""As long as the longest piece, with what the one before it may have left over."""


@dataclass(frozen=True, eq=False)
class Mask:
    """The voxels of a mask.

    Attributes
    ----------
    codes
        Shape (x, y, z), first axis fastest. Whole numbers up to 255 as they are; whatever else is not zero is 255.
    values
        Which values there are, before they became codes: ascending, NaN last; of very many the smallest.
    finite
        Whether all of them are finite.
    """

    codes: NDArray[np.uint8]
    values: NDArray[Any]
    finite: bool

    @property
    def foreground_values(self) -> NDArray[Any]:
        """Which values there are besides zero."""
        return np.asarray(self.values[self.values != 0])

    def regions(self, structures: Mapping[str, int]) -> dict[str, NDArray[np.bool_]]:
        """Return where each structure is; of a binary mask one region without a name."""
        if not structures:
            return {FOREGROUND: self.foreground()}
        return {name: self.codes == code for name, code in structures.items()}

    def foreground(self) -> NDArray[np.bool_]:
        """Return where the mask is not zero, as a view where that can be."""
        binary = np.isin(self.values, (0, 1)).all()
        return self.codes.view(np.bool_) if binary else self.codes != 0


def read_mask(path: Path, header: Header, *, judged: bool = False) -> Mask:
    """Read the voxels of a mask, with what floating-point rounding did to whole numbers undone.

    A header scales in 32 bits: a mask that a library stored as 0 and 255 with a slope of 1/255 comes back with
    1.00000006, and a background that is stored with an intercept with -7e-9.

    Most of a mask is background, which costs a comparison of bytes: memory that is never written to is zero, and the
    system hands it out only where something is written.

    Parameters
    ----------
    path, header
        The file and what :func:`~harness.datasets.images.read_header` returned for it.
    judged
        Whether this very file was read before by this function and accepted; then with the fastest decompressor.

    Raises
    ------
    NotAnImage
        The data are damaged or end early, or the header announces more voxels than fit into memory.
    """
    if judged and stored.FASTEST is not zlib:
        with suppress(NotAnImage):  # zlib, which accepted it, has the last word
            return _read(path, header, stored.FASTEST)
    return _read(path, header, zlib)


def _read(path: Path, header: Header, decompressor: ModuleType) -> Mask:
    try:
        codes = np.zeros(math.prod(header.grid.shape), np.uint8)
    except (MemoryError, ValueError) as fault:
        raise NotAnImage("it has more voxels than fit into memory") from fault
    seen, begin, finite = _whole(images.scaled(np.zeros(0, header.dtype), header)), 0, True
    for piece in images.stored_voxels(path, header, decompressor):
        end = begin + len(piece) // header.dtype.itemsize
        if header.intercept == 0 and ZEROS.startswith(piece):
            seen = np.union1d(seen, np.zeros(1, seen.dtype))
        else:
            voxels = _whole(images.scaled(np.frombuffer(piece, header.dtype), header))
            found = _distinct(voxels, seen)
            finite = finite and bool(np.isfinite(found).all())
            seen = np.union1d(seen, found)[:MOST_VALUES]
            codes[begin:end] = voxels if _is_code(found).all() else np.where(_is_code(voxels), voxels, LARGEST_CODE)
        begin = end
    return Mask(codes.reshape(header.grid.shape, order="F"), seen, finite)


def listed(codes: Iterable[float]) -> str:
    """Write values for people.

    Examples
    --------
    >>> listed((0, 1)), listed((0, 1, 2))
    ('0 and 1', '0, 1 and 2')
    """
    *first, last = (f"{code:g}" for code in codes)
    return f"{', '.join(first)} and {last}"


def _whole(voxels: NDArray[Any]) -> NDArray[Any]:
    """Round what is as good as whole."""
    if voxels.dtype.kind != "f":
        return voxels
    with np.errstate(invalid="ignore"):  # infinities, and signalling NaNs
        nearest = np.rint(voxels)
        return np.asarray(np.where(np.abs(voxels - nearest) <= ROUNDING, nearest, voxels))


def _distinct(voxels: NDArray[Any], seen: NDArray[Any]) -> NDArray[Any]:
    """Return the distinct values, and all that are not finite; but of a volume with very many not the large ones."""
    with np.errstate(invalid="ignore"):
        low, high = voxels.min(), voxels.max()
        if ((voxels == low) | (voxels == high)).all():
            return np.unique(np.array([low, high], voxels.dtype))
        if seen.size == MOST_VALUES:  # sorting every piece of a volume of noise would take long
            voxels = voxels[~(voxels > seen[-1]) | ~np.isfinite(voxels)]
        return np.unique(voxels)


def _is_code(values: NDArray[Any]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((values >= 0) & (values <= LARGEST_CODE) & (values == np.rint(values)))
