"""How long a run puts up with failures: the machine's are tried again, a team's end in not trying any more."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.score import score_and_rank
from harness.engines.engine import RunResult
from harness.engines.outcome import Ending
from harness.errors import DiskFull, EngineFault, EngineUnavailable, InfrastructureError
from harness.execution.drive import missing_trials
from harness.execution.plan import shuffled
from harness.records.plan import Plan
from harness.records.record import Record
from harness.records.store import RunStore
from harness.specs.challenge import Challenge
from tests.support.datasets import write_tiny_data
from tests.support.fake_runs import Answer, answering, carried_out
from tests.support.plans import all_cases, make_plan, submission
from tests.support.runs import board

CASES = tuple(f"case_{number}" for number in range(8))
ANSWERED = b"0.5"
SPOILED = EngineFault("The engine hiccuped.")
AWAY = EngineUnavailable("It is away.")
KILLED, TERMINATED = RunResult(exit_code=137), RunResult(exit_code=143)
WAITS_S = (0.01, 0.02, 0.03)


class Runs:
    """One task of eight cases for two teams, whose containers end as a test says, attempt by attempt."""

    def __init__(self, challenge: Challenge, folder: Path) -> None:
        self.out = folder / "run"
        self.root = write_tiny_data(folder / "data", challenge, CASES)
        self.cases = all_cases(challenge, self.root, "infarct")
        self.plan = make_plan(challenge, self.cases, submission("alpha", "infarct"), submission("beta", "infarct"))
        self.script: dict[tuple[str, str], list[Answer | Callable[[], bytes]]] = {}
        self.started: dict[tuple[str, str], list[float]] = defaultdict(list)

    def ends(self, team: str, case: str, *answers: Answer | Callable[[], bytes]) -> None:
        """Have a trial's attempts end so, one after the other; the last for all that follow."""
        self.script[team, case] = list(answers)

    def all_end(self, team: str, answer: Answer) -> None:
        for case in CASES:
            self.ends(team, case, answer)

    def carry_out(
        self, *, waits_s: tuple[float, ...] = WAITS_S, fail_fast_after: int = 0, workers: int = 1
    ) -> RunStore:
        self.plan = self.plan.model_copy(update={"fail_fast_after": fail_fast_after})
        images = {f"{team}:1": answering(self.cases, self._answers(team)) for team in ("alpha", "beta")}
        return carried_out(self.plan, self.root, self.out, images, workers=workers, waits_s=waits_s)

    def _answers(self, team: str) -> Callable[[str, str], Answer]:
        def answer(_: str, case: str) -> Answer:
            self.started[team, case].append(time.monotonic())
            left = self.script.get((team, case), [ANSWERED])
            ends = left.pop(0) if len(left) > 1 else left[0]
            return ends() if callable(ends) else ends

        return answer

    def attempts(self) -> dict[str, str]:
        """Read the endings of the attempts that the machine spoiled, by team, case and number."""
        root = self.out / "attempts/method"
        return {
            f"{file.relative_to(root).parts[0]} {file.stem}": json.loads(file.read_text())["outcome"]["ending"]
            for file in sorted(root.rglob("*.json"))
        }

    def record(self, team: str, case: str) -> Record | None:
        entry = next(each for each in self.plan.entries if each.team == team)
        return RunStore.open(self.out).records(entry, self.cases["infarct"])[case]

    def endings(self, team: str) -> Counter[str]:
        return Counter(each.outcome.ending for case in CASES if (each := self.record(team, case)) is not None)


@pytest.fixture
def runs(fomo25: Challenge, tmp_path: Path) -> Runs:
    return Runs(fomo25, tmp_path)


@pytest.mark.parametrize("spoiled", [1, 2, 3])
@pytest.mark.parametrize(
    ("fault", "ending"),
    [(SPOILED, "engine_fault"), (EngineUnavailable("It is away."), "engine_down"), (DiskFull("Full."), "disk_full")],
)
def test_a_fault_that_goes_away_costs_attempts_and_ends_in_the_same_run(
    runs: Runs, fault: InfrastructureError, ending: str, spoiled: int
) -> None:
    runs.ends("alpha", "case_3", *[fault] * spoiled, ANSWERED)
    runs.carry_out()
    assert runs.attempts() == {f"alpha case_3.{number}": ending for number in range(1, spoiled + 1)}
    record = runs.record("alpha", "case_3")
    assert record is not None
    assert (record.outcome.ending, record.attempt) == (Ending.OK, spoiled + 1)
    assert runs.endings("alpha") == runs.endings("beta") == {"ok": 8}
    assert {len(starts) for trial, starts in runs.started.items() if trial != ("alpha", "case_3")} == {1}


def test_attempts_go_on_counting_in_the_next_run(runs: Runs) -> None:
    runs.ends("alpha", "case_3", SPOILED)
    runs.carry_out()
    assert runs.record("alpha", "case_3") is None
    assert len(runs.attempts()) == 4
    runs.ends("alpha", "case_3", SPOILED, ANSWERED)
    runs.carry_out()
    assert sorted(runs.attempts()) == [f"alpha case_3.{number}" for number in range(1, 6)]
    record = runs.record("alpha", "case_3")
    assert record is not None
    assert record.attempt == 6


def test_between_attempts_the_run_waits_as_long_as_it_was_told(runs: Runs) -> None:
    runs.ends("alpha", "case_3", SPOILED, SPOILED, ANSWERED)
    runs.carry_out(waits_s=(0.1, 0.3))
    first, second, third = runs.started["alpha", "case_3"]
    assert 0.1 <= second - first < 0.3 <= third - second < 0.6


def test_while_one_trial_waits_the_others_go_on(runs: Runs) -> None:
    runs.ends("alpha", "case_3", SPOILED, ANSWERED)
    runs.carry_out(waits_s=(0.3,))
    first, second = runs.started["alpha", "case_3"]
    meanwhile = [start for starts in runs.started.values() for start in starts if first < start < second]
    assert len(meanwhile) >= 8


@pytest.mark.parametrize("fault", [EngineUnavailable("It is away."), DiskFull("It is full.")])
def test_while_nothing_can_fare_better_nothing_is_handed_out(runs: Runs, fault: InfrastructureError) -> None:
    first_case = shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")[0].id
    runs.ends("alpha", first_case, fault, ANSWERED)
    runs.carry_out(waits_s=(0.4,))
    first, second = runs.started["alpha", first_case]
    # What was handed out before (the window is the worker and two) may still run; nothing else does.
    meanwhile = [start for starts in runs.started.values() for start in starts if first < start < second]
    assert len(meanwhile) <= 2
    assert runs.endings("alpha") == runs.endings("beta") == {"ok": 8}


@pytest.mark.parametrize("fault", [EngineUnavailable("It is away."), DiskFull("It is full.")])
def test_what_does_not_come_back_stops_the_run(runs: Runs, fault: InfrastructureError) -> None:
    runs.all_end("alpha", fault)
    runs.all_end("beta", fault)
    with pytest.raises(EngineUnavailable, match=fault.message) as caught:
        runs.carry_out(waits_s=(0.01,))
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    assert not runs.endings("alpha")
    assert sum(len(starts) for starts in runs.started.values()) <= 2 * 3


@pytest.mark.parametrize("code", [137, 143])
def test_a_container_that_is_killed_each_time_ended_itself(runs: Runs, code: int) -> None:
    runs.ends("alpha", "case_3", RunResult(exit_code=code))
    runs.carry_out()
    record = runs.record("alpha", "case_3")
    assert record is not None
    assert (record.outcome.ending, record.attempt) == (Ending.CRASHED, 4)
    assert record.outcome.detail == f"exit code {code}: killed in 4 attempts, so it ended itself"
    assert len(runs.attempts()) == 3


def test_neither_chance_nor_the_next_run_hides_a_container_that_kills_itself(runs: Runs) -> None:
    runs.ends("alpha", "case_3", KILLED, SPOILED, TERMINATED, KILLED)
    runs.carry_out()
    assert runs.record("alpha", "case_3") is None
    assert len(runs.attempts()) == 4
    runs.ends("alpha", "case_3", TERMINATED, ANSWERED)
    runs.started.clear()
    runs.carry_out()
    record = runs.record("alpha", "case_3")
    assert record is not None
    assert (record.outcome.ending, record.attempt) == (Ending.CRASHED, 5)
    assert [len(starts) for starts in runs.started.values()] == [1]
    assert runs.endings("alpha") == {"crashed": 1, "ok": 7}


def test_an_engine_that_takes_a_container_with_it_is_the_machine_s_fault_each_time(runs: Runs) -> None:
    for _ in range(3):
        runs.ends("alpha", "case_3", KILLED, AWAY, TERMINATED, AWAY)
        with pytest.raises(EngineUnavailable):
            runs.carry_out()
    runs.ends("alpha", "case_3", ANSWERED)
    runs.carry_out()
    record = runs.record("alpha", "case_3")
    assert record is not None
    assert (record.outcome.ending, record.attempt) == (Ending.OK, 13)


def test_a_failure_of_the_team_s_is_never_tried_again(runs: Runs) -> None:
    runs.all_end("alpha", RunResult(exit_code=1))
    runs.carry_out()
    assert runs.endings("alpha") == {"crashed": 8}
    assert {len(starts) for starts in runs.started.values()} == {1}


def unrun(runs: Runs, team: str) -> int:
    records = [each for case in CASES if (each := runs.record(team, case)) is not None]
    return sum(1 for each in records if each.outcome.detail.startswith("not run: "))


def test_after_enough_equal_failures_the_rest_is_recorded_alike(runs: Runs) -> None:
    runs.all_end("alpha", RunResult(exit_code=1))
    store = runs.carry_out(fail_fast_after=3)
    assert runs.endings("alpha") == {"crashed": 8}
    assert runs.endings("beta") == {"ok": 8}
    ran = sum(len(starts) for (team, _), starts in runs.started.items() if team == "alpha")
    # The window of one worker holds two more that were handed out already.
    assert 3 <= ran <= 3 + 2
    assert unrun(runs, "alpha") == 8 - ran
    assert unrun(runs, "beta") == 0
    spared = next(
        each
        for case in CASES
        if (each := runs.record("alpha", case)) is not None and each.outcome.detail.startswith("not run")
    )
    assert spared.outcome.detail == "not run: the first 3 cases all ended so"
    assert (spared.exit_code, spared.prediction, spared.spans) == (None, None, {})
    score_and_rank(store, runs.plan, runs.root)
    rows = board(runs.out)
    assert rows["method/alpha"]["endings"] == {"crashed": 8}
    assert rows["method/beta"]["endings"] == {"ok": 8}


def test_a_refused_prediction_counts_by_its_reason(runs: Runs) -> None:
    for number, case in enumerate(CASES):
        runs.ends("alpha", case, b"2.5" if number % 2 else b"words")
    runs.carry_out(fail_fast_after=3)
    assert runs.endings("alpha") == {"invalid_output": 8}
    assert unrun(runs, "alpha") == 0


def test_one_good_case_is_hope_for_all(runs: Runs) -> None:
    order = shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")
    runs.all_end("alpha", RunResult(exit_code=1))
    runs.ends("alpha", order[1].id, ANSWERED)
    runs.carry_out(fail_fast_after=3)
    assert runs.endings("alpha") == {"crashed": 7, "ok": 1}
    assert unrun(runs, "alpha") == 0


def test_a_case_that_is_still_running_may_bring_hope(runs: Runs) -> None:
    order = [case.id for case in shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")]

    def late() -> bytes:
        deadline = time.monotonic() + 10
        while sum(runs.endings("alpha").values()) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.2)  # for as long as it would take to record all others unrun
        return ANSWERED

    runs.all_end("alpha", RunResult(exit_code=1))
    runs.ends("alpha", order[1], late)
    runs.carry_out(fail_fast_after=3, workers=2)
    assert runs.endings("alpha") == {"crashed": 7, "ok": 1}
    assert unrun(runs, "alpha") == 0


def test_what_an_earlier_run_recorded_counts(runs: Runs) -> None:
    runs.all_end("alpha", SPOILED)
    for case in CASES[:3]:
        runs.ends("alpha", case, RunResult(exit_code=1))
    runs.carry_out(waits_s=(), fail_fast_after=4)
    assert runs.endings("alpha") == {"crashed": 3}
    runs.all_end("alpha", RunResult(exit_code=1))
    runs.started.clear()
    runs.carry_out(fail_fast_after=4)
    # One more is enough; the window of one worker holds two that were handed out before it ended.
    assert 1 <= sum(len(starts) for starts in runs.started.values()) <= 3
    assert runs.endings("alpha") == {"crashed": 8}


def test_zero_runs_every_case(runs: Runs) -> None:
    runs.all_end("alpha", RunResult(exit_code=1))
    runs.carry_out(fail_fast_after=0)
    assert unrun(runs, "alpha") == 0


def test_each_entry_gets_a_case_before_any_gets_a_second(runs: Runs) -> None:
    store = RunStore.open_or_create(runs.out, runs.root)
    order = [case.id for case in shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")]
    listed = [(trial.key.team, trial.key.case) for trial in missing_trials(runs.plan, store, runs.plan)]
    assert listed[:2] == [("alpha", order[0]), ("beta", order[0])]
    assert listed[2:9] == [("alpha", case) for case in order[1:]]
    assert listed[9:] == [("beta", case) for case in order[1:]]
    assert order != sorted(order)


def test_until_its_canary_is_over_no_other_case_of_an_entry_starts(runs: Runs) -> None:
    """However many workers are idle; other entries' cases go on meanwhile."""
    order = [case.id for case in shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")]
    ended: list[float] = []

    def late() -> bytes:
        deadline = time.monotonic() + 10
        while runs.endings("beta") != {"ok": 8}:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        ended.append(time.monotonic())
        return ANSWERED

    runs.ends("alpha", order[0], late)
    runs.carry_out(workers=4)
    others = [runs.started["alpha", case][0] for case in order[1:]]
    assert min(others) > ended[0]
    assert runs.endings("alpha") == {"ok": 8}


def test_a_canary_that_came_to_nothing_is_over_after_its_last_attempt(runs: Runs) -> None:
    order = [case.id for case in shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")]
    runs.ends("alpha", order[0], SPOILED)
    runs.carry_out(workers=4)
    assert len(runs.started["alpha", order[0]]) == 4
    assert min(runs.started["alpha", case][0] for case in order[1:]) > runs.started["alpha", order[0]][-1]
    assert runs.endings("alpha") == {"ok": 7}


def test_only_what_was_asked_for_and_has_no_record_is_listed(runs: Runs) -> None:
    order = [case.id for case in shuffled(runs.cases["infarct"], runs.plan.seed, "infarct")]
    runs.ends("alpha", order[0], SPOILED)
    store = runs.carry_out(waits_s=())
    wanted: Plan = runs.plan.model_copy(update={"entries": runs.plan.entries[:1]})
    assert [trial.key.case for trial in missing_trials(runs.plan, store, wanted)] == [order[0]]
    beta: Plan = runs.plan.model_copy(update={"entries": runs.plan.entries[1:]})
    assert list(missing_trials(runs.plan, store, beta)) == []
