"""Running the command line as its users do: as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-m", "harness")


@dataclass(frozen=True)
class Finished:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def becoming(user: int | None, socket: Path) -> list[str]:
    """Begin a command that runs as a user (None: the caller) who may use the engine behind a socket."""
    if user is None:
        return []
    group = socket.stat().st_gid
    return ["setpriv", "--reuid", str(user), "--regid", str(user), "--groups", str(group), "--inh-caps=-all"]


def fomo_eval(*arguments: str | Path, timeout: float = 240, environment: Mapping[str, str] | None = None) -> Finished:
    """Run ``fomo-eval`` with these arguments."""
    words = [*COMMAND, *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
    return Finished(ended.returncode, ended.stdout, ended.stderr)
