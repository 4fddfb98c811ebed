"""Pictures of at most sixteen colours as PNG, in four bits a pixel; a whole library for that would be a dependency.

The format is W3C's Portable Network Graphics, third edition: signature, header, palette, deflated rows, end.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BITS, INDEXED = 4, 3
MOST_COLOURS = 1 << BITS


def png(picture: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Encode an indexed picture.

    Parameters
    ----------
    picture
        Indices into the palette, shape (height, width).
    palette
        Red, green and blue, shape (at most 16, 3).
    """
    height, width = picture.shape
    even = np.pad(picture, ((0, 0), (0, width % 2)))
    packed = (even[:, ::2] << BITS) | even[:, 1::2]
    rows = np.pad(packed, ((0, 0), (1, 0)))  # each row begins with its filter: none
    header = struct.pack(">IIBBBBB", width, height, BITS, INDEXED, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
