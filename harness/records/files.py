"""Writing files so that a reader finds either the old content or the new, whatever happens in between."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import DiskFull, RunDirectoryError

NO_SPACE_LEFT = 28
HALF_WRITTEN = ".fomo-eval-"


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
        handle, name = tempfile.mkstemp(prefix=HALF_WRITTEN, dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                # Held until the file has its name: what nobody holds, a dead process was writing.
                fcntl.flock(stream, fcntl.LOCK_EX)
                stream.write(content)
                stream.flush()
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
                yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def remove_half_written(folder: Path) -> tuple[Path, ...]:
    """Remove the files that dead processes were writing in a folder or below it; return which."""
    removed = []
    for path in sorted(folder.rglob(f"{HALF_WRITTEN}*")):
        with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            removed.append(path)
    return tuple(removed)


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


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours that a stranger wrote below, whatever the depth and modes of what is there.

    Each folder inside is first moved to the top, so that neither recursion nor the length of a path sets a limit.
    Links are removed and never followed. Nothing is done where the folder is not there.
    """
    if not folder.is_dir():
        return
    token, pending, moved = secrets.token_hex(8), [folder], 0
    while pending:
        current = pending.pop()
        current.chmod(0o700)
        with os.scandir(current) as entries:
            listed = list(entries)
        for entry in listed:
            inner = Path(entry.path)
            if not entry.is_dir(follow_symlinks=False):
                inner.unlink()
                continue
            inner.chmod(0o700)  # a folder that is closed to its owner cannot be moved
            pending.append(inner.rename(folder / f".{token}.{moved}"))
            moved += 1
        if current != folder:
            current.rmdir()
    folder.rmdir()


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
