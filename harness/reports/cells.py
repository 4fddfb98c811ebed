"""How single values are written, the same in every report."""

from __future__ import annotations

from harness.scoring.leaderboard import MetricColumn, Row, TaskCell
from harness.scoring.scores import Scored

ABSENT = "–"


def placement(row: Row) -> str:
    """Write a placement; a baseline has none."""
    return ABSENT if row.placement is None else str(row.placement)


def overall_rank(row: Row) -> str:
    """Write an overall rank to one decimal, as FOMO25 publishes it."""
    return ABSENT if row.overall_rank is None else f"{row.overall_rank:.1f}"


def task_rank(cell: TaskCell) -> str:
    """Write a task's rank without needless decimals."""
    return ABSENT if cell.rank is None else f"{cell.rank:.2f}".rstrip("0").rstrip(".")


def metric_value(cell: TaskCell, column: MetricColumn) -> str:
    """Write a metric's value to the spec's decimals, or why there is none."""
    if not cell.entered:
        return ABSENT
    score = cell.metrics[column.name]
    return f"{score.value:.{column.decimals}f}" if isinstance(score, Scored) else score.status


def coverage(cell: TaskCell) -> str:
    """Write how many cases have a valid prediction, of all; a star marks values that are not final."""
    return f"{cell.valid}/{cell.cases}{'*' if cell.provisional else ''}" if cell.entered else ABSENT


def endings(row: Row) -> str:
    """Write how often trials ended in which way, successes first."""
    ordered = sorted(row.endings.items(), key=lambda item: (item[0] != "ok", item[0]))
    return ", ".join(f"{count} {ending}" for ending, count in ordered)


def team(row: Row) -> str:
    """Write a team's name, marked where it is a baseline."""
    return f"{row.title} (baseline)" if row.baseline else row.title


PROVISIONAL_NOTE = (
    "* provisional: some cases have no result yet, for reasons that are not the team's. "
    "Run the same command again to complete them."
)
