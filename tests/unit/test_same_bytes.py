"""Scores and leaderboard are the same bytes, however the run went about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.score import score_and_rank, score_run
from harness.engines.engine import RunResult
from harness.engines.fake import Behaviour
from harness.errors import DatasetError, ImageUnavailable, UsageError
from harness.execution.plan import extend
from harness.records.plan import Plan
from harness.records.store import RunStore
from harness.scoring import score as scoring
from harness.specs.challenge import Challenge
from harness.specs.submission import SubmissionSpec
from tests.support.datasets import reference_of, write_tiny_data
from tests.support.fake_runs import Answer, answering, carried_out
from tests.support.plans import all_cases, make_plan, submission

TASKS = ("infarct", "meningioma", "brain_age")
TEAMS = (
    submission("alpha", *TASKS),
    submission("beta", "brain_age", "infarct"),
    submission("gamma", "meningioma", track="open"),
    submission("floor", *TASKS, baseline=True),
)
DERIVED = ("scores.json", "leaderboard.json", "leaderboard.csv", "leaderboard.md")


class Challengers:
    """Four teams over three tasks of tiny data, with every kind of ending among them."""

    def __init__(self, challenge: Challenge, root: Path) -> None:
        self.challenge, self.root = challenge, root
        self.cases = all_cases(challenge, root, *TASKS)

    def plan(self, *teams: SubmissionSpec, tasks: tuple[str, ...] = TASKS) -> Plan:
        return make_plan(self.challenge, {name: self.cases[name] for name in tasks}, *teams)

    def images(self) -> dict[str, Behaviour]:
        return {f"{team.team}:1": answering(self.cases, self._answers(team.team)) for team in TEAMS}

    def _answers(self, team: str) -> Callable[[str, str], Answer]:
        def answer(task: str, case: str) -> Answer:
            place = int(case[-1]) + len(team)
            if (team, case) == ("beta", "case_2"):
                return RunResult(exit_code=1)
            if self.challenge.task(task).output.format == "mask":
                return reference_of(self.root, self.challenge.task(task), case).read_bytes()
            return f"{(place * 37 % 11) / 11!r}".encode()

        return answer


def derived(store: RunStore, plan: Plan, root: Path) -> dict[str, bytes]:
    score_and_rank(store, plan, root)
    return {name: (store.folder / name).read_bytes() for name in DERIVED}


@pytest.fixture
def challengers(fomo25: Challenge, tmp_path: Path) -> Challengers:
    return Challengers(fomo25, write_tiny_data(tmp_path / "data", fomo25))


def test_neither_workers_nor_order_nor_growth_show_in_the_bytes(challengers: Challengers, tmp_path: Path) -> None:
    root, images = challengers.root, challengers.images()
    whole = challengers.plan(*TEAMS)
    at_once = derived(carried_out(whole, root, tmp_path / "1", images, workers=1), whole, root)
    backwards = challengers.plan(*TEAMS[::-1])
    assert derived(carried_out(backwards, root, tmp_path / "2", images, workers=5), backwards, root) == at_once
    plan: Plan | None = None
    for teams, tasks in (((TEAMS[3],), ("meningioma",)), (TEAMS[1:3], TASKS), (TEAMS, ("brain_age",)), (TEAMS, TASKS)):
        plan = extend(plan, challengers.plan(*teams, tasks=tasks))
        store = carried_out(plan, root, tmp_path / "3", images, workers=2)
    assert plan is not None
    assert derived(store, plan, root) == at_once


@pytest.mark.parametrize("processes", [2, 3])
def test_the_number_of_processes_does_not_show_in_the_bytes(
    challengers: Challengers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    plan = challengers.plan(*TEAMS)
    store = carried_out(plan, challengers.root, tmp_path / "run", challengers.images())
    alone = derived(store, plan, challengers.root)
    monkeypatch.setattr(scoring, "FEWEST_MASKS", 0)
    monkeypatch.setattr(scoring, "processors", lambda: processes)
    assert derived(store, plan, challengers.root) == alone


def test_a_bad_reference_is_told_alike_by_another_process(
    challengers: Challengers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = challengers.plan(*TEAMS)
    store = carried_out(plan, challengers.root, tmp_path / "run", challengers.images())
    for case in ("case_2", "case_3"):
        reference_of(challengers.root, challengers.challenge.task("meningioma"), case).write_bytes(b"")
    said = []
    for processes in (1, 2):
        monkeypatch.setattr(scoring, "FEWEST_MASKS", 0)
        monkeypatch.setattr(scoring, "processors", lambda count=processes: count)
        with pytest.raises(DatasetError) as caught:
            score_and_rank(store, plan, challengers.root)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "case_2" in said[0]
    assert not (store.folder / "scores.json").exists()


def test_scoring_and_ranking_again_write_the_same_bytes(challengers: Challengers, tmp_path: Path) -> None:
    plan = challengers.plan(*TEAMS)
    store = carried_out(plan, challengers.root, tmp_path / "run", challengers.images())
    first = derived(store, plan, challengers.root)
    for name in DERIVED[1:]:
        (store.folder / name).unlink()
    score_run(store.folder, None)
    assert {name: (store.folder / name).read_bytes() for name in DERIVED} == first


def test_scores_that_were_changed_by_hand_are_not_believed(challengers: Challengers, tmp_path: Path) -> None:
    plan = challengers.plan(*TEAMS)
    store = carried_out(plan, challengers.root, tmp_path / "run", challengers.images())
    first = derived(store, plan, challengers.root)
    scores = store.folder / "scores.json"
    scores.write_text(re.sub(r'"valid": \d+', '"valid": 999', scores.read_text()))
    assert scores.read_bytes() != first["scores.json"]
    score_run(store.folder, None)
    assert {name: (store.folder / name).read_bytes() for name in DERIVED} == first


def test_ranking_scores_again_where_records_were_added(challengers: Challengers, tmp_path: Path) -> None:
    plan, images = challengers.plan(*TEAMS), challengers.images()
    broken = {**images, "alpha:1": answering(challengers.cases, lambda *_: ImageUnavailable("The image is gone."))}
    store = carried_out(plan, challengers.root, tmp_path / "run", broken)
    assert score_run(store.folder, None).tracks[0].rows[-1].baseline
    before = (store.folder / "scores.json").read_bytes()
    carried_out(plan, challengers.root, tmp_path / "run", images)
    score_run(store.folder, None)
    assert (store.folder / "scores.json").read_bytes() != before
    whole = carried_out(plan, challengers.root, tmp_path / "whole", images)
    expected = derived(whole, plan, challengers.root)
    assert {name: (store.folder / name).read_bytes() for name in DERIVED} == expected


def test_scoring_without_the_data_says_where_to_name_them(challengers: Challengers, tmp_path: Path) -> None:
    plan = challengers.plan(*TEAMS)
    store = carried_out(plan, challengers.root, tmp_path / "run", challengers.images())
    challengers.root.rename(tmp_path / "moved")
    with pytest.raises(UsageError) as caught:
        score_run(store.folder, None)
    assert str(caught.value) == (
        f"{challengers.root}: the data folder of this run is not there. Pass where it is as --data."
    )
    assert not (store.folder / "leaderboard.json").exists()
    score_run(store.folder, tmp_path / "moved")
    assert (store.folder / "leaderboard.json").exists()
