"""A clock that is set while a run goes on: time limits and recorded times are durations, whatever the clock says.

The engine stamps a container's start and end by the machine's clock, in UTC. To set that would be felt by everything
on the machine; here the stamps alone jump, in what the engine answers.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from docker.models.containers import Container

from harness.commands.planning import RunOptions
from harness.commands.run import run
from harness.specs.challenge import Challenge
from tests.support.fault_runs import HANGS, SLOW, faulty_run
from tests.support.runs import records
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker

LIMIT_S, AT_LEAST_S = 2.0, 0.7
NEVER = "0001-01-01T00:00:00Z"
ENDS = itertools.cycle(("2031-07-01T00:00:00.5Z", "1999-12-31T23:59:59.123456789Z"))


def test_time_limits_and_recorded_times_hold_whatever_the_clock_says(
    engine: SecondEngine, fomo25: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = faulty_run(engine, fomo25, tmp_path, {"alpha": SLOW, "beta": HANGS}, cases=2)
    read, jumped = Container.reload, []

    def read_after_a_jump(container: Container) -> None:
        read(container)
        if container.attrs["State"]["FinishedAt"] != NEVER:
            container.attrs["State"]["FinishedAt"] = next(ENDS)
            jumped.append(container.name)

    monkeypatch.setattr(Container, "reload", read_after_a_jump)
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    options = RunOptions(
        "fomo25", faulty.data, (faulty.submissions,), faulty.out, gpus="none", workers=2, seconds=LIMIT_S
    )
    assert run(options).unresolved == 0
    assert jumped

    kept = records(faulty.out)
    endings = {name.split("/")[1]: record["outcome"]["ending"] for name, record in kept.items()}
    assert endings == {"alpha": "ok", "beta": "timeout"}
    for name, record in kept.items():
        least = LIMIT_S if "/beta/" in name else AT_LEAST_S
        assert least <= record["spans"]["container"] < LIMIT_S + 2
