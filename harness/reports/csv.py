"""The leaderboard as CSV: full precision, one line per team and track."""

from __future__ import annotations

import csv
import io

from harness.reports.tables import Table
from harness.scoring.leaderboard import Leaderboard, Row
from harness.scoring.scores import Scored

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(board: Leaderboard) -> str:
    """Write a leaderboard as CSV.

    A cell without a value is empty. A team's title that a spreadsheet would run as a formula is quoted.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = ["track", "team", "title", "baseline", "provisional", "placement", "placement.low", "placement.high"]
    header += ["overall_rank", "endings"]
    for task in board.tasks:
        header += [f"{task.name}.rank", f"{task.name}.valid", f"{task.name}.cases"]
        for metric in task.metrics:
            name = f"{task.name}.{metric.name}"
            header += [name, f"{name}.low", f"{name}.high", *([f"{name}.rank"] if metric.ranked else [])]
    writer.writerow(header)
    for track in board.tracks:
        for row in track.rows:
            writer.writerow([track.name, *_cells(row, board)])
    return text.getvalue()


def table_csv(table: Table) -> str:
    """Write a table as people read it; a cell that a spreadsheet would run as a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_harmless(column.title) for column in table.columns])
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return text.getvalue()


def _cells(row: Row, board: Leaderboard) -> list[object]:
    line: list[object] = [
        row.team,
        _harmless(row.title),
        row.baseline,
        row.provisional,
        _or_empty(row.placement),
        *(("", "") if row.stability is None else (row.stability.placement.low, row.stability.placement.high)),
        _or_empty(row.overall_rank),
        "; ".join(f"{ending} {count}" for ending, count in row.endings.items()),
    ]
    for task in board.tasks:
        cell = row.tasks[task.name]
        line += [_or_empty(cell.rank), *((cell.valid, cell.cases) if cell.entered else ("", ""))]
        for metric in task.metrics:
            score = cell.metrics.get(metric.name)
            interval = cell.intervals.get(metric.name)
            line.append(repr(score.value) if isinstance(score, Scored) else "")
            line += ["", ""] if interval is None else [repr(interval.low), repr(interval.high)]
            if metric.ranked:
                line.append(_or_empty(cell.metric_ranks.get(metric.name)))
    return line


def _or_empty(value: object) -> object:
    return "" if value is None else value


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
