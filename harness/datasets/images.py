"""Reading NIfTI files, trusted by nobody: the header is judged before voxels are touched."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from harness.datasets import stored
from harness.datasets.grids import Grid

HEADER_BYTES = 348
LARGEST_SIDE = 4096
LARGEST_OFFSET = 1 << 20
FARTHEST_MM = 1e6
SILENT = logging.Logger("silent", logging.CRITICAL + 1)
"""For nibabel, which would print what it finds odd in a header; a stranger's file does not write to our terminal."""


class NotAnImage(ValueError):
    """A file cannot be read as a three-dimensional NIfTI volume of plain numbers; the message says why."""


class NotPlainNumbers(NotAnImage):
    """A file is a volume, but of complex numbers, colours or records."""


@dataclass(frozen=True)
class Header:
    """What a NIfTI header says of its volume.

    Attributes
    ----------
    grid
        Its voxel grid; trailing axes of length one are dropped.
    stored_shape
        The shape as stored.
    dtype
        The stored type.
    zooms_mm
        Voxel sides as the header's pixdim gives them, which the affine may contradict.
    offset
        Where the voxel data begin in the decompressed file, in bytes.
    slope, intercept
        Stored values are multiplied by the slope, then the intercept is added.
    """

    grid: Grid
    stored_shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    zooms_mm: tuple[float, ...]
    offset: int
    slope: float
    intercept: float

    @property
    def data_bytes(self) -> int:
        """Size of the voxel data, decompressed."""
        return int(np.prod(self.stored_shape, dtype=object)) * self.dtype.itemsize


def read_header(path: Path) -> Header:
    """Read and judge a NIfTI header, without touching voxels.

    Parameters
    ----------
    path
        A ``.nii`` or ``.nii.gz`` file.

    Returns
    -------
    Header
        Of a volume that is three-dimensional, numeric, and placed by a finite, invertible affine.

    Raises
    ------
    NotAnImage
        With the reason.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused below
            header: Any = nib.Nifti1Header(_first_bytes(path), check=False)  # type: ignore[no-untyped-call]
            header.check_fix(logger=SILENT)
            shape, affine, zooms = header.get_data_shape(), header.get_best_affine(), header.get_zooms()
            slope, intercept = header.get_slope_inter()
            dtype, offset = header.get_data_dtype(), int(header.get_data_offset())
    except NotAnImage:
        raise
    except Exception as fault:  # nibabel raises whatever a hostile header makes numpy or struct raise
        raise NotAnImage(f"it has no readable NIfTI header ({type(fault).__name__})") from fault
    return Header(
        grid=Grid(_three_sides(shape), _usable(np.asarray(affine, dtype=np.float64))),
        stored_shape=shape,
        dtype=_plain(dtype),
        zooms_mm=tuple(float(zoom) for zoom in zooms[:3]),
        offset=_close(offset),
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
    )


def _first_bytes(path: Path) -> bytes:
    """Return the header, decompressed where the file is gzip; no more than its own bytes come of that."""
    try:
        with path.open("rb") as stream:
            start = stream.read(1 << 16)
    except OSError as fault:
        raise NotAnImage(f"it cannot be read ({fault.strerror})") from fault
    if not start:
        raise NotAnImage("the file is empty")
    if start.startswith(stored.GZIP_MAGIC):
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, HEADER_BYTES)
        except zlib.error as fault:
            raise NotAnImage("its gzip data are damaged") from fault
    if len(start) < HEADER_BYTES:
        raise NotAnImage("it is shorter than a NIfTI header")
    return start[:HEADER_BYTES]


def _three_sides(shape: tuple[int, ...]) -> tuple[int, int, int]:
    sides = shape
    while len(sides) > 3 and sides[-1] == 1:
        sides = sides[:-1]
    if len(sides) != 3:
        raise NotAnImage(f"it has {len(shape)} dimensions, not three")
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise NotAnImage(f"its shape is {' × '.join(map(str, shape))}")
    return (sides[0], sides[1], sides[2])


def _usable(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(affine).all():
        raise NotAnImage("its affine is not finite")
    if np.abs(affine).max() > FARTHEST_MM:
        raise NotAnImage("its affine puts it more than a kilometre from the scanner")
    if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise NotAnImage("its affine is singular")
    return affine


def _plain(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    if dtype.kind not in "iuf":
        raise NotPlainNumbers(f"its voxels are of type {dtype}, not plain numbers")
    return dtype


def _close(offset: int) -> int:
    if not HEADER_BYTES <= offset <= LARGEST_OFFSET:
        raise NotAnImage(f"its voxel data begin at byte {offset}")
    return offset


def read_voxels(path: Path, header: Header) -> NDArray[np.generic]:
    """Read the voxels that a judged header announces, scaled as it says, and not a byte more.

    Parameters
    ----------
    path, header
        The file and what :func:`read_header` returned for it.

    Returns
    -------
    ndarray
        Three-dimensional; of the stored type, or float64 where the header scales it.

    Raises
    ------
    NotAnImage
        The data are damaged or end early.
    """
    content = b"".join(stored_voxels(path, header))
    return scaled(np.frombuffer(content, header.dtype), header).reshape(header.grid.shape, order="F")


def stored_voxels(path: Path, header: Header, decompressor: ModuleType = zlib) -> Iterator[bytes]:
    """Read the voxels that a judged header announces as they are stored, a piece at a time.

    Parameters
    ----------
    path, header
        As for :func:`read_voxels`.
    decompressor
        As for :func:`~harness.datasets.stored.pieces`.

    Yields
    ------
    bytes
        Whole voxels, up to ``stored.PIECE`` bytes of them, the first axis running fastest.

    Raises
    ------
    NotAnImage
        The data are damaged or end early.
    """
    wanted, done, begun = header.offset + header.data_bytes, 0, b""
    try:
        for piece in stored.pieces(path, wanted, decompressor):
            before, done = done, done + len(piece)
            rest = begun + piece[max(0, header.offset - before) :]
            whole = len(rest) - len(rest) % header.dtype.itemsize
            begun = rest[whole:]
            if whole:
                yield rest[:whole]
    except (OSError, stored.Damaged) as fault:
        raise NotAnImage("its voxel data are damaged or end early") from fault
    if done < wanted:
        raise NotAnImage(f"its voxel data end after {done} of {wanted} bytes")


def scaled(voxels: NDArray[Any], header: Header) -> NDArray[Any]:
    """Scale stored voxels as the header says, in double precision; of the stored type where it says nothing."""
    if (header.slope, header.intercept) == (1.0, 0.0):
        return voxels
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not finite, and is judged as such
        precision = np.result_type(voxels.dtype, np.float64)
        return np.asarray(np.multiply(voxels, header.slope, dtype=precision) + header.intercept)


def require_whole(path: Path, header: Header) -> None:
    """Read a volume of ours to its end: it must be complete and, where it could be otherwise, finite.

    Raises
    ------
    NotAnImage
        With the reason.
    """
    for piece in stored_voxels(path, header):
        voxels = scaled(np.frombuffer(piece, header.dtype), header)
        if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
            raise NotAnImage("it holds voxels that are not finite")
