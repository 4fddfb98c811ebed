"""Files of strangers, a piece at a time: gunzipped on the way, and never more of them than was asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

try:  # the extra `fast`
    from isal import isal_zlib

    FASTEST: ModuleType = isal_zlib
except ImportError:
    FASTEST = zlib

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 16
PIECE = 1 << 19
SOME_MEMBERS, LEAST_PER_MEMBER = 64, 4096
"""A gzip file may be many files in a row: a few of any size; of more, so many bytes each must come on average."""


class Damaged(ValueError):
    """A gzip file cannot be decompressed as far as was asked for."""


def pieces(path: Path, wanted: int, decompressor: ModuleType = zlib) -> Iterator[bytes]:
    """Read the first bytes of a file, or of what it decompresses to where it is gzip.

    Parameters
    ----------
    path
        The file.
    wanted
        How many bytes to read, and not one more is kept.
    decompressor
        ``zlib``, or ``FASTEST`` for what zlib has accepted before: it is several times as fast, but lets some damage
        pass that zlib does not, and what is accepted must not depend on what a machine has installed.

    Yields
    ------
    bytes
        Up to ``PIECE`` of them, in order; fewer than ``wanted`` in all where the file ends.

    Raises
    ------
    Damaged
        The gzip data are damaged, or end within a member.
    OSError
        The file cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        if stream.read(2) != GZIP_MAGIC:
            stream.seek(0)
            while wanted > 0 and (piece := stream.read(min(PIECE, wanted))):
                wanted -= len(piece)
                yield piece
            return
        stream.seek(0)
        try:
            yield from _inflated(stream, wanted, decompressor)
        except (EOFError, decompressor.error) as fault:
            raise Damaged from fault


def _inflated(stream: BinaryIO, wanted: int, decompressor: ModuleType) -> Iterator[bytes]:
    """Decompress so many bytes and no more; fewer where the file ends. Raises EOFError within a gzip member.

    The standard library's reader would spend minutes on millions of empty members, or on a name of 256 MiB. What
    is waiting to be decompressed stays small, as zlib copies what is left of it at each call.
    """
    done, waiting = 0, stream.read(CHUNK)
    for _ in range(SOME_MEMBERS + wanted // LEAST_PER_MEMBER):
        member = decompressor.decompressobj(wbits=31)
        while not member.eof:
            waiting = waiting or stream.read(CHUNK)
            if not waiting:
                raise EOFError
            # One byte more than is wanted: on the way to it, zlib compares the checksum of what ends there.
            piece = member.decompress(waiting, min(PIECE, wanted + 1 - done))
            done += len(piece)
            if done > wanted:
                yield piece[:-1]
                return
            yield piece
            waiting = member.unconsumed_tail
        waiting = member.unused_data or stream.read(CHUNK)
        if done == wanted or not waiting:
            break
