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
    """Lay out one track: the overview first, then the ranked metrics of each task that somebody entered."""
    entered = [task for task in board.tasks if any(row.tasks[task.name].entered for row in track.rows)]
    return (_overview(board, track), *(_task_table(task, track.rows) for task in entered))


def reported_tables(board: Leaderboard, track: TrackTable) -> tuple[Table, ...]:
    """Lay out the metrics of a track that are reported and do not count."""
    tables = []
    for task in board.tasks:
        reported = [metric for metric in task.metrics if not metric.ranked]
        rows = [row for row in track.rows if row.tasks[task.name].entered]
        if reported and rows:
            tables.append(
                Table(
                    title=f"{task.title}: reported beside the ranking",
                    columns=(
                        Column("Team", numeric=False),
                        *(Column(metric_title(metric)) for metric in reported),
                        Column("Valid"),
                    ),
                    rows=tuple(
                        (
                            cells.team(row),
                            *(cells.metric_value(row.tasks[task.name], metric) for metric in reported),
                            cells.coverage(row.tasks[task.name]),
                        )
                        for row in sorted(rows, key=lambda row: _task_order(row, task))
                    ),
                    dimmed=tuple(row.baseline for row in sorted(rows, key=lambda row: _task_order(row, task))),
                )
            )
    return tuple(tables)


def _overview(board: Leaderboard, track: TrackTable) -> Table:
    ran = any(row.endings for row in track.rows)
    return Table(
        title=f"{track.name} track: {track.title}",
        columns=(
            Column("Place", numeric=False),
            Column("Team", numeric=False),
            Column("Rank"),
            *(Column(task.name) for task in board.tasks),
            *([Column("Trials", numeric=False)] if ran else []),
        ),
        rows=tuple(
            (
                cells.placement(row),
                cells.team(row),
                cells.overall_rank(row),
                *(cells.task_rank(row.tasks[task.name]) for task in board.tasks),
                *([cells.endings(row)] if ran else []),
            )
            for row in track.rows
        ),
        dimmed=tuple(row.baseline for row in track.rows),
    )


def _task_table(task: TaskColumn, rows: Sequence[Row]) -> Table:
    entered = sorted((row for row in rows if row.tasks[task.name].entered), key=lambda row: _task_order(row, task))
    ranked = [metric for metric in task.metrics if metric.ranked]
    return Table(
        title=f"{task.title} ({task.cases} cases)" if task.cases else task.title,
        columns=(
            Column("Rank"),
            Column("Team", numeric=False),
            *(Column(metric_title(metric)) for metric in ranked),
            *([Column("Valid")] if task.cases else []),
        ),
        rows=tuple(
            (
                cells.task_rank(row.tasks[task.name]),
                cells.team(row),
                *(cells.metric_value(row.tasks[task.name], metric) for metric in ranked),
                *([cells.coverage(row.tasks[task.name])] if task.cases else []),
            )
            for row in entered
        ),
        dimmed=tuple(row.baseline for row in entered),
    )


def _task_order(row: Row, task: TaskColumn) -> tuple[bool, float, str]:
    rank = row.tasks[task.name].rank
    return (row.baseline, rank or 0.0, row.team)


def metric_title(metric: MetricColumn) -> str:
    """Write a metric's title with its unit and an arrow to the better side."""
    unit = f" [{metric.unit}]" if metric.unit else ""
    return f"{metric.title}{unit} {ARROWS[metric.direction]}".rstrip()
