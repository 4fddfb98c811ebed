"""The report of 19 teams × 3 tasks × 1,227 cases: how long, how much memory, how large, how soon it can be used.

Run from the repository: ``python -m benchmarks.report`` (some minutes, most of them to invent the run).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from harness.specs.loading import load_challenge
from tests.support.finished_runs import write_run

MOST_SECONDS, MOST_MB, MOST_PAGE_MB, MOST_READY_S = 20.0, 500.0, 1.5, 1.0
READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"


def measure(teams: int, cases: int) -> dict[str, float]:
    """Invent a run, write its report with the command line, and open the organisers' page."""
    with tempfile.TemporaryDirectory() as folder:
        store = write_run(Path(folder), load_challenge("fomo25"), teams=teams, cases=cases)
        command = [sys.executable, "-m", "harness", "report", str(store.folder)]
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=sys.stderr)
        took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        page = store.folder / "report" / "index.html"
        return {
            "wall_seconds": took,
            # Of the processors, so that what else runs on the machine does not count.
            "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "memory_mb": after.ru_maxrss / 1000,
            "page_mb": page.stat().st_size / 1e6,
            "largest_team_page_mb": max(each.stat().st_size for each in page.parent.glob("teams/*")) / 1e6,
            "ready_s": _ready(page),
        }


def _ready(page: Path) -> float:
    chromium = shutil.which(os.environ.get("FOMO_EVAL_CHROMIUM", "chromium"))
    if chromium is None:
        sys.exit("There is no chromium: run 'make browser'.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        times = []
        for _ in range(3):
            opened.goto(page.as_uri())
            times.append(float(opened.evaluate(READY)))
        browser.close()
    return sorted(times)[1]


def main() -> None:
    """Measure, print as JSON, and fail beyond a threshold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=19)
    parser.add_argument("--cases", type=int, default=1227)
    given = parser.parse_args()
    found = measure(given.teams, given.cases)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2))
    bounds = {"seconds": MOST_SECONDS, "memory_mb": MOST_MB, "page_mb": MOST_PAGE_MB, "ready_s": MOST_READY_S}
    beyond = [f"{name} is {found[name]:.2f}, more than {most:g}" for name, most in bounds.items() if found[name] > most]
    if beyond:
        sys.exit("; ".join(beyond))


if __name__ == "__main__":
    main()
