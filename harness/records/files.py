"""Writing files so that a reader finds either the old content or the new, whatever happens in between."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import DiskFull, RunDirectoryError

NO_SPACE_LEFT = 28


def to_json(content: object) -> bytes:
    """Serialise for people and machines: sorted keys, two spaces, no NaN."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content as a whole, and have it on disk when this returns."""
    with _written_beside(path, content) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


def write_once(path: Path, content: bytes) -> bool:
    """Create a file with this content unless it exists; return whether this call created it."""
    with _written_beside(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


@contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[Path]:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell a full disk and a refused path in one sentence each."""
    try:
        yield
    except OSError as fault:
        if fault.errno == NO_SPACE_LEFT:
            raise DiskFull(
                f"{path}: the disk is full.", remedy="Free space, then run the same command again."
            ) from fault
        raise RunDirectoryError(f"{path}: cannot be written ({fault.strerror}).", remedy="Check the folder.") from fault


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
