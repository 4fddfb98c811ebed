"""The lock of a run directory: one run at a time uses it."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import RunDirectoryError
from harness.records.files import make_folder, writing

LOCK = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a run directory, made where it is not there; the lock goes with the process.

    Raises
    ------
    RunDirectoryError
        Another run is using it.
    """
    path = folder / LOCK
    with writing(folder):
        make_folder(folder)
    with writing(path):
        stream = path.open("a+", buffering=1)
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            stream.seek(0)
            raise _in_use(folder, stream.read()) from fault
        if not _is_still(path, stream.fileno()):  # the run that held it until now removed the directory
            raise _in_use(folder)
        with writing(path):
            stream.truncate(0)
            stream.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        yield


def _is_still(path: Path, opened: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(opened))
    except FileNotFoundError:
        return False


def _in_use(folder: Path, owner: str = "") -> RunDirectoryError:
    return RunDirectoryError(
        f"{folder}: another run is using it ({owner.strip() or 'unknown process'}).",
        remedy="Wait for it, stop it, or choose another --out.",
    )
