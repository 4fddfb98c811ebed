"""The ranking rule: FOMO25's published table, and what must hold for any table."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.scoring.rank import Contender, RankedTask, Standing, rank
from harness.specs.challenge import Challenge, Ranking
from harness.specs.task import MetricSpec

# The Method track as FOMO25 published it; ranks and placements are the organisers' own.
PUBLISHED = Path(__file__).parent / "published" / "fomo25_method_track.csv"
COLUMNS = {
    "infarct": {"auroc": "auroc"},
    "meningioma": {"dice": "dice", "nsd": "nsd"},
    "brain_age": {"mae": "mae", "pearson_r": "pearson_r"},
}


def published_rows() -> list[dict[str, str]]:
    with PUBLISHED.open(newline="") as stream:
        return list(csv.DictReader(stream))


def contender(row: dict[str, str]) -> Contender:
    values = {
        task: {metric: float(row[column]) for metric, column in columns.items()} for task, columns in COLUMNS.items()
    }
    return Contender(row["team"], values, baseline=not row["placement"])


def fomo25_tasks(challenge: Challenge) -> list[RankedTask]:
    return [RankedTask(task.name, task.metrics, challenge.task_weight(task.name)) for task in challenge.tasks]


@pytest.fixture
def standings(fomo25: Challenge) -> dict[str, Standing]:
    contenders = [contender(row) for row in published_rows()]
    return {standing.team: standing for standing in rank(contenders, fomo25_tasks(fomo25), fomo25.spec.ranking)}


@pytest.mark.parametrize("row", [row for row in published_rows() if row["placement"]], ids=lambda row: str(row["team"]))
def test_published_row_is_reproduced(row: dict[str, str], standings: dict[str, Standing]) -> None:
    own = standings[row["team"]]
    assert own.placement == int(row["placement"])
    assert f"{own.overall_rank:.1f}" == row["overall_rank"]
    for task in COLUMNS:
        assert own.tasks[task].rank == float(row[f"{task}_rank"]), task


def test_published_order_and_tie_are_reproduced(standings: dict[str, Standing]) -> None:
    published = [row for row in published_rows() if row["placement"]]
    assert [standing.placement for standing in standings.values()] == [int(row["placement"]) for row in published]
    assert standings["TUKE"].placement == standings["MaastrichtU-CDS"].placement == 3


def test_baselines_take_no_rank_from_anyone(fomo25: Challenge, standings: dict[str, Standing]) -> None:
    assert not any(team.startswith("baseline") for team in standings)
    without = rank(
        [contender(row) for row in published_rows() if row["placement"]], fomo25_tasks(fomo25), fomo25.spec.ranking
    )
    assert list(without) == list(standings.values())


def metric(name: str, direction: str = "higher", **more: object) -> MetricSpec:
    return MetricSpec.model_validate({"name": name, "direction": direction, **more})


ONE_TASK = [RankedTask("only", (metric("dice"),), 1.0)]
TWO_TASKS = [RankedTask("first", (metric("dice"),), 1.0), RankedTask("second", (metric("mae", "lower"),), 3.0)]


def places(contenders: list[Contender], tasks: list[RankedTask]) -> dict[str, int]:
    return {standing.team: standing.placement for standing in rank(contenders, tasks, Ranking())}


def test_values_are_compared_as_they_are_rounded() -> None:
    close = [Contender("a", {"only": {"dice": 0.5004}}), Contender("b", {"only": {"dice": 0.4996}})]
    assert places(close, ONE_TASK) == {"a": 1, "b": 1}
    finer = [RankedTask("only", (metric("dice", decimals=4),), 1.0)]
    assert places(close, finer) == {"a": 1, "b": 2}


def test_a_team_without_a_task_comes_behind_every_valid_submission() -> None:
    table = [
        Contender("both", {"first": {"dice": 0.9}, "second": {"mae": 3.0}}),
        Contender("also", {"first": {"dice": 0.8}, "second": {"mae": 2.0}}),
        Contender("one", {"first": {"dice": 0.7}}),
        Contender("baseline", {"second": {"mae": 1.0}}, baseline=True),
    ]
    ranks = {standing.team: standing.tasks["second"].rank for standing in rank(table, TWO_TASKS, Ranking())}
    assert ranks == {"also": 1.0, "both": 2.0, "one": 3.0}


def test_an_undefined_value_comes_behind_every_value_and_ahead_of_no_entry() -> None:
    table = [
        Contender("worst", {"first": {"dice": 0.0}, "second": {"mae": 1.0}}),
        Contender("undefined", {"first": {"dice": None}, "second": {"mae": 1.0}}),
        Contender("absent", {"second": {"mae": 1.0}}),
    ]
    ranks = {standing.team: standing.tasks["first"].rank for standing in rank(table, TWO_TASKS, Ranking())}
    assert ranks == {"worst": 1.0, "undefined": 2.0, "absent": 3.0}


def test_weights_decide_between_tasks_and_metrics() -> None:
    table = [
        Contender("first", {"first": {"dice": 0.9}, "second": {"mae": 5.0}}),
        Contender("second", {"first": {"dice": 0.1}, "second": {"mae": 1.0}}),
    ]
    overall = {standing.team: standing.overall_rank for standing in rank(table, TWO_TASKS, Ranking())}
    assert overall == {"second": 1.25, "first": 1.75}


def test_report_only_metrics_do_not_count() -> None:
    tasks = [RankedTask("only", (metric("dice"), metric("nsd", ranked=False)), 1.0)]
    table = [
        Contender("a", {"only": {"dice": 0.6, "nsd": 0.1}}),
        Contender("b", {"only": {"dice": 0.5, "nsd": 0.9}}),
    ]
    assert places(table, tasks) == {"a": 1, "b": 2}


odd = [0.0, 0.5, 1.0, 1e300, -1e300, 1.7e308, math.inf, -math.inf, math.nan]
values = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from(odd))
tables = st.lists(st.tuples(values, values), min_size=1, max_size=8).map(
    lambda rows: [
        Contender(f"team{number}", {"first": {"dice": dice}, "second": {"mae": mae}})
        for number, (dice, mae) in enumerate(rows)
    ]
)


@settings(derandomize=True, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_teams_changes_nothing(table: list[Contender], random: object) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(shuffled, TWO_TASKS, Ranking()) == rank(table, TWO_TASKS, Ranking())


def is_value(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


@settings(derandomize=True, deadline=None)
@given(tables)
def test_a_missing_value_never_outranks_a_finite_one(table: list[Contender]) -> None:
    standings = {standing.team: standing for standing in rank(table, TWO_TASKS, Ranking())}
    for better in table:
        for worse in table:
            for task, name in (("first", "dice"), ("second", "mae")):
                if is_value(better.values[task][name]) and not is_value(worse.values[task][name]):
                    assert standings[better.team].tasks[task].rank < standings[worse.team].tasks[task].rank


@settings(derandomize=True, deadline=None)
@given(tables)
def test_ranks_are_finite_and_better_values_never_rank_worse(table: list[Contender]) -> None:
    standings = {standing.team: standing for standing in rank(table, TWO_TASKS, Ranking())}
    for one in table:
        assert math.isfinite(standings[one.team].overall_rank)
        for other in table:
            mine, theirs = one.values["first"]["dice"], other.values["first"]["dice"]
            if mine is not None and theirs is not None and is_value(mine) and is_value(theirs) and mine > theirs:
                assert standings[one.team].tasks["first"].rank <= standings[other.team].tasks["first"].rank
