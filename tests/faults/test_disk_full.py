"""A disk that fills up under a run: one sentence that names the folder, nothing half-written, and it goes on later."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_runs import Faulty, assert_whole, finished, ours, until
from tests.support.runs import derived_bytes
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker

ROOMY = 64 << 30
"""A tmpfs's size is only its limit."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "fomo-eval-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def fill(disk: Path) -> None:
    """Leave not a byte."""
    status = os.statvfs(disk)
    resize(disk, (status.f_blocks - status.f_bfree) * status.f_frsize)


def test_a_full_disk_stops_the_run_and_spoils_nothing(engine: SecondEngine, undisturbed: Faulty, disk: Path) -> None:
    faulty = dataclasses.replace(undisturbed, out=disk / "run")
    process = faulty.start()
    until(lambda: faulty.recorded() and faulty.containers(), process)
    while process.poll() is None:  # what the run itself frees is taken again
        fill(disk)
        time.sleep(0.02)
    stopped = finished(process)
    assert stopped.code == 3, stopped.err
    last = stopped.err.strip().splitlines()[-1]
    assert last.startswith("Stopped: ")
    assert str(faulty.out) in last
    assert "disk is full" in last
    for file in faulty.out.rglob("*.json"):
        json.loads(file.read_text())
    assert 1 <= faulty.recorded() < faulty.trials
    again = faulty.finish()
    assert again.code == 3
    assert again.err.strip().splitlines()[-1].startswith(f"Stopped: {faulty.out}: ")

    resize(disk, ROOMY)
    ended = faulty.finish()
    assert ended.code == 0, ended.err
    assert_whole(faulty.out, faulty.trials)
    assert ours(engine) == []
    assert derived_bytes(faulty.out) == derived_bytes(undisturbed.out)
