"""An engine that is killed, stopped or loses an image under a run: no team's score suffers, and the run goes on."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Finished
from tests.support.fault_runs import Faulty, assert_whole, finished, ours, until
from tests.support.runs import board, derived_bytes
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker


@pytest.fixture
def faulty(undisturbed: Faulty, engine: SecondEngine, tmp_path: Path) -> Faulty:
    return dataclasses.replace(undisturbed, out=tmp_path / "run")


def struck(faulty: Faulty, strike: Callable[[], object], *more: str) -> Finished:
    """Run, and have something happen once a trial is recorded and another is running."""
    process = faulty.start(*more)
    until(lambda: faulty.recorded() and faulty.containers(), process)
    strike()
    return finished(process)


def spoiled(run: Path) -> list[dict[str, Any]]:
    """Read the attempts that the machine spoiled."""
    return [json.loads(file.read_text()) for file in sorted((run / "attempts").rglob("*.json"))]


def assert_as_undisturbed(faulty: Faulty, undisturbed: Faulty) -> None:
    """Check that a run is finished, and that nothing shows what happened to it but the attempts that it kept."""
    assert_whole(faulty.out, faulty.trials)
    assert derived_bytes(faulty.out) == derived_bytes(undisturbed.out)
    assert ours(faulty.engine) == []
    assert faulty.mounts() == []
    assert {attempt["outcome"]["blame"] for attempt in spoiled(faulty.out)} == {"infrastructure"}


@pytest.mark.parametrize("end", [SecondEngine.kill, SecondEngine.stop], ids=["killed", "stopped politely"])
def test_an_engine_that_comes_back_costs_attempts_and_nothing_else(
    faulty: Faulty, undisturbed: Faulty, end: Callable[[SecondEngine], None]
) -> None:
    def restart() -> None:
        end(faulty.engine)
        faulty.engine.start()

    ended = struck(faulty, restart)
    if ended.code != 0:  # it was away for longer than the patience of one run
        assert ended.code == 3, ended.err
        ended = faulty.finish()
    assert ended.code == 0, ended.err
    assert_as_undisturbed(faulty, undisturbed)


def test_an_engine_that_stays_away_stops_the_run_in_one_sentence(faulty: Faulty, undisturbed: Faulty) -> None:
    ended = struck(faulty, faulty.engine.kill)
    assert ended.code == 3, ended.err
    last = ended.err.strip().splitlines()[-1]
    assert last.startswith("Stopped: method/alpha/infarct/case_")
    assert last.endswith("Start the engine, then run the same command again.")
    before = faulty.recorded()
    assert 1 <= before < faulty.trials
    again = faulty.finish()
    assert again.code == 3
    assert again.err.startswith("Stopped: No Docker engine answers")
    assert again.err.count("\n") == 1
    faulty.engine.start()
    ended = faulty.finish()
    assert ended.code == 0, ended.err
    assert_as_undisturbed(faulty, undisturbed)


def test_an_image_that_is_gone_leaves_the_row_provisional_until_it_is_back(faulty: Faulty, undisturbed: Faulty) -> None:
    image = json.loads(next(faulty.submissions.iterdir()).read_text())["images"]["infarct"]

    def is_removed() -> bool:
        # Not while a container of it runs, whatever is forced; between two containers.
        words = ["docker", "rmi", "--force", faulty.engine.docker("inspect", "--format", "{{.Id}}", image)]
        return subprocess.run(words, env=faulty.engine.environment, capture_output=True).returncode == 0

    ended = struck(faulty, lambda: until(is_removed), "--workers", "1")
    assert ended.code == 3, ended.err
    assert "trials have no result yet" in ended.err
    assert {attempt["outcome"]["ending"] for attempt in spoiled(faulty.out)} == {"image_unavailable"}
    row = board(faulty.out)["method/alpha"]["tasks"]["infarct"]
    assert row["provisional"] is True
    again = faulty.finish()
    assert again.code == 3
    assert f"The image {image} is not on this machine" in again.err
    faulty.engine.load(image)
    ended = faulty.finish()
    assert ended.code == 0, ended.err
    assert_as_undisturbed(faulty, undisturbed)
