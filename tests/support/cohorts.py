"""Small cohorts for tests, written by the demo's own generator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


def write_cohort(folder: Path, cases: str, finetuning: str = "0,0,0") -> Path:
    """Write a cohort with so many cases per task; return the folder that ``--data`` takes."""
    command = [sys.executable, "-m", "examples.cohort", "--out", str(folder)]
    command += ["--cases", cases, "--finetuning", finetuning, "--processes", "1"]
    subprocess.run(command, check=True, cwd=REPOSITORY, capture_output=True)
    return folder / "validation"
