"""Reads and writes NIfTI-1 volumes with numpy alone: importing nibabel would cost more than the model itself."""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

HEADER_BYTES = 348
DATATYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}
UINT8 = 2


@dataclass(frozen=True)
class Volume:
    """A volume turned to run right, anterior, superior, and how it was stored.

    Attributes
    ----------
    values
        Shape (x, y, z); x runs to the right, y to the front, z upwards, as nearly as the stored axes allow.
    spacing
        Voxel edges along x, y and z, mm.
    axes
        The stored axis that each of x, y and z was.
    flipped
        Whether that axis was stored in the opposite direction.
    header
        The stored header, 348 bytes.
    endianness
        ``"<"`` or ``">"``, of the header and the values.
    """

    values: Array
    spacing: tuple[float, float, float]
    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    header: bytes
    endianness: str


def read(path: Path) -> Volume:
    """Read a 3-D NIfTI-1 file, gzipped or not.

    Raises
    ------
    ValueError
        If it is not such a file, or its values are of a kind that MRI does not come in.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    endianness = next((sign for sign in "<>" if content[:4] == struct.pack(f"{sign}i", HEADER_BYTES)), None)
    if endianness is None:
        raise ValueError(f"{path.name} is not a NIfTI-1 file")
    dim = struct.unpack_from(f"{endianness}8h", content, 40)
    datatype = struct.unpack_from(f"{endianness}h", content, 70)[0]
    if datatype not in DATATYPES or dim[0] < 3 or any(size > 1 for size in dim[4 : dim[0] + 1]):
        raise ValueError(f"{path.name} is not a 3-D volume of real numbers")
    offset, slope, intercept = struct.unpack_from(f"{endianness}3f", content, 108)
    stored: NDArray[Any] = np.frombuffer(
        content, np.dtype(endianness + DATATYPES[datatype]), math.prod(dim[1:4]), max(int(offset), HEADER_BYTES)
    )
    values = stored.astype(np.float32)
    if slope not in (0.0, 1.0) or (slope and intercept):
        values = values * np.float32(slope) + np.float32(intercept)
    affine = voxel_to_world(content[:HEADER_BYTES], endianness)
    axes = world_axes(affine)
    flipped = tuple(bool(affine[world, axis] < 0) for world, axis in enumerate(axes))
    lengths = np.linalg.norm(affine, axis=0)
    turned = values.reshape(dim[1:4], order="F").transpose(axes)
    return Volume(
        values=np.ascontiguousarray(turned[steps(flipped)]),
        spacing=(float(lengths[axes[0]]), float(lengths[axes[1]]), float(lengths[axes[2]])),
        axes=axes,
        flipped=(flipped[0], flipped[1], flipped[2]),
        header=content[:HEADER_BYTES],
        endianness=endianness,
    )


def write_mask(path: Path, mask: Mask, like: Volume) -> None:
    """Write a mask, shape ``like.values.shape``, on the grid that ``like`` was stored on, with its header."""
    stored = mask[steps(like.flipped)].transpose(np.argsort(like.axes))
    header = bytearray(like.header)
    sign = like.endianness
    struct.pack_into(f"{sign}8h", header, 40, 3, *stored.shape, 1, 1, 1, 1)
    struct.pack_into(f"{sign}2h", header, 70, UINT8, 8)
    # Data start after the header and four empty bytes; values are stored unscaled and shown from 0 to 1.
    struct.pack_into(f"{sign}3f", header, 108, 352.0, 1.0, 0.0)
    struct.pack_into(f"{sign}2f", header, 124, 1.0, 0.0)
    header[344:348] = b"n+1\0"
    content = bytes(header) + bytes(4) + stored.astype(np.uint8).tobytes(order="F")
    path.write_bytes(gzip.compress(content, compresslevel=1, mtime=0))


def steps(flipped: tuple[bool, ...]) -> tuple[slice, ...]:
    """Return the index that turns flipped axes round."""
    return tuple(slice(None, None, -1) if flip else slice(None) for flip in flipped)


def voxel_to_world(header: bytes, sign: str) -> NDArray[np.float64]:
    """Return the affine without its shift, shape (3, 3), mm: of the sform, else the qform, else the spacing."""
    pixdim = np.array(struct.unpack_from(f"{sign}4f", header, 76))
    qform, sform = struct.unpack_from(f"{sign}2h", header, 252)
    if sform > 0:
        return np.array(struct.unpack_from(f"{sign}12f", header, 280)).reshape(3, 4)[:, :3]
    if qform <= 0:
        return np.diag(pixdim[1:])
    b, c, d = struct.unpack_from(f"{sign}3f", header, 256)
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    return np.asarray(turn * pixdim[1:] * np.array([1.0, 1.0, -1.0 if pixdim[0] < 0 else 1.0]))


def world_axes(affine: NDArray[np.float64]) -> tuple[int, int, int]:
    """Return the stored axis that runs most nearly along each world axis."""
    cosines = np.abs(affine / np.linalg.norm(affine, axis=0))
    axes = [-1, -1, -1]
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(cosines)), (3, 3))
        axes[int(world)] = int(axis)
        cosines[world, :] = cosines[:, axis] = -1
    return axes[0], axes[1], axes[2]
