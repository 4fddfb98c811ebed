"""Intervals, rank distributions and tests, beside an independent computation and where answers are known."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from harness.scoring.drawn import DrawnRun, draw
from harness.scoring.draws import DRAWN_AT_ONCE, _weights, generator, kendall_tau
from harness.scoring.evidence import EvidenceKey
from harness.scoring.rank import place
from harness.scoring.schemes import drawn_keys
from harness.scoring.scores import PENDING, Scores
from harness.scoring.spreads import TrackStability
from harness.scoring.stability import stability
from harness.specs.challenge import Challenge, Ranking, Resampling
from tests.support.scored import Answers, fomo25_teams, planned, scored

CASES = {"infarct": 80, "meningioma": 40, "brain_age": 120}
FEW = Ranking(resampling=Resampling(resamples=150))
Array = NDArray[np.float64]


def drawn_run(challenge: Challenge, teams: int = 6, ranking: Ranking = FEW) -> DrawnRun:
    plan = planned(challenge, CASES, ranking)
    numbers, masks = fomo25_teams(plan, teams)
    return draw(plan, joined(scored(plan, numbers=numbers), scored(plan, masks=masks)))


def joined(*parts: Scores) -> Scores:
    references = {task: each for part in parts for task, each in part.references.items()}
    entries = tuple(entry for part in parts for entry in part.entries)
    return parts[0].model_copy(update={"references": references, "entries": entries})


def only_track(drawn: DrawnRun) -> TrackStability:
    (track,) = stability(drawn).tracks
    return track


def test_draws_are_those_of_a_plain_loop(fomo25: Challenge) -> None:
    """The same cases, drawn the same, through scikit-learn, SciPy and NumPy one draw and one team at a time."""
    drawn = drawn_run(fomo25)
    numbers, masks = fomo25_teams(planned(fomo25, CASES, FEW), 6)
    teams = sorted(masks["meningioma"])
    classes = np.array(numbers["infarct"][0])
    weights = {
        task: np.concatenate(
            [chunk for chunk, _ in _weights(count, 150, generator(0, task), classes if task == "infarct" else None)]
        ).astype(np.int64)
        for task, count in CASES.items()
    }
    values = np.empty((150, len(teams), 5))
    for i in range(150):
        times = {task: each[i] for task, each in weights.items()}
        ages = np.repeat(np.array(numbers["brain_age"][0]), times["brain_age"])
        for j, team in enumerate(teams):
            predicted = np.repeat(np.array(numbers["brain_age"][1][team], float), times["brain_age"])
            values[i, j, 0] = roc_auc_score(
                np.repeat(classes, times["infarct"]),
                np.repeat(np.array(numbers["infarct"][1][team], float), times["infarct"]),
            )
            values[i, j, 1] = np.repeat(masks["meningioma"][team]["dice"], times["meningioma"]).mean()
            values[i, j, 2] = np.repeat(masks["meningioma"][team]["nsd"], times["meningioma"]).mean()
            values[i, j, 3] = np.abs(predicted - ages).mean()
            values[i, j, 4] = stats.pearsonr(ages, predicted).statistic
    names = [("infarct", "auroc"), ("meningioma", "dice"), ("meningioma", "nsd"), ("brain_age", "mae")]
    names.append(("brain_age", "pearson_r"))
    for k, (task, metric) in enumerate(names):
        ours = np.stack([drawn.draws[EvidenceKey("method", team, task, metric)] for team in teams], axis=1)
        np.testing.assert_allclose(ours, values[:, :, k], rtol=0, atol=1e-12)
    assert (overall_ranks(drawn) == plain_overall(values)).all()


def overall_ranks(drawn: DrawnRun) -> Array:
    (track,) = drawn.tracks
    evidence = track.evidence
    entered = {task.name: evidence.entered(task) for task in evidence.tasks}
    keys = drawn_keys(evidence, drawn.ranking.scheme, track.orders)
    return place(keys, entered, evidence.tasks, drawn.ranking).overall


def plain_overall(values: Array) -> Array:
    shown = np.vectorize(lambda value: round(round(value, 12), 3))(values) * (-1, -1, -1, 1, -1)
    ranks = stats.rankdata(shown, method="min", axis=1)
    tasks = np.stack([ranks[:, :, 0], ranks[:, :, 1:3].mean(axis=2), ranks[:, :, 3:5].mean(axis=2)], axis=2)
    return np.asarray(tasks.mean(axis=2).round(9))


def test_teams_that_predict_the_same_are_tied_in_every_draw(fomo25: Challenge) -> None:
    drawn = drawn_run(fomo25, ranking=Ranking(resampling=Resampling(resamples=2000)))
    ranks = overall_ranks(drawn)
    assert (ranks[:, 0] == ranks[:, 1]).all()
    track = only_track(drawn)
    spreads = {team.team: team for team in track.teams}
    assert spreads["team_00"].placement == spreads["team_01"].placement
    for by_metric in track.tests.values():
        for tests in by_metric.values():
            assert tests.p[0][1] == tests.p[1][0] == 1.0
            assert tests.groups["team_00"] == tests.groups["team_01"] == 1


def test_neither_order_of_entries_nor_of_cases_changes_a_byte(fomo25: Challenge) -> None:
    plan = planned(fomo25, CASES, FEW)
    numbers, masks = fomo25_teams(plan, 5)
    scores = joined(scored(plan, numbers=numbers), scored(plan, masks=masks))
    shuffle = random.Random(3)
    entries = []
    for entry in scores.entries:
        cases = list(entry.case_scores)
        shuffle.shuffle(cases)
        entries.append(entry.model_copy(update={"case_scores": tuple(cases)}))
    shuffle.shuffle(entries)
    again = scores.model_copy(update={"entries": tuple(entries)})
    assert stability(draw(plan, again)).model_dump_json() == stability(draw(plan, scores)).model_dump_json()


def test_another_team_changes_nobody_s_interval(fomo25: Challenge) -> None:
    plan = planned(fomo25, CASES, FEW)
    truths, answers = fomo25_teams(plan, 4)[0]["infarct"]
    alone = draw(plan, scored(plan, numbers={"infarct": (truths, {"team_02": answers["team_02"]})}))
    key = EvidenceKey("method", "team_02", "infarct", "auroc")
    assert drawn_run(fomo25, teams=4).draws[key].tolist() == alone.draws[key].tolist()


def test_another_seed_draws_other_cases(fomo25: Challenge) -> None:
    plans = [planned(fomo25, CASES, FEW, seed=seed) for seed in (0, 1)]
    numbers, _ = fomo25_teams(plans[0], 2)
    one, other = (draw(plan, scored(plan, numbers=numbers)) for plan in plans)
    key = EvidenceKey("method", "team_00", "brain_age", "mae")
    assert one.draws[key].tolist() != other.draws[key].tolist()


def test_draws_of_one_class_are_drawn_again_and_counted(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"infarct": 30}, Ranking(resampling=Resampling(resamples=10_000)))
    truths = [1.0, 1.0, *([0.0] * 28)]
    predictions = np.random.default_rng(0).random(30).tolist()
    drawn = draw(plan, scored(plan, numbers={"infarct": (truths, {"alpha": predictions})}))
    # Without a positive: (28/30)^30 = 12.6 % of first draws, and of those drawn again.
    share = (28 / 30) ** 30
    assert drawn.redrawn["infarct"] == pytest.approx(10_000 * share / (1 - share), rel=0.1)
    assert not np.isnan(drawn.draws[EvidenceKey("method", "alpha", "infarct", "auroc")]).any()


def test_an_interval_holds_what_theory_says(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"meningioma": 400}, Ranking())
    dice = np.random.default_rng(5).uniform(0, 1, 400)
    masks = {"meningioma": {"alpha": {"dice": dice.tolist(), "nsd": dice.tolist()}}}
    (entry,) = stability(draw(plan, scored(plan, masks=masks))).entries
    half = 1.959964 * dice.std() / 20
    assert entry.metrics["dice"].low == pytest.approx(dice.mean() - half, abs=0.002)
    assert entry.metrics["dice"].high == pytest.approx(dice.mean() + half, abs=0.002)


def test_a_clear_winner_wins_every_draw_and_stands_alone(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"meningioma": 60}, Ranking(resampling=Resampling(resamples=1000)))
    rng = np.random.default_rng(6)
    masks = {
        "meningioma": {
            team: {name: np.clip(rng.normal(middle, 0.02, 60), 0, 1).tolist() for name in ("dice", "nsd")}
            for team, middle in (("best", 0.9), ("close", 0.6), ("closer", 0.6))
        }
    }
    track = only_track(draw(plan, scored(plan, masks=masks)))
    best = track.teams[0]
    assert (best.team, best.first, best.group, best.placement.shares) == ("best", 1.0, 1, {"1": 1.0})
    assert {team.group for team in track.teams[1:]} == {2}
    assert track.tests["meningioma"]["dice"].method == "wilcoxon"
    assert track.tests["meningioma"]["dice"].groups == {"best": 1, "close": 2, "closer": 2}
    assert track.kendall_tau is not None
    assert -1 <= track.kendall_tau.low <= track.kendall_tau.high <= 1


def test_shares_of_placements_add_up_and_hold_the_interval(fomo25: Challenge) -> None:
    for team in only_track(drawn_run(fomo25)).teams:
        for spread in (team.placement, *team.tasks.values()):
            assert sum(spread.shares.values()) == pytest.approx(1)
            assert spread.low <= spread.median <= spread.high
            assert {f"{spread.low:g}", f"{spread.median:g}", f"{spread.high:g}"} <= set(spread.shares)


def test_a_case_that_has_not_run_yet_does_not_count(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"brain_age": 30}, FEW)
    numbers, _ = fomo25_teams(planned(fomo25, {**CASES, "brain_age": 30}, FEW), 3)
    scores = scored(plan, numbers={"brain_age": numbers["brain_age"]})
    pending = scores.entries[2].model_copy(
        update={
            "case_scores": tuple(
                case.model_copy(update={"ending": PENDING, "prediction": None}) if place % 2 else case
                for place, case in enumerate(scores.entries[2].case_scores)
            )
        }
    )
    drawn = draw(plan, scores.model_copy(update={"entries": (*scores.entries[:2], pending)}))
    key = EvidenceKey("method", "team_02", "brain_age", "mae")
    truths, predictions = np.array(numbers["brain_age"][0]), np.array(numbers["brain_age"][1]["team_02"], float)
    errors = np.abs(truths - predictions)[::2]
    assert errors.min() <= drawn.draws[key].min() <= errors.mean() <= drawn.draws[key].max() <= errors.max()
    assert len(stability(drawn).tracks[0].teams) == 3


def test_nobody_ranked_and_one_team_alone(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"infarct": 20}, FEW)
    truths = [0.0, 1.0] * 10
    answers = {"alone": np.linspace(0, 1, 20).tolist()}
    nobody = only_track(draw(plan, scored(plan, numbers={"infarct": (truths, answers)}, baselines=["alone"])))
    assert (nobody.teams, nobody.undrawn, nobody.kendall_tau) == ((), "", None)
    alone = only_track(draw(plan, scored(plan, numbers={"infarct": (truths, answers)})))
    assert alone.teams[0].placement.shares == {"1": 1.0}
    assert alone.kendall_tau is None


def test_a_team_that_fails_everywhere_is_last_in_every_draw(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"infarct": 40}, FEW)
    truths = [0.0, 1.0] * 20
    answers: Answers = {"able": [0.2, 0.9] * 20, "failing": [None] * 40, "inverse": [0.9, 0.2] * 20}
    track = only_track(draw(plan, scored(plan, numbers={"infarct": (truths, answers)})))
    spreads = {team.team: team.placement.shares for team in track.teams}
    assert spreads == {"able": {"1": 1.0}, "failing": {"2": 1.0}, "inverse": {"2": 1.0}}


def test_kendall_is_scipy_s() -> None:
    rng = np.random.default_rng(8)
    ranks, drawn = rng.integers(1, 6, 9), rng.integers(1, 6, (50, 9))
    expected = [stats.kendalltau(ranks, row).statistic for row in drawn]
    np.testing.assert_allclose(kendall_tau(ranks, drawn), expected, atol=1e-12)


def test_more_draws_than_fit_at_once_are_the_draws_of_their_number(fomo25: Challenge) -> None:
    chunks = [weights for weights, _ in _weights(10, 2 * DRAWN_AT_ONCE + 5, generator(0, "x"), None)]
    assert [len(each) for each in chunks] == [DRAWN_AT_ONCE, DRAWN_AT_ONCE, 5]
    assert all((each.sum(axis=1) == 10).all() for each in chunks)
