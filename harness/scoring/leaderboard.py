"""The leaderboard: standings, values, coverage and endings, put together per track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.metrics.registry import metric_named
from harness.records.plan import Kept, Plan
from harness.scoring.drawn import DrawnRun
from harness.scoring.rank import Contender, Keys, RankedTask, Standing, rank, ranked_tasks
from harness.scoring.schemes import point_keys
from harness.scoring.scores import EntryScore, MetricScore, Scored, Scores
from harness.scoring.spreads import Interval, Stability, TeamStability
from harness.specs.challenge import ChallengeSpec, Ranking
from harness.specs.task import Direction, TaskSpec


class MetricColumn(Kept):
    """A metric as the leaderboard shows it."""

    name: str
    title: str
    unit: str
    direction: Direction
    decimals: int
    ranked: bool


class TaskColumn(Kept):
    """A task as the leaderboard shows it."""

    name: str
    title: str
    weight: float
    cases: int
    metrics: tuple[MetricColumn, ...]


class TaskCell(Kept):
    """A team's part in one task.

    Attributes
    ----------
    rank
        What the ranking rule makes of the metric ranks; absent for a baseline.
    groups
        By metric: teams of one group cannot be told from its best, 1 for that of the best team.
    intervals
        Of each metric.
    valid, cases
        Coverage: cases with a valid prediction, of all.
    """

    entered: bool
    provisional: bool = False
    rank: float | None = Field(default=None, exclude_if=lambda value: value is None)
    metric_ranks: dict[str, int] = Field(default_factory=dict)
    groups: dict[str, int] = Field(default_factory=dict)
    metrics: dict[str, MetricScore] = Field(default_factory=dict)
    intervals: dict[str, Interval] = Field(default_factory=dict)
    valid: int = 0
    cases: int = 0


class Row(Kept):
    """A team in a track; a baseline has neither placement nor ranks, and no stability."""

    team: str
    title: str
    baseline: bool
    provisional: bool
    placement: int | None = Field(default=None, exclude_if=lambda value: value is None)
    overall_rank: float | None = Field(default=None, exclude_if=lambda value: value is None)
    stability: TeamStability | None = Field(default=None, exclude_if=lambda value: value is None)
    tasks: dict[str, TaskCell]
    endings: dict[str, int]


class TrackTable(Kept):
    """The leaderboard of one track: teams by placement, then baselines."""

    name: str
    title: str
    rows: tuple[Row, ...]


class Leaderboard(Kept):
    """What ``leaderboard.json`` holds."""

    format: Literal[1] = 1
    challenge: str
    title: str
    notice: str
    ranking: Ranking
    rules: str
    evidence: str
    tasks: tuple[TaskColumn, ...]
    tracks: tuple[TrackTable, ...]


def leaderboard(plan: Plan, scores: Scores, drawn: DrawnRun, trust: Stability) -> Leaderboard:
    """Rank every track of a run.

    Parameters
    ----------
    plan
        The run's plan, for the ranking rule, the tracks and the metrics' display.
    scores
        What the teams reached.
    drawn
        The run's draws, which also hold what orders the teams.
    trust
        How far values and ranks can be trusted.

    Returns
    -------
    Leaderboard
        The same, whatever the order of entries.
    """
    ranking = plan.challenge.ranking
    keys = {track.evidence.track: point_keys(track.evidence, ranking, track.tests) for track in drawn.tracks}
    return Leaderboard(
        challenge=plan.challenge.name,
        title=plan.challenge.title,
        notice=plan.notice,
        ranking=ranking,
        rules=scores.rules,
        evidence=scores.evidence,
        tasks=tuple(task_column(task.spec, plan.challenge, cases=len(task.cases)) for task in plan.tasks),
        tracks=tuple(
            TrackTable(
                name=name,
                title=title,
                rows=_rows([entry for entry in scores.entries if entry.track == name], plan, keys[name], trust),
            )
            for name, title in plan.challenge.tracks.items()
            if name in keys
        ),
    )


def task_column(task: TaskSpec, challenge: ChallengeSpec, *, cases: int) -> TaskColumn:
    """Describe a task for the leaderboard."""
    return TaskColumn(
        name=task.name,
        title=task.title,
        weight=challenge.ranking.task_weights.get(task.name, 1.0),
        cases=cases,
        metrics=tuple(
            MetricColumn(
                name=metric.name,
                title=metric_named(metric.name).title,
                unit=metric_named(metric.name).unit,
                direction=metric.direction,
                decimals=metric.decimals,
                ranked=metric.ranked,
            )
            for metric in task.metrics
        ),
    )


def _rows(entries: Sequence[EntryScore], plan: Plan, keys: Keys, trust: Stability) -> tuple[Row, ...]:
    by_team: dict[str, list[EntryScore]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.baseline, entry.team)):
        by_team.setdefault(entry.team, []).append(entry)
    tasks = ranked_tasks(plan)
    contenders = [_contender(of_team) for of_team in by_team.values()]
    standings = {each.team: each for each in rank(contenders, tasks, plan.challenge.ranking, keys)}
    ranked = [_row(by_team[team], tasks, standing, trust) for team, standing in standings.items()]
    baselines = [_row(of_team, tasks, None, trust) for team, of_team in by_team.items() if team not in standings]
    return (*ranked, *baselines)


def _contender(entries: Sequence[EntryScore]) -> Contender:
    values = {
        entry.task: {name: each.value if isinstance(each, Scored) else None for name, each in entry.metrics.items()}
        for entry in entries
    }
    return Contender(entries[0].team, values, baseline=entries[0].baseline)


def _row(
    entries: Sequence[EntryScore], tasks: Sequence[RankedTask], standing: Standing | None, trust: Stability
) -> Row:
    first, by_task = entries[0], {entry.task: entry for entry in entries}
    endings: Counter[str] = Counter()
    for entry in entries:
        endings.update(entry.endings)
    return Row(
        team=first.team,
        title=first.title,
        baseline=first.baseline,
        provisional=any(entry.provisional for entry in entries),
        placement=None if standing is None else standing.placement,
        overall_rank=None if standing is None else standing.overall_rank,
        stability=None if standing is None else trust.of_team(first.track, first.team),
        tasks={task.name: _cell(by_task.get(task.name), task.name, standing, trust) for task in tasks},
        endings=dict(sorted(endings.items())),
    )


def _cell(entry: EntryScore | None, task: str, standing: Standing | None, trust: Stability) -> TaskCell:
    position = None if standing is None else standing.tasks[task]
    if entry is None:
        return TaskCell(entered=False, rank=None if position is None else position.rank)
    return TaskCell(
        entered=True,
        provisional=entry.provisional,
        rank=None if position is None else position.rank,
        metric_ranks={} if position is None else dict(position.metric_ranks),
        groups={} if position is None else trust.groups(entry.track, entry.team, task),
        metrics=entry.metrics,
        intervals=trust.intervals(entry.track, entry.team, task),
        valid=entry.valid,
        cases=entry.cases,
    )
