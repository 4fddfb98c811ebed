"""The leaderboard as tables of text: per track an overview, then one table per task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reports import cells
from harness.scoring.leaderboard import Leaderboard, MetricColumn, Row, TaskColumn, TrackTable
from harness.specs.task import Direction

ARROWS: dict[Direction, str] = {"higher": "↑", "lower": "↓", "zero": "→ 0", "none": ""}
"""Which values are better, behind a metric's title."""


@dataclass(frozen=True)
class Column:
    """A table's column: its title, and whether it holds numbers."""

    title: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes
    ----------
    rows
        As many cells as there are columns.
    dimmed
        For each row, whether it stands outside the ranking.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    dimmed: tuple[bool, ...]


def track_tables(board: Leaderboard, track: TrackTable) -> tuple[Table, ...]:
    """Lay out one track: the overview first, then each task that somebody entered."""
    entered = [task for task in board.tasks if any(row.tasks[task.name].entered for row in track.rows)]
    return (_overview(board, track), *(_task_table(task, track.rows) for task in entered))


def _overview(board: Leaderboard, track: TrackTable) -> Table:
    ranks = tuple(Column(task.name) for task in board.tasks)
    return Table(
        title=f"{track.name} track: {track.title}",
        columns=(
            Column("Place"),
            Column("Team", numeric=False),
            Column("Rank"),
            *ranks,
            Column("Trials", numeric=False),
        ),
        rows=tuple(
            (
                cells.placement(row),
                cells.team(row),
                cells.overall_rank(row),
                *(cells.task_rank(row.tasks[task.name]) for task in board.tasks),
                cells.endings(row),
            )
            for row in track.rows
        ),
        dimmed=tuple(row.baseline for row in track.rows),
    )


def _task_table(task: TaskColumn, rows: Sequence[Row]) -> Table:
    entered = sorted((row for row in rows if row.tasks[task.name].entered), key=lambda row: _task_order(row, task))
    return Table(
        title=f"{task.title} ({task.cases} cases)",
        columns=(
            Column("Rank"),
            Column("Team", numeric=False),
            *(Column(_metric_title(metric)) for metric in task.metrics),
            Column("Valid"),
        ),
        rows=tuple(
            (
                cells.task_rank(row.tasks[task.name]),
                cells.team(row),
                *(cells.metric_value(row.tasks[task.name], metric) for metric in task.metrics),
                cells.coverage(row.tasks[task.name]),
            )
            for row in entered
        ),
        dimmed=tuple(row.baseline for row in entered),
    )


def _task_order(row: Row, task: TaskColumn) -> tuple[bool, float, str]:
    rank = row.tasks[task.name].rank
    return (row.baseline, rank or 0.0, row.team)


def _metric_title(metric: MetricColumn) -> str:
    unit = f" [{metric.unit}]" if metric.unit else ""
    return f"{metric.title}{unit} {ARROWS[metric.direction]}".rstrip()


def is_provisional(board: Leaderboard) -> bool:
    """Say whether any row waits for results."""
    return any(row.provisional for track in board.tracks for row in track.rows)
