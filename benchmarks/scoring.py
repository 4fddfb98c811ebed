"""``fomo-eval score`` of nineteen teams at FOMO25's sizes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row
from benchmarks.runs import CASES, TEAMS, write_run

SECONDS, LEAN_MB = 60, 1000
COMMAND = [sys.executable, "-m", "harness", "score"]


def rows() -> Iterator[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder)).folder
        began = time.perf_counter()
        with subprocess.Popen([*COMMAND, str(run)], stdout=subprocess.DEVNULL, start_new_session=True) as process:
            peaks: list[float] = []
            watcher = threading.Thread(target=_watch, args=(process, peaks))
            watcher.start()
            code = process.wait()
            seconds = time.perf_counter() - began
            watcher.join()
    if code:
        raise AssertionError(f"fomo-eval score ended with {code}")
    what = f"score: {TEAMS} teams × ({' + '.join(map(str, CASES.values()))})"
    yield Row(what, f"{seconds:.1f} s", f"under {SECONDS} s", met=seconds < SECONDS)
    peak = max(peaks)
    yield Row("score: memory of all processes", f"peak {peak:.0f} MB", f"under {LEAN_MB} MB", met=peak < LEAN_MB)


def _watch(process: subprocess.Popen[bytes], peaks: list[float]) -> None:
    while process.poll() is None:
        peaks.append(sum(_mb(each) for each in _in_session(process.pid)))
        time.sleep(0.1)


def _in_session(session: int) -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session:
            yield folder


def _mb(process: Path) -> float:
    """Return a process's memory, its share alone of what it shares with others."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
