"""Taking a prediction out of the folder that a stranger's container wrote to."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from harness.engines.outcome import Ending, Outcome, Refusal
from harness.errors import FomoEvalError
from harness.records.files import CAREFULLY, remove_tree, writing

CHUNK = 1 << 20


@dataclass(frozen=True)
class Collected:
    """A prediction's copy, out of every container's reach."""

    path: Path
    bytes: int
    sha256: str


def collect(output: Path, name: str, target: Path, *, largest: int) -> Collected | Outcome:
    """Copy the prediction out, once its container has ended.

    Parameters
    ----------
    output
        The folder that was ``/output``.
    name
        The prediction's file name.
    target
        Folder for the copy; made when there is something to copy.
    largest
        Most bytes that are taken.

    Returns
    -------
    Collected or Outcome
        The copy, or why there is none.
    """
    output.chmod(0o700)
    folder = os.open(output, os.O_RDONLY | os.O_DIRECTORY | CAREFULLY)
    try:
        return _copy(folder, name, target, largest)
    except FomoEvalError:
        remove_tree(target)  # half a copy, on a disk that is full
        raise
    finally:
        os.close(folder)


def _copy(folder: int, name: str, target: Path, largest: int) -> Collected | Outcome:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        others = sorted(os.listdir(folder))[:3]
        also = f"; /output holds {', '.join(repr(other[:40]) for other in others)}" if others else "; /output is empty"
        return Outcome(Ending.NO_OUTPUT, f"/output/{name} was not written{also}")
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        return _refused(Refusal.NOT_A_FILE, f"/output/{name} is not a plain file of its own")
    if not status.st_mode & stat.S_IRUSR:  # as root we could, and the same file must end the same for everybody
        return _refused(Refusal.UNREADABLE, f"/output/{name} is closed to its owner")
    try:
        source = os.open(name, os.O_RDONLY | CAREFULLY, dir_fd=folder)
    except OSError as fault:
        return _refused(Refusal.UNREADABLE, f"/output/{name} cannot be read ({fault.strerror})")
    with os.fdopen(source, "rb") as stream:
        opened = os.fstat(source)
        if not stat.S_ISREG(opened.st_mode) or opened.st_nlink != 1:
            return _refused(Refusal.NOT_A_FILE, f"/output/{name} is not a plain file of its own")
        if opened.st_size > largest:
            return _refused(Refusal.TOO_LARGE, f"/output/{name} has {opened.st_size} bytes, more than {largest}")
        digest, taken = hashlib.sha256(), 0
        copy = target / name
        with writing(copy):
            target.mkdir(mode=0o700)
        with writing(copy), copy.open("xb") as out:
            while chunk := stream.read(min(CHUNK, largest + 1 - taken)):
                out.write(chunk)
                digest.update(chunk)
                taken += len(chunk)
    return Collected(copy, taken, digest.hexdigest())


def _refused(refusal: Refusal, detail: str) -> Outcome:
    return Outcome(Ending.INVALID_OUTPUT, detail, refusal=refusal)
