"""A clock that is set while a run goes on: time limits are durations, and no jump lengthens or shortens them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from harness.commands.planning import RunOptions
from harness.commands.run import run
from harness.specs.challenge import Challenge
from tests.support.fault_runs import HANGS, SLOW, faulty_run
from tests.support.runs import records
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker

DAY_S = 86400.0
LIMIT_S = 2.0


def test_time_limits_hold_whatever_the_clock_says(
    engine: SecondEngine, fomo25: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = faulty_run(engine, fomo25, tmp_path, {"alpha": SLOW, "beta": HANGS}, cases=2)
    asked: list[float] = []
    true, jumps = time.time, itertools.cycle((DAY_S, -DAY_S, 7 * DAY_S, 0.0))

    def jumping() -> float:
        asked.append(true() + next(jumps))
        return asked[-1]

    monkeypatch.setattr(time, "time", jumping)
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    options = RunOptions(
        "fomo25", faulty.data, (faulty.submissions,), faulty.out, gpus="none", workers=2, seconds=LIMIT_S
    )
    assert run(options).unresolved == 0
    monkeypatch.undo()
    assert asked

    kept = records(faulty.out)
    endings = {name.split("/")[1]: record["outcome"]["ending"] for name, record in kept.items()}
    assert endings == {"alpha": "ok", "beta": "timeout"}
    for name, record in kept.items():
        if "/beta/" in name:
            assert LIMIT_S <= record["spans"]["container"] < LIMIT_S + 2
