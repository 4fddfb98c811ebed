"""Three schemes, two averages and two rules for the same cases, with ranks worked out by hand."""

from __future__ import annotations

import pytest

from harness.scoring.drawn import draw
from harness.scoring.leaderboard import leaderboard
from harness.scoring.rank import Contender, RankedTask, rank
from harness.scoring.stability import UNDRAWN, stability
from harness.specs.challenge import Challenge, Ranking, Resampling, Scheme
from harness.specs.task import MetricSpec
from tests.support.scored import planned, scored

FEW = Resampling(resamples=100)
# steady is a little better in four cases of five, bold far better in one: values say bold, ranks within cases steady.
STEADY, BOLD, POOR = [0.50, 0.52, 0.54, 0.56, 0.10], [0.49, 0.51, 0.53, 0.55, 0.90], [0.1, 0.1, 0.1, 0.1, 0.05]
MASKS = {
    "meningioma": {
        team: {"dice": each, "nsd": each} for team, each in (("steady", STEADY), ("bold", BOLD), ("poor", POOR))
    }
}


def placements(challenge: Challenge, ranking: Ranking) -> dict[str, int]:
    plan = planned(challenge, {"meningioma": 5}, ranking)
    scores = scored(plan, masks=MASKS)
    drawn = draw(plan, scores)
    board = leaderboard(plan, scores, drawn, stability(drawn))
    return {row.team: row.placement or 0 for row in board.tracks[0].rows}


@pytest.mark.parametrize(
    ("scheme", "average", "expected"),
    [
        ("aggregate_then_rank", "mean", {"bold": 1, "steady": 2, "poor": 3}),
        ("aggregate_then_rank", "median", {"bold": 1, "steady": 2, "poor": 3}),
        ("rank_then_aggregate", "mean", {"steady": 1, "bold": 2, "poor": 3}),
        ("rank_then_aggregate", "median", {"steady": 1, "bold": 2, "poor": 3}),
        # Five cases are too few for anything to be significant among three teams after Holm: all share the first place.
        ("test_then_rank", "mean", {"bold": 1, "poor": 1, "steady": 1}),
    ],
)
def test_a_challenge_names_its_scheme(
    fomo25: Challenge, scheme: Scheme, average: str, expected: dict[str, int]
) -> None:
    ranking = Ranking.model_validate({"scheme": scheme, "average": average, "resampling": FEW})
    assert placements(fomo25, ranking) == expected


def test_wins_of_tests_rank_teams_where_cases_are_many(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"meningioma": 50}, Ranking(scheme="test_then_rank", resampling=FEW))
    masks = {
        "meningioma": {
            team: {name: [value + case / 1000 for case in range(50)] for name in ("dice", "nsd")}
            for team, value in (("a", 0.5), ("b", 0.5), ("c", 0.8))
        }
    }
    scores = scored(plan, masks=masks)
    drawn = draw(plan, scores)
    trust = stability(drawn)
    board = leaderboard(plan, scores, drawn, trust)
    assert {row.team: row.placement for row in board.tracks[0].rows} == {"c": 1, "a": 2, "b": 2}
    assert (trust.tracks[0].teams, trust.tracks[0].undrawn) == ((), UNDRAWN)


def test_every_scheme_and_rule_is_shown_beside_the_one_used(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"meningioma": 5}, Ranking(resampling=FEW))
    schemes = stability(draw(plan, scored(plan, masks=MASKS))).tracks[0].schemes
    assert [each.used for each in schemes] == [True, False, False, False, False, False]
    found = {(each.scheme, each.average, each.task_rule, each.absent_task): each.placements for each in schemes}
    assert len(found) == 6
    assert found["rank_then_aggregate", "mean", "mean_of_metric_ranks", "valid_submissions_plus_one"]["steady"] == 1
    assert found["aggregate_then_rank", "mean", "ranked_again", "last"]["bold"] == 1


def test_case_ranks_in_draws_are_those_of_the_cases(fomo25: Challenge) -> None:
    plan = planned(
        fomo25, {"meningioma": 5}, Ranking(scheme="rank_then_aggregate", resampling=Resampling(resamples=1000))
    )
    (track,) = stability(draw(plan, scored(plan, masks=MASKS))).tracks
    spreads = {team.team: team.placement for team in track.teams}
    # poor is last in every case, and so in every draw.
    assert spreads["poor"].shares == {"3": 1.0}
    # bold leads where most of the five draws are the fifth case: 5.8 % of binomial(5, 1/5) at 3 and more.
    assert spreads["bold"].shares["1"] == pytest.approx(0.058, abs=0.03)


TWO_METRICS = (
    MetricSpec(name="dice", direction="higher"),
    MetricSpec(name="nsd", direction="higher"),
)
TASKS = [
    RankedTask("first", TWO_METRICS, 1.0),
    RankedTask("second", (MetricSpec(name="mae", direction="lower"),), 1.0),
]


def test_the_written_rule_ranks_task_ranks_again_and_puts_absent_teams_last() -> None:
    """Metric ranks (1, 1), (2, 3), (3, 2), (4, 4): means 1, 2.5, 2.5, 4; ranked again 1, 2, 2, 4."""
    table = [
        Contender("a", {"first": {"dice": 0.9, "nsd": 0.9}, "second": {"mae": 4.0}}),
        Contender("b", {"first": {"dice": 0.8, "nsd": 0.7}, "second": {"mae": 3.0}}),
        Contender("c", {"first": {"dice": 0.7, "nsd": 0.8}}),
        Contender("d", {"first": {"dice": 0.1, "nsd": 0.1}, "second": {"mae": 1.0}}),
    ]
    published = {each.team: each for each in rank(table, TASKS, Ranking())}
    written = {each.team: each for each in rank(table, TASKS, Ranking(task_rule="ranked_again", absent_task="last"))}
    assert {team: each.tasks["first"].rank for team, each in published.items()} == {"a": 1, "b": 2.5, "c": 2.5, "d": 4}
    assert {team: each.tasks["first"].rank for team, each in written.items()} == {"a": 1, "b": 2, "c": 2, "d": 4}
    assert (published["c"].tasks["second"].rank, written["c"].tasks["second"].rank) == (4, 4)
    assert {team: each.overall_rank for team, each in written.items()} == {"a": 2, "b": 2, "c": 3, "d": 2.5}


def test_fomo26_s_weights_are_a_challenge_file(fomo25: Challenge) -> None:
    """Image-level tasks weigh 10 %, voxel-level tasks 25 %."""
    ranking = Ranking(task_weights={"infarct": 0.10, "meningioma": 0.25, "brain_age": 0.10}, resampling=FEW)
    plan = planned(fomo25, {"infarct": 4, "meningioma": 5}, ranking)
    numbers = {"infarct": ([0, 1, 0, 1], {"steady": [0.1, 0.9, 0.1, 0.9], "bold": [0.9, 0.1, 0.9, 0.1]})}
    two = {"meningioma": {team: MASKS["meningioma"][team] for team in ("steady", "bold")}}
    scores = scored(plan, numbers=numbers)
    scores = scores.model_copy(update={"entries": (*scores.entries, *scored(plan, masks=two).entries)})
    drawn = draw(plan, scores)
    board = leaderboard(plan, scores, drawn, stability(drawn))
    overall = {row.team: row.overall_rank for row in board.tracks[0].rows}
    assert overall["bold"] == pytest.approx((0.10 * 2 + 0.25 * 1) / 0.35)
    assert overall["steady"] == pytest.approx((0.10 * 1 + 0.25 * 2) / 0.35)
    assert next(each for each in stability(drawn).tracks[0].schemes if each.used).placements == {"bold": 1, "steady": 2}
