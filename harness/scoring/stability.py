"""How far a leaderboard can be trusted: intervals, rank distributions, tests, and what other rules would have said.

Cases are drawn with replacement, the same for all teams; every metric is computed and everything ranked again in each
draw (Wiesenfarth M et al., Methods and open-source toolkit for analyzing and visualizing challenge results, Scientific
Reports 11 (2021) 2369).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.scoring.drawn import DrawnRun, DrawnTrack
from harness.scoring.draws import DRAWN_AT_ONCE, kendall_tau, spread
from harness.scoring.evidence import EvidenceKey
from harness.scoring.rank import Keys, Placed, RankedTask, Ranks, Values, place
from harness.scoring.schemes import drawn_keys, point_keys
from harness.scoring.scores import EntryScore
from harness.scoring.significance import Tested, groups, holm, shares
from harness.scoring.spreads import (
    EntryIntervals,
    Interval,
    MetricTests,
    SchemePlacements,
    Spread,
    Stability,
    TeamStability,
    TrackStability,
)
from harness.specs.challenge import Ranking

DECIMALS = 12
UNDRAWN = "tests are not repeated in resamples, so ranks by test_then_rank have no distribution"
SCHEMES = (
    ("aggregate_then_rank", "mean"),
    ("aggregate_then_rank", "median"),
    ("rank_then_aggregate", "mean"),
    ("rank_then_aggregate", "median"),
    ("test_then_rank", "mean"),
)
RULES = (("mean_of_metric_ranks", "valid_submissions_plus_one"), ("ranked_again", "last"))
"""How FOMO25 published its tables, and how the rules of FOMO25 and FOMO26 are written."""


def stability(drawn: DrawnRun) -> Stability:
    """Measure how far a run's leaderboard can be trusted.

    Parameters
    ----------
    drawn
        The run's draws.
    """
    resampling = drawn.ranking.resampling
    return Stability(
        seed=drawn.seed,
        resamples=resampling.resamples,
        confidence=resampling.confidence,
        alpha=drawn.ranking.alpha,
        redrawn=dict(drawn.redrawn),
        entries=tuple(_intervals(entry, drawn) for entry in drawn.entries),
        tracks=tuple(_track(track, drawn.ranking) for track in drawn.tracks),
    )


def _intervals(entry: EntryScore, drawn: DrawnRun) -> EntryIntervals:
    metrics = {}
    for name in entry.metrics:
        values = drawn.draws[EvidenceKey(entry.track, entry.team, entry.task, name)]
        found = Interval.of(values, drawn.ranking.resampling.confidence)
        if found is not None:
            metrics[name] = found
    return EntryIntervals(track=entry.track, team=entry.team, task=entry.task, metrics=metrics)


def _track(track: DrawnTrack, ranking: Ranking) -> TrackStability:
    evidence = track.evidence
    entered = {task.name: evidence.entered(task) for task in evidence.tasks}
    point = place(point_keys(evidence, ranking, track.tests), entered, evidence.tasks, ranking)
    placed = None
    if evidence.teams and ranking.scheme != "test_then_rank":
        keys = drawn_keys(evidence, ranking.scheme, track.orders)
        placed = _in_pieces(keys, entered, evidence.tasks, ranking)
    return TrackStability(
        name=evidence.track,
        undrawn="" if placed or not evidence.teams else UNDRAWN,
        kendall_tau=_kendall(point, placed, ranking),
        teams=() if placed is None else _teams(track, point, placed, ranking),
        tests=_tests(track, point, ranking),
        schemes=tuple(_schemes(track, ranking)),
    )


def _in_pieces(
    keys: Keys, entered: Mapping[str, NDArray[np.bool_]], tasks: Sequence[RankedTask], ranking: Ranking
) -> Placed:
    """Rank some draws at a time and keep what is told of them, so that many teams do not fill the memory."""
    count = max(len(each) for of_task in keys.values() for each in of_task.values())
    pieces = []
    for start in range(0, count, DRAWN_AT_ONCE):
        piece = {
            task: {name: each[start : start + DRAWN_AT_ONCE] for name, each in of_task.items()}
            for task, of_task in keys.items()
        }
        pieces.append(place(piece, entered, tasks, ranking))
    return Placed(
        metric_ranks={},
        task_ranks={task.name: np.concatenate([each.task_ranks[task.name] for each in pieces]) for task in tasks},
        overall=np.concatenate([each.overall for each in pieces]),
        placements=np.concatenate([each.placements for each in pieces]),
    )


def _teams(track: DrawnTrack, point: Placed, placed: Placed, ranking: Ranking) -> tuple[TeamStability, ...]:
    teams, confidence = track.evidence.teams, ranking.resampling.confidence
    order = np.lexsort((np.arange(len(teams)), point.overall[0])).tolist()
    numbers = groups(order, holm(shares(placed.overall)), ranking.alpha)
    return tuple(
        TeamStability(
            team=teams[team],
            placement=_spread(placed.placements[:, team], confidence, shares=True),
            overall_rank=_spread(placed.overall[:, team], confidence),
            tasks={
                task.name: _spread(placed.task_ranks[task.name][:, team], confidence, shares=True)
                for task in track.evidence.tasks
            },
            first=round(float((placed.placements[:, team] == 1).mean()), DECIMALS),
            group=numbers[team],
        )
        for team in order
    )


def _kendall(point: Placed, placed: Placed | None, ranking: Ranking) -> Spread | None:
    if placed is None:
        return None
    tau = kendall_tau(point.placements[0], placed.placements)
    defined = np.round(tau[~np.isnan(tau)], DECIMALS)
    return _spread(defined, ranking.resampling.confidence) if defined.size else None


def _spread(values: Values | Ranks, confidence: float, *, shares: bool = False) -> Spread:
    low, median, high = spread(values, confidence)
    return Spread(low=low, median=median, high=high, shares=_shares(values) if shares else {})


def _shares(ranks: Values | Ranks) -> dict[str, float]:
    distinct, counts = np.unique(ranks, return_counts=True)
    return {f"{rank:g}": round(count / ranks.size, DECIMALS) for rank, count in zip(distinct, counts, strict=True)}


def _tests(track: DrawnTrack, point: Placed, ranking: Ranking) -> dict[str, dict[str, MetricTests]]:
    found: dict[str, dict[str, MetricTests]] = {}
    for task in track.evidence.tasks:
        places = np.flatnonzero(track.evidence.entered(task))
        found[task.name] = {
            metric.name: _metric_tests(
                track.tests[task.name, metric.name],
                tuple(track.evidence.teams[team] for team in places),
                point.metric_ranks[task.name][metric.name][0, places],
                ranking,
            )
            for metric in task.ranked_metrics
        }
    return found


def _metric_tests(tested: Tested, teams: tuple[str, ...], ranks: Ranks, ranking: Ranking) -> MetricTests:
    order = np.lexsort((np.arange(len(teams)), ranks)).tolist()
    return MetricTests(
        method=tested.method,
        teams=teams,
        p=tuple(tuple(row) for row in np.round(tested.p, DECIMALS).tolist()),
        groups=dict(zip(teams, groups(order, tested.p, ranking.alpha), strict=True)),
    )


def _schemes(track: DrawnTrack, ranking: Ranking) -> Iterator[SchemePlacements]:
    """Place the teams by every scheme under the challenge's rule, then by its scheme under the published rules."""
    variants = [{"scheme": scheme, "average": average} for scheme, average in SCHEMES]
    variants += [{"task_rule": task_rule, "absent_task": absent} for task_rule, absent in RULES]
    seen = []
    for variant in [{}, *variants]:
        rule = ranking.model_copy(update=variant)
        if rule not in seen:
            seen.append(rule)
            yield _placements(track, rule, used=rule == ranking)


def _placements(track: DrawnTrack, rule: Ranking, *, used: bool) -> SchemePlacements:
    evidence = track.evidence
    entered = {task.name: evidence.entered(task) for task in evidence.tasks}
    placed = place(point_keys(evidence, rule, track.tests), entered, evidence.tasks, rule)
    return SchemePlacements(
        scheme=rule.scheme,
        average=rule.average,
        task_rule=rule.task_rule,
        absent_task=rule.absent_task,
        used=used,
        placements={team: int(placed.placements[0, column]) for column, team in enumerate(evidence.teams)},
    )
