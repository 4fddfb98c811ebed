"""A harness that is killed at any instant: the same command goes on, and nothing is lost, doubled or left behind."""

from __future__ import annotations

import dataclasses
import random
import time
from pathlib import Path

import pytest

from harness.specs.challenge import Challenge
from tests.support.fault_runs import QUICK, Faulty, assert_whole, faulty_run, ours
from tests.support.runs import derived_bytes
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker

KILLS = 20
SEED = 25
FIRST_S, LAST_S = 0.3, 1.5
"""From while it plans to long after its first trial."""


def test_twenty_kills_at_random_instants_change_no_byte(
    engine: SecondEngine, fomo25: Challenge, tmp_path: Path
) -> None:
    faulty = faulty_run(
        engine, fomo25, tmp_path, {"alpha": QUICK, "beta": QUICK}, cases=15, tasks=("infarct", "brain_age")
    )
    assert faulty.trials >= 60
    chance, seen = random.Random(SEED), set[str]()
    # The first comes at once, before anything can be recorded, however fast the machine is.
    for instant in (0.0, *(chance.uniform(FIRST_S, LAST_S) for _ in range(KILLS))):
        process = faulty.start()
        time.sleep(instant)
        seen.add(phase(faulty))
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()
    ended = faulty.finish()
    assert ended.code == 0, ended.err
    assert_whole(faulty.out, faulty.trials)
    assert ours(engine) == []
    assert faulty.mounts() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run", "submissions", "temporary"]
    assert list(faulty.temporary.iterdir()) == []
    assert seen >= {"before the first trial", "running"}

    undisturbed = dataclasses.replace(faulty, out=tmp_path / "undisturbed")
    assert undisturbed.finish().code == 0
    assert derived_bytes(faulty.out) == derived_bytes(undisturbed.out)


def phase(faulty: Faulty) -> str:
    if faulty.containers():
        return "running"
    return "between trials" if faulty.recorded() else "before the first trial"
