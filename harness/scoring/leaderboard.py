"""The leaderboard: standings, values, coverage and endings, put together per track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.metrics.registry import metric_named
from harness.records.plan import Kept, Plan
from harness.scoring.rank import Contender, RankedTask, Standing, rank
from harness.scoring.scores import EntryScore, MetricScore, Scored, Scores
from harness.specs.task import Direction


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
        Weighted mean of the metric ranks; absent for a baseline.
    valid, cases
        Coverage: cases with a valid prediction, of all.
    """

    entered: bool
    provisional: bool = False
    rank: float | None = Field(default=None, exclude_if=lambda value: value is None)
    metric_ranks: dict[str, int] = Field(default_factory=dict)
    metrics: dict[str, MetricScore] = Field(default_factory=dict)
    valid: int = 0
    cases: int = 0


class Row(Kept):
    """A team in a track; a baseline has neither placement nor ranks."""

    team: str
    title: str
    baseline: bool
    provisional: bool
    placement: int | None = Field(default=None, exclude_if=lambda value: value is None)
    overall_rank: float | None = Field(default=None, exclude_if=lambda value: value is None)
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
    rules: str
    evidence: str
    tasks: tuple[TaskColumn, ...]
    tracks: tuple[TrackTable, ...]


def leaderboard(plan: Plan, scores: Scores) -> Leaderboard:
    """Rank every track of a run.

    Parameters
    ----------
    plan
        The run's plan, for the ranking rule, the tracks and the metrics' display.
    scores
        What the teams reached.

    Returns
    -------
    Leaderboard
        The same, whatever the order of entries.
    """
    columns = tuple(
        TaskColumn(
            name=task.spec.name,
            title=task.spec.title,
            weight=plan.challenge.ranking.task_weights.get(task.spec.name, 1.0),
            cases=len(task.cases),
            metrics=tuple(
                MetricColumn(
                    name=metric.name,
                    title=metric_named(metric.name).title,
                    unit=metric_named(metric.name).unit,
                    direction=metric.direction,
                    decimals=metric.decimals,
                    ranked=metric.ranked,
                )
                for metric in task.spec.metrics
            ),
        )
        for task in plan.tasks
    )
    tasks = tuple(
        RankedTask(task.spec.name, task.spec.metrics, column.weight)
        for task, column in zip(plan.tasks, columns, strict=True)
    )
    tracks = tuple(
        TrackTable(name=name, title=title, rows=_rows([e for e in scores.entries if e.track == name], tasks))
        for name, title in plan.challenge.tracks.items()
        if any(entry.track == name for entry in scores.entries)
    )
    return Leaderboard(
        challenge=plan.challenge.name,
        title=plan.challenge.title,
        notice=plan.notice,
        rules=scores.rules,
        evidence=scores.evidence,
        tasks=columns,
        tracks=tracks,
    )


def _rows(entries: Sequence[EntryScore], tasks: Sequence[RankedTask]) -> tuple[Row, ...]:
    by_team: dict[str, list[EntryScore]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.baseline, entry.team)):
        by_team.setdefault(entry.team, []).append(entry)
    standings = {standing.team: standing for standing in rank([_contender(each) for each in by_team.values()], tasks)}
    ranked = [_row(by_team[team], tasks, standing) for team, standing in standings.items()]
    baselines = [_row(of_team, tasks, None) for team, of_team in by_team.items() if team not in standings]
    return (*ranked, *baselines)


def _contender(entries: Sequence[EntryScore]) -> Contender:
    values = {
        entry.task: {name: each.value if isinstance(each, Scored) else None for name, each in entry.metrics.items()}
        for entry in entries
    }
    return Contender(entries[0].team, values, baseline=entries[0].baseline)


def _row(entries: Sequence[EntryScore], tasks: Sequence[RankedTask], standing: Standing | None) -> Row:
    by_task = {entry.task: entry for entry in entries}
    endings: Counter[str] = Counter()
    for entry in entries:
        endings.update(entry.endings)
    return Row(
        team=entries[0].team,
        title=entries[0].title,
        baseline=entries[0].baseline,
        provisional=any(entry.provisional for entry in entries),
        placement=None if standing is None else standing.placement,
        overall_rank=None if standing is None else standing.overall_rank,
        tasks={task.name: _cell(by_task.get(task.name), task.name, standing) for task in tasks},
        endings=dict(sorted(endings.items())),
    )


def _cell(entry: EntryScore | None, task: str, standing: Standing | None) -> TaskCell:
    position = None if standing is None else standing.tasks[task]
    if entry is None:
        return TaskCell(entered=False, rank=None if position is None else position.rank)
    return TaskCell(
        entered=True,
        provisional=entry.provisional,
        rank=None if position is None else position.rank,
        metric_ranks={} if position is None else dict(position.metric_ranks),
        metrics=entry.metrics,
        valid=entry.valid,
        cases=entry.cases,
    )
