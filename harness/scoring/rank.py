"""Ranking: metric ranks, task ranks, overall ranks and placements of one track.

The same arithmetic ranks one table of values and ten thousand resampled ones: everything here works on arrays of shape
(draws, teams).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.records.plan import Plan
from harness.specs.challenge import Ranking
from harness.specs.task import MetricSpec

Values = NDArray[np.float64]
Ranks = NDArray[np.int64]
Keys = Mapping[str, Mapping[str, Values]]
"""By task and ranked metric: what orders the teams, shape (draws, teams), lower is better, NaN is undefined."""

RANK_DECIMALS = 9
"""Mean ranks are rounded to this before they are compared, so that the order of addition cannot split a tie."""
LARGE = 2.0**53 / 1e12
VALUE_DECIMALS = 12
"""Values are rounded to this first: the last bits of a sum must not decide on which side of a half a value lies."""


@dataclass(frozen=True)
class RankedTask:
    """What ranking has to know of a task."""

    name: str
    metrics: tuple[MetricSpec, ...]
    weight: float

    @property
    def ranked_metrics(self) -> tuple[MetricSpec, ...]:
        """The metrics that decide the task's rank."""
        return tuple(metric for metric in self.metrics if metric.ranked)


def ranked_tasks(plan: Plan) -> tuple[RankedTask, ...]:
    """Return what ranking has to know of a plan's tasks."""
    weights = plan.challenge.ranking.task_weights
    return tuple(RankedTask(task.spec.name, task.spec.metrics, weights.get(task.spec.name, 1.0)) for task in plan.tasks)


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
    """A team's rank in a task; its metric ranks are empty where it did not enter."""

    rank: float
    metric_ranks: Mapping[str, int]


@dataclass(frozen=True)
class Standing:
    """Where a team stands in its track."""

    team: str
    placement: int
    overall_rank: float
    tasks: Mapping[str, TaskRank]


@dataclass(frozen=True)
class Placed:
    """Ranks in every draw, each of shape (draws, teams).

    Attributes
    ----------
    metric_ranks
        By task and metric; meaningless for a team that did not enter.
    task_ranks
        By task.
    overall
        Overall ranks.
    placements
        1 is the best; teams with the same overall rank share the better placement.
    """

    metric_ranks: Mapping[str, Mapping[str, Ranks]]
    task_ranks: Mapping[str, Values]
    overall: Values
    placements: Ranks


def ranked_teams(contenders: Sequence[Contender]) -> tuple[Contender, ...]:
    """Return those that are ranked, by name."""
    return tuple(sorted((each for each in contenders if not each.baseline), key=lambda each: each.team))


def rank(
    contenders: Sequence[Contender], tasks: Sequence[RankedTask], ranking: Ranking, keys: Keys | None = None
) -> tuple[Standing, ...]:
    """Rank the teams of one track.

    Parameters
    ----------
    contenders
        All teams; baselines are left out of every rank.
    tasks
        The tasks that count.
    ranking
        The challenge's rule.
    keys
        What orders the teams, in the order of :func:`ranked_teams`, one draw; by default their values.

    Returns
    -------
    tuple of Standing
        By placement, ties by name.
    """
    teams = ranked_teams(contenders)
    entered = {task.name: np.array([task.name in each.values for each in teams], dtype=bool) for task in tasks}
    placed = place(value_keys(teams, tasks) if keys is None else keys, entered, tasks, ranking)
    standings = [
        Standing(
            team=team.team,
            placement=int(placed.placements[0, place_of]),
            overall_rank=float(placed.overall[0, place_of]),
            tasks={
                task.name: TaskRank(
                    float(placed.task_ranks[task.name][0, place_of]),
                    {name: int(ranks[0, place_of]) for name, ranks in placed.metric_ranks[task.name].items()}
                    if task.name in team.values
                    else {},
                )
                for task in tasks
            },
        )
        for place_of, team in enumerate(teams)
    ]
    return tuple(sorted(standings, key=lambda standing: (standing.placement, standing.team)))


def value_keys(teams: Sequence[Contender], tasks: Sequence[RankedTask]) -> dict[str, dict[str, Values]]:
    """Order teams by their values, one draw."""
    return {
        task.name: {
            metric.name: order_keys(
                np.array([[_number(each.values.get(task.name, {}).get(metric.name)) for each in teams]]), metric
            )
            for metric in task.ranked_metrics
        }
        for task in tasks
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def order_keys(values: Values, metric: MetricSpec) -> Values:
    """Turn a metric's values into keys, lower is better: rounded as the spec says, and signed by its direction."""
    shown = rounded(np.where(np.isfinite(values), values, np.nan), metric.decimals)
    if metric.direction == "higher":
        return -shown
    return np.abs(shown) if metric.direction == "zero" else shown


def rounded(values: Values, decimals: int) -> Values:
    """Round as people read numbers, whatever the last bits of a sum are.

    Examples
    --------
    >>> rounded(np.array([0.0005, 0.3 - 0.1, 2.6749999999999]), 2).tolist()
    [0.0, 0.2, 2.67]
    >>> rounded(np.array([0.1 + 0.0005]), 3).tolist() == [round(round(0.1 + 0.0005, 12), 3)]
    True
    """
    settled = settle(values)
    large = np.abs(settled) >= LARGE
    scaled = np.where(large, 0.0, settled) * 10.0**decimals
    result = np.where(large, settled, np.round(np.where(large, 0.0, settled), decimals))
    # Python rounds the number itself, NumPy a product: they part at halves, and what is shown is Python's.
    for place_of in np.flatnonzero(np.abs(scaled - np.floor(scaled) - 0.5).ravel() < 1e-6):
        result.flat[place_of] = round(float(settled.flat[place_of]), decimals)
    return np.asarray(result + 0.0)  # no negative zero


def settle(values: Values) -> Values:
    """Round what may be the last bits of a sum; large values have no such decimals."""
    large = ~(np.abs(values) < LARGE)
    return np.asarray(np.where(large, values, np.round(np.where(large, 0.0, values), VALUE_DECIMALS)))


def place(
    keys: Keys, entered: Mapping[str, NDArray[np.bool_]], tasks: Sequence[RankedTask], ranking: Ranking
) -> Placed:
    """Rank teams in every draw.

    Parameters
    ----------
    keys
        What orders the teams.
    entered
        By task, which teams entered it, shape (teams,).
    tasks
        The tasks that count.
    ranking
        The challenge's rule.
    """
    metric_ranks = {task.name: _metric_ranks(keys[task.name], entered[task.name]) for task in tasks}
    task_ranks = {task.name: _task_ranks(metric_ranks[task.name], entered[task.name], task, ranking) for task in tasks}
    overall = _weighted_mean([task_ranks[task.name] for task in tasks], [task.weight for task in tasks])
    return Placed(metric_ranks, task_ranks, overall, competition_ranks(overall))


def _metric_ranks(keys: Mapping[str, Values], entered: NDArray[np.bool_]) -> dict[str, Ranks]:
    """Rank those that entered; a team without a value comes behind every value."""
    return {
        name: competition_ranks(np.where(entered, np.where(np.isnan(values), np.inf, values), np.nan))
        for name, values in keys.items()
    }


def _task_ranks(
    metric_ranks: Mapping[str, Ranks], entered: NDArray[np.bool_], task: RankedTask, ranking: Ranking
) -> Values:
    metrics = task.ranked_metrics
    ranks = _weighted_mean([metric_ranks[each.name] for each in metrics], [each.weight for each in metrics])
    if ranking.task_rule == "ranked_again":
        ranks = competition_ranks(np.where(entered, ranks, np.nan)).astype(np.float64)
    submissions = int(np.count_nonzero(entered))
    absent = submissions + 1 if ranking.absent_task == "valid_submissions_plus_one" else entered.size
    return np.where(entered, ranks, float(absent))


def competition_ranks(keys: Values) -> Ranks:
    """Rank ascending in each draw: one more than the number of teams that are strictly better.

    Parameters
    ----------
    keys
        Shape (draws, teams). NaN is ahead of nobody.

    Examples
    --------
    >>> competition_ranks(np.array([[0.2, 0.1, 0.2, np.inf]])).tolist()
    [[2, 1, 2, 4]]
    """
    ranks = np.ones(keys.shape, np.int64)
    with np.errstate(invalid="ignore"):
        for other in range(keys.shape[1]):
            ranks += keys[:, other : other + 1] < keys
    return ranks


def _weighted_mean(ranks: Sequence[NDArray[np.int64 | np.float64]], weights: Sequence[float]) -> Values:
    total = np.zeros(ranks[0].shape)
    for each, weight in zip(ranks, weights, strict=True):
        total += each * weight
    return np.asarray(np.round(total / sum(weights), RANK_DECIMALS))
