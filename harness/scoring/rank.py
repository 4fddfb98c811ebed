"""Ranking: metric ranks, task ranks, overall ranks and placements of one track.

The rule is FOMO25's: rank each metric; a task's rank is the mean of its metrics' ranks; the overall rank is the
mean of the task ranks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.specs.task import MetricSpec

RANK_DECIMALS = 9
"""Mean ranks are rounded to this before they are compared, so that the order of addition cannot split a tie."""


@dataclass(frozen=True)
class RankedTask:
    """What ranking has to know of a task."""

    name: str
    metrics: tuple[MetricSpec, ...]
    weight: float


@dataclass(frozen=True)
class Contender:
    """A team's values in one track.

    Attributes
    ----------
    values
        By task it entered and metric; None where the metric is undefined or pending.
    baseline
        Shown, and not ranked.
    """

    team: str
    values: Mapping[str, Mapping[str, float | None]]
    baseline: bool = False


@dataclass(frozen=True)
class TaskRank:
    """A team's rank in a task: the weighted mean of its metric ranks, which are empty where it did not enter."""

    rank: float
    metric_ranks: Mapping[str, int]


@dataclass(frozen=True)
class Standing:
    """Where a team stands in its track."""

    team: str
    placement: int
    overall_rank: float
    tasks: Mapping[str, TaskRank]


def rank(contenders: Sequence[Contender], tasks: Sequence[RankedTask]) -> tuple[Standing, ...]:
    """Rank the teams of one track.

    Parameters
    ----------
    contenders
        All teams; baselines are left out of every rank.
    tasks
        The tasks that count.

    Returns
    -------
    tuple of Standing
        By placement, ties by name. Teams with the same overall rank share the better placement.
    """
    teams = sorted((each for each in contenders if not each.baseline), key=lambda each: each.team)
    by_task = {task.name: _rank_task(task, teams) for task in tasks}
    overall = {
        each.team: _weighted_mean([(by_task[task.name][each.team].rank, task.weight) for task in tasks])
        for each in teams
    }
    placements = _competition_ranks(overall)
    standings = [
        Standing(
            team=team,
            placement=placements[team],
            overall_rank=overall[team],
            tasks={task.name: by_task[task.name][team] for task in tasks},
        )
        for team in overall
    ]
    return tuple(sorted(standings, key=lambda standing: (standing.placement, standing.team)))


def _rank_task(task: RankedTask, teams: Sequence[Contender]) -> dict[str, TaskRank]:
    entered = [each for each in teams if task.name in each.values]
    ranked = [metric for metric in task.metrics if metric.ranked]
    metric_ranks = {
        metric.name: _rank_metric(metric, {each.team: each.values[task.name].get(metric.name) for each in entered})
        for metric in ranked
    }
    absent = TaskRank(rank=float(len(entered) + 1), metric_ranks={})
    return {
        each.team: _task_rank(each.team, ranked, metric_ranks) if task.name in each.values else absent for each in teams
    }


def _task_rank(team: str, ranked: Sequence[MetricSpec], metric_ranks: Mapping[str, Mapping[str, int]]) -> TaskRank:
    of_team = {metric.name: metric_ranks[metric.name][team] for metric in ranked}
    return TaskRank(_weighted_mean([(of_team[metric.name], metric.weight) for metric in ranked]), of_team)


def _rank_metric(metric: MetricSpec, values: Mapping[str, float | None]) -> dict[str, int]:
    """Rank rounded values, ties sharing the best rank; a team without a value comes behind every value."""
    sign = -1.0 if metric.direction == "higher" else 1.0
    rounded = {team: None if value is None else round(value, metric.decimals) for team, value in values.items()}
    order = {
        team: math.inf if value is None else abs(value) if metric.direction == "zero" else sign * value
        for team, value in rounded.items()
    }
    return _competition_ranks(order)


def _competition_ranks(order: Mapping[str, float]) -> dict[str, int]:
    """Rank ascending: one more than the number of teams that are strictly better."""
    return {team: 1 + sum(other < own for other in order.values()) for team, own in order.items()}


def _weighted_mean(weighted: Sequence[tuple[float, float]]) -> float:
    total = math.fsum(weight for _, weight in weighted)
    return round(math.fsum(value * weight for value, weight in weighted) / total, RANK_DECIMALS)
