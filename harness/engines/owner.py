"""Whose a container is: the process that made it, told so that another process can see whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

PROCESSES = Path("/proc")
ENDED = ("Z", "X")


def this_process() -> str:
    """Name this process, as ``host/process id space/process id/start``.

    The start, in clock ticks since the machine's, tells it from a later process of the same id.
    """
    return "/".join((*_here(), str(os.getpid()), _start(str(os.getpid()))))


def is_dead(owner: str) -> bool:
    """Say whether a process that :func:`this_process` named has ended.

    Parameters
    ----------
    owner
        Its name, or any other text.

    Returns
    -------
    bool
        False for what this process cannot know of: other hosts' processes, those of other process id spaces (of
        containers, for one), and text that names no process.
    """
    host, space, process, start = (owner.split("/") + [""] * 4)[:4]
    if (host, space) != _here() or not process.isdecimal() or not start.isdecimal():
        return False
    return _start(process) != start


def _here() -> tuple[str, str]:
    return socket.gethostname(), str((PROCESSES / "self/ns/pid").stat().st_ino)


def _start(process: str) -> str:
    """Return when a process started; nothing where none of this id lives."""
    try:
        status = (PROCESSES / process / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The second field, the command's name in brackets, may itself hold spaces and brackets.
    state, *others = status.rpartition(")")[2].split()
    return "" if state in ENDED else others[18]
