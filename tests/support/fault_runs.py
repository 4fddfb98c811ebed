"""Runs of many short trials on an engine of their own, for tests of what happens when something breaks under them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engines.engine import RUN_LABEL
from harness.specs.challenge import Challenge
from tests.support.commands import Finished, becoming
from tests.support.datasets import write_tiny_data
from tests.support.images import script_image
from tests.support.runs import records, write_submission
from tests.support.second_engine import SecondEngine

PATIENCE_S = 60.0

_IMPATIENT = """
from harness.cli import main
from harness.commands import run
from harness.execution.patience import Retries
run.Retries = lambda: Retries((0.2, 0.4, 0.8))
main()
"""

_ANSWER = """
import argparse, hashlib, pathlib, signal, time
parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
output = pathlib.Path(parser.parse_known_args()[0].output)
"""
QUICK = f"""{_ANSWER}
voxels = b"".join(path.read_bytes() for path in sorted(pathlib.Path("/input").iterdir()))
output.write_text(str(int.from_bytes(hashlib.sha256(voxels).digest()[:4], "big") / 2**32))
"""
"""Answers at once, with a number that follows from the case: a mix-up of cases changes the scores."""

SLOW = QUICK.replace("voxels =", "time.sleep(0.7)\nvoxels =")
HANGS = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.sigwait([signal.SIGUSR1])\n"
"""Goes on for ever, whatever signal it is asked to end by."""


@dataclass(frozen=True)
class Faulty:
    """A run that something is going to happen to.

    Attributes
    ----------
    engine
        Its own, which a test may end.
    data, submissions, out
        What it is given.
    tasks
        The tasks that its teams enter.
    user
        As whom it runs; None for the caller.
    """

    engine: SecondEngine
    data: Path
    submissions: Path
    out: Path
    tasks: tuple[str, ...]
    user: int | None = None

    @property
    def temporary(self) -> Path:
        """Where its cases are staged."""
        return self.data.parent / "temporary"

    @property
    def words(self) -> tuple[str, ...]:
        """The command that runs it."""
        options = ("--challenge", "fomo25", "--data", self.data, "--submissions", self.submissions, "--out", self.out)
        return ("run", *map(str, options), "--gpus", "none", "--workers", "2")

    @property
    def trials(self) -> int:
        """How many trials it has."""
        cases = sum(1 for _ in (self.data / "fomo-task1-val/labels").iterdir())
        return cases * len(self.tasks) * sum(1 for _ in self.submissions.iterdir())

    @property
    def becoming(self) -> list[str]:
        """How a command begins that is run as whoever it runs as."""
        return becoming(self.user, self.engine.folder / "socket")

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Start it as a process that waits only for moments before it tries again."""
        return subprocess.Popen(
            [*self.becoming, sys.executable, "-c", _IMPATIENT, *self.words, *more],
            env={**self.engine.environment, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *more: str) -> Finished:
        """Run it to its end."""
        return finished(self.start(*more))

    def recorded(self) -> int:
        """Count the trials that have a final record."""
        return sum(1 for _ in (self.out / "records").rglob("*.json"))

    def containers(self, *more: str) -> list[str]:
        """List the containers that it has on its engine: with ``--all``, those that have ended too."""
        if not (self.out / "run.json").is_file():
            return []
        identity = json.loads((self.out / "run.json").read_text())["id"]
        words = ("ps", "--quiet", "--no-trunc", "--filter", f"label={RUN_LABEL}={identity}", *more)
        return self.engine.docker(*words).split()

    def mounts(self) -> list[str]:
        """List what is mounted for its containers."""
        points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
        return [point for point in points if point.startswith(f"{self.temporary.resolve()}/")]


def faulty_run(
    engine: SecondEngine,
    challenge: Challenge,
    folder: Path,
    scripts: Mapping[str, str],
    *,
    cases: int = 4,
    tasks: tuple[str, ...] = ("infarct",),
) -> Faulty:
    """Write cases and submissions, and give the engine the teams' images."""
    write_tiny_data(folder / "data", challenge, tuple(f"case_{number}" for number in range(cases)))
    (folder / "temporary").mkdir()
    for team, script in scripts.items():
        image = script_image(script)
        engine.load(image)
        write_submission(folder / "submissions", team, dict.fromkeys(tasks, image))
    return Faulty(engine, folder / "data", folder / "submissions", folder / "run", tasks)


def finished(process: subprocess.Popen[str]) -> Finished:
    """Wait for the end of a run."""
    out, err = process.communicate(timeout=2 * PATIENCE_S)
    assert "Traceback" not in err, err
    return Finished(process.returncode, out, err)


def ours(engine: SecondEngine) -> list[str]:
    """List the names of all containers on an engine that a run of ours made, ended or not."""
    return engine.docker("ps", "--all", "--filter", f"label={RUN_LABEL}", "--format", "{{.Names}}").split()


def until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something that is bound to happen while a process runs."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"nothing came of it within {PATIENCE_S:.0f} s"
        time.sleep(0.02)


def assert_whole(run: Path, trials: int) -> dict[str, dict[str, Any]]:
    """Check that each trial is recorded once, with the prediction that its record names, and that nothing lies about.

    Returns
    -------
    dict
        The records.
    """
    for file in run.rglob("*.json"):
        json.loads(file.read_text())
    kept = records(run)
    assert len(kept) == trials
    predictions = {record["prediction"]["file"] for record in kept.values() if record.get("prediction")}
    assert predictions == {path.relative_to(run).as_posix() for path in (run / "predictions").rglob("*.*")}
    assert all((run / name).stat().st_size > 0 for name in predictions)
    assert not (run / "work").exists()
    assert list(run.rglob(".*")) == []
    return kept
