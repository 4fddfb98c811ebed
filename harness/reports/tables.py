"""The leaderboard as rows of text: one table per track, for every report that shows a table."""

from __future__ import annotations

from dataclasses import dataclass

from harness.reports import cells
from harness.scoring.leaderboard import Leaderboard, TrackTable


@dataclass(frozen=True)
class Table:
    """One track's leaderboard.

    Attributes
    ----------
    title
        The track.
    header
        Column titles; a task's own columns begin with its title on a line of its own.
    rows
        As many cells as the header has.
    dimmed
        For each row, whether it stands outside the ranking.
    numeric
        For each column, whether it holds numbers.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dimmed: tuple[bool, ...]
    numeric: tuple[bool, ...]


def track_table(board: Leaderboard, track: TrackTable) -> Table:
    """Lay out one track."""
    header, numeric = ["Place", "Team", "Overall rank"], [True, False, True]
    for task in board.tasks:
        header.append(f"{task.title}\nrank")
        header += [f"{metric.title}{f' ({metric.unit})' if metric.unit else ''}" for metric in task.metrics]
        header.append("valid")
        numeric += [True] * (len(task.metrics) + 2)
    rows = []
    for row in track.rows:
        line = [cells.placement(row), cells.team(row), cells.overall_rank(row)]
        for task in board.tasks:
            cell = row.tasks[task.name]
            line.append(cells.task_rank(cell))
            line += [cells.metric_value(cell, metric) for metric in task.metrics]
            line.append(cells.coverage(cell))
        rows.append((*line, cells.endings(row)))
    return Table(
        title=f"{track.name} track – {track.title}",
        header=(*header, "Trials"),
        rows=tuple(rows),
        dimmed=tuple(row.baseline for row in track.rows),
        numeric=(*numeric, False),
    )


def is_provisional(board: Leaderboard) -> bool:
    """Say whether any row waits for results."""
    return any(row.provisional for track in board.tracks for row in track.rows)
