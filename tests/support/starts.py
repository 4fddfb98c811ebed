"""Submissions that ``fomo-eval init`` writes, and the base image that they are built on where no registry answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.cohorts import REPOSITORY
from tests.support.commands import fomo_eval

TEAM = "fomo-eval-test-start"


def started(folder: Path, task: str, *, challenge: str | Path = "fomo25") -> Path:
    """Have ``fomo-eval init`` write a submission; return its folder."""
    ended = fomo_eval("init", folder, "--task", task, "--challenge", challenge, "--team", TEAM)
    assert ended.code == 0, ended.err
    return folder


def with_base() -> dict[str, str]:
    """Return this process's environment with the base image in it that this machine can get."""
    command = ["containers/build.sh", "--base"]
    printed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return {**os.environ, "BASE_IMAGE": printed.strip()}
