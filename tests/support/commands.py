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


def fomo_eval(*arguments: str | Path, timeout: float = 240, environment: Mapping[str, str] | None = None) -> Finished:
    """Run ``fomo-eval`` with these arguments."""
    words = [*COMMAND, *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
    return Finished(ended.returncode, ended.stdout, ended.stderr)
