"""Writing files so that a reader finds either the old content or the new, whatever happens in between."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import DiskFull, InfrastructureError, RunDirectoryError

NO_SPACE_LEFT = 28
HALF_WRITTEN = ".fomo-eval-"
# Never follow a link, never block on a FIFO, never leak into a child.
CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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
        make_folder(path.parent)
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
    """Remove the files that dead processes were writing in a folder or below it; return which.

    Nobody else may have written below it.
    """
    with writing(folder):
        return tuple(path for path in sorted(folder.rglob(f"{HALF_WRITTEN}*")) if _removed(path))


def _removed(path: Path) -> bool:
    """Remove a file of ours, unless a live process is writing it."""
    with suppress(BlockingIOError, FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with os.fdopen(os.open(path, os.O_RDONLY | CAREFULLY)) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            return True
    return False


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

    Each folder inside is first moved to the top, so that neither recursion nor the length of a path sets a limit. What
    is opened is a folder, never a link to one, and all that follows is done through it: somebody who puts links in the
    place of folders meanwhile has nothing removed or opened elsewhere. Nothing is done where the folder is not there.

    Raises
    ------
    InfrastructureError
        Something in it cannot be removed.
    """
    try:
        with _opened(folder) as top:
            names = (f".{secrets.token_hex(8)}.{number}" for number in itertools.count())
            pending = _emptied(top, top, names)
            while pending:
                name = pending.pop()
                with _opened(name, within=top) as inner:
                    pending += _emptied(inner, top, names)
                os.rmdir(name, dir_fd=top)
        folder.rmdir()
    except FileNotFoundError:
        if os.path.lexists(folder):
            raise InfrastructureError(f"{folder}: changes while it is being removed.", remedy="Run again.") from None
    except OSError as fault:
        raise InfrastructureError(
            f"{folder}: cannot be removed ({fault.strerror}).", remedy="Remove it as root, then run again."
        ) from fault


@contextmanager
def _opened(name: Path | str, *, within: int | None = None) -> Iterator[int]:
    """Open a folder that may be closed to us, who own it, and have it open to us from then on."""
    named = os.open(name, os.O_PATH | os.O_DIRECTORY | CAREFULLY, dir_fd=within)
    try:
        os.chmod(f"/proc/self/fd/{named}", 0o700)  # noqa: PTH101 - what was opened, whatever its name leads to by now
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | CAREFULLY, dir_fd=named)
    finally:
        os.close(named)
    try:
        yield folder
    finally:
        os.close(folder)


def _emptied(folder: int, top: int, names: Iterator[str]) -> list[str]:
    """Remove the files of an open folder and move its folders to the top; return what they are called there."""
    with os.scandir(folder) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    moved = []
    for name, is_folder in listed:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        with _opened(name, within=folder):  # one that is closed to its owner cannot be moved
            moved.append(next(names))
            os.rename(name, moved[-1], src_dir_fd=folder, dst_dir_fd=top)
    return moved


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and have their names on disk when this returns."""
    if folder.exists():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
