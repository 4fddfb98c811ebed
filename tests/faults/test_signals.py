"""Ctrl-C and SIGTERM end a run's containers promptly; a second one ends the harness at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness.specs.challenge import Challenge
from tests.support.commands import fomo_eval
from tests.support.fault_runs import HANGS, QUICK, Faulty, faulty_run, ours, until
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker

PROMPT_S = 2.0
AT_ONCE_S = 0.5
SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def hanging(engine: SecondEngine, fomo25: Challenge, tmp_path: Path) -> Faulty:
    """A run in which one trial answers, and two never end."""
    return faulty_run(engine, fomo25, tmp_path, {"alpha": QUICK, "beta": HANGS, "gamma": HANGS}, cases=2)


def hangs(faulty: Faulty) -> bool:
    return faulty.recorded() == 1 and len(faulty.containers()) == 2


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_ends_the_containers_and_keeps_what_is_recorded(hanging: Faulty, number: signal.Signals) -> None:
    process = hanging.start()
    until(lambda: hangs(hanging), process)
    began = time.monotonic()
    process.send_signal(number)
    until(lambda: not hanging.containers())
    ended = time.monotonic() - began
    _, err = process.communicate(timeout=20)
    assert ended < PROMPT_S
    assert process.returncode == 3
    assert err.strip().endswith("everything recorded so far is kept. Run the same command again to go on.")
    assert hanging.recorded() == 1
    assert ours(hanging.engine) == []
    assert hanging.mounts() == []


@pytest.mark.parametrize(("number", "second"), [SIGNALS, SIGNALS[::-1]])
def test_a_second_one_ends_the_harness_at_once_and_clean_removes_what_it_left(
    hanging: Faulty, number: signal.Signals, second: signal.Signals
) -> None:
    process = hanging.start()
    until(lambda: hangs(hanging), process)
    daemon = int((hanging.engine.folder / "pid").read_text())
    os.kill(daemon, signal.SIGSTOP)  # an engine that does not answer holds up the good order of the first
    try:
        process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        began = time.monotonic()
        process.send_signal(second)
        process.communicate(timeout=20)
        assert time.monotonic() - began < AT_ONCE_S
        assert process.returncode == 128 + second
    finally:
        os.kill(daemon, signal.SIGCONT)
    cleaned = fomo_eval("clean", hanging.out, environment=hanging.engine.environment)
    assert cleaned.code == 0, cleaned.err
    assert cleaned.out.count("Removed: container ") == 2
    assert ours(hanging.engine) == []
    assert hanging.mounts() == []
    assert not (hanging.out / "work").exists()
