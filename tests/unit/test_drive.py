"""The driver: it records each trial as it ends, stops where going on is hopeless, and goes on where it stopped."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.errors import (
    DatasetError,
    DeviceUnavailable,
    DiskFull,
    EngineUnavailable,
    FomoEvalError,
    ImageUnavailable,
    RunInterrupted,
)
from harness.execution.bench import Devices
from harness.records import store as store_module
from harness.records.plan import Plan
from harness.records.record import Record
from harness.records.store import RunStore
from harness.specs.challenge import Challenge
from tests.support.datasets import volume_of, write_tiny_data
from tests.support.fake_runs import answering, carried_out
from tests.support.plans import all_cases, make_plan, submission
from tests.support.specs import one_line

CASES = tuple(f"case_{n}" for n in range(8))


class Runs:
    """One task of eight cases for two teams."""

    def __init__(self, challenge: Challenge, root: Path, out: Path) -> None:
        self.root, self.out = root, out
        self.cases = all_cases(challenge, root, "infarct")
        teams = (submission("alpha", "infarct"), submission("beta", "infarct"))
        self.plan: Plan = make_plan(challenge, self.cases, *teams)
        self.seen: Counter[tuple[str, str]] = Counter()

    def carry_out(self, fault: FomoEvalError | None = None, on: str = "", team: str = "alpha") -> RunStore:
        """Run, counting containers; a fault, where given, strikes one team's container of one case."""

        def answer(of_team: str, case: str) -> bytes:
            self.seen[of_team, case] += 1
            if fault is not None and (of_team, case) == (team, on):
                raise fault
            return b"0.5"

        images = {
            f"{name}:1": answering(self.cases, lambda _, case, name=name: answer(name, case))  # type: ignore[misc]
            for name in ("alpha", "beta")
        }
        return carried_out(self.plan, self.root, self.out, images)

    def recorded(self) -> int:
        return len(list((self.out / "records").rglob("*.json")))


@pytest.fixture
def runs(fomo25: Challenge, tmp_path: Path) -> Runs:
    return Runs(fomo25, write_tiny_data(tmp_path / "data", fomo25, CASES), tmp_path / "run")


def test_every_trial_runs_once_and_is_recorded(runs: Runs) -> None:
    runs.carry_out()
    assert runs.seen == {(team, case): 1 for team in ("alpha", "beta") for case in CASES}
    assert runs.recorded() == 16
    runs.carry_out()
    assert set(runs.seen.values()) == {1}


@pytest.mark.parametrize(
    ("fault", "ending"),
    [(ImageUnavailable("It is gone."), "image_unavailable"), (DeviceUnavailable("It fell off."), "gpu_lost")],
)
def test_a_fault_of_one_trial_leaves_it_open_and_the_others_go_on(
    runs: Runs, fault: FomoEvalError, ending: str
) -> None:
    store = runs.carry_out(fault, on="case_3")
    assert runs.recorded() == 15
    attempts = list((runs.out / "attempts").rglob("*.json"))
    assert [path.name for path in attempts] == ["case_3.1.json"]
    assert f'"ending": "{ending}"' in attempts[0].read_text()
    runs.carry_out()
    assert runs.recorded() == 16
    again = store.records(runs.plan.entries[0], runs.cases["infarct"])["case_3"]
    assert again is not None
    assert again.attempt == 2
    assert sum(runs.seen.values()) == 17


@pytest.mark.parametrize("fault", [EngineUnavailable("It stopped."), DiskFull("It is full.")])
def test_where_going_on_is_hopeless_the_run_stops_and_keeps_what_ended(runs: Runs, fault: FomoEvalError) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        runs.carry_out(fault, on="case_3")
    assert one_line(caught.value).startswith(f"method/alpha/infarct/case_3: {fault.message}")
    before = runs.recorded()
    assert before < 16
    runs.carry_out()
    assert runs.recorded() == 16
    # What was recorded before the stop did not run again; what had been stopped in between did.
    assert sum(runs.seen.values()) <= 16 + 1 + 4


def test_an_interrupt_keeps_what_ended_and_the_rest_runs_later(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    commit = RunStore.commit

    def interrupted(self: RunStore, *words: object, **more: object) -> bool:
        kept.append("")
        if len(kept) == 5:
            raise KeyboardInterrupt
        return commit(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(RunStore, "commit", interrupted)
    with pytest.raises(RunInterrupted) as caught:
        runs.carry_out()
    assert "everything recorded so far is kept" in one_line(caught.value)
    monkeypatch.undo()
    assert 4 <= runs.recorded() < 16
    runs.carry_out()
    assert runs.recorded() == 16


WITHIN_A_COMMIT = ("write_atomically", "write_once", "remove_tree")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", WITHIN_A_COMMIT)
def test_an_interrupt_in_the_middle_of_recording_loses_and_doubles_nothing(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
) -> None:
    """Ctrl-C comes before or after any step of a commit, when other trials have ended and are still to be recorded."""
    true, calls = getattr(store_module, step), Counter[str]()

    def interrupted(path: Path, *words: bytes) -> object:
        calls["all"] += "case_" in str(path) or step == "remove_tree"
        strikes = calls["all"] == 3
        if strikes and moment == "before":
            raise KeyboardInterrupt
        done = true(path, *words)
        if strikes:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(store_module, step, interrupted)
    with pytest.raises(RunInterrupted) as caught:
        runs.carry_out()
    assert caught.value.exit_code == 3
    monkeypatch.undo()
    before = runs.recorded()
    assert 1 <= before < 16
    assert len(list((runs.out / "predictions").rglob("*.txt"))) == before
    ran = sum(runs.seen.values())
    runs.carry_out()
    assert runs.recorded() == 16
    assert sum(runs.seen.values()) == ran + 16 - before


def test_one_record_that_cannot_be_written_does_not_cost_the_others(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a run is being stopped, several trials wait to be recorded; a file in the way spoils one of them."""
    spoiled, commit = list[str](), RunStore.commit

    def interrupted(self: RunStore, record: Record, **more: Any) -> bool:
        if not spoiled:
            spoiled.append(record.trial.team)
            first = self.folder / "records" / record.trial.track / record.trial.team
            first.parent.mkdir(parents=True)
            first.write_text("in the way")
            while sum(runs.seen.values()) < 2:
                time.sleep(0.01)
            raise KeyboardInterrupt
        return commit(self, record, **more)

    monkeypatch.setattr(RunStore, "commit", interrupted)
    with pytest.raises(RunInterrupted):
        runs.carry_out()
    recorded = {path.parts[-3] for path in (runs.out / "records").rglob("*.json")}
    assert recorded == {"alpha", "beta"} - set(spoiled)


def test_a_volume_that_changes_under_the_run_stops_it(runs: Runs, fomo25: Challenge) -> None:
    volume_of(runs.root, fomo25.task("infarct"), "case_5", "adc").write_bytes(b"another")
    with pytest.raises(DatasetError, match="has changed since it was planned"):
        runs.carry_out()


def test_an_image_for_another_processor_is_never_started(runs: Runs, fomo25: Challenge) -> None:
    image = runs.plan.entries[0].image.model_copy(update={"platform": "linux/arm64"})
    foreign = runs.plan.entries[0].model_copy(update={"image": image})
    runs.plan = runs.plan.model_copy(update={"entries": (foreign, runs.plan.entries[1])})
    store = runs.carry_out()
    endings = {each.outcome.ending for each in store.records(foreign, runs.cases["infarct"]).values() if each}
    assert endings == {"wrong_platform"}
    assert {team for team, _ in runs.seen} == {"beta"}


def test_each_gpu_is_one_container_s_at_a_time() -> None:
    devices, busy, most = Devices(("GPU-a", "GPU-b")), Counter[str](), Counter[str]()
    lock = threading.Lock()

    def work() -> None:
        for _ in range(200):
            with devices.lease(wanted=True) as device:
                assert device is not None
                with lock:
                    busy[device] += 1
                    most[device] = max(most[device], busy[device])
                with lock:
                    busy[device] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == {"GPU-a": 1, "GPU-b": 1}
    with devices.lease(wanted=False) as device:
        assert device is None
