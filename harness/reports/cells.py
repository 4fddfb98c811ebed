"""How single values are written, the same in every report."""

from __future__ import annotations

import math

from harness.scoring.leaderboard import Leaderboard, MetricColumn, Row, TaskCell, TrackTable
from harness.scoring.scores import Scored
from harness.scoring.spreads import Interval

ABSENT = "–"


def placement(row: Row) -> str:
    """Write a placement (a star: it is not final) with the places of most resamples and the group; a baseline has none.

    ``2 (1–3) a`` is the second place, between the first and the third in most resamples, in the best team's group.
    """
    if row.placement is None:
        return ABSENT
    parts = [f"{row.placement}{'*' if row.provisional else ''}"]
    if row.stability is not None:
        low, high = row.stability.placement.low, row.stability.placement.high
        parts += [f"({low:g})" if low == high else f"({low:g}–{high:g})", group(row.stability.group)]
    return " ".join(parts)


def group(number: int | None) -> str:
    """Write a group of teams that cannot be told from its best as a letter, in the way of spreadsheet columns.

    Examples
    --------
    >>> group(1), group(26), group(27)
    ('a', 'z', 'aa')
    """
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters or ABSENT


def overall_rank(row: Row) -> str:
    """Write an overall rank to one decimal, as FOMO25 publishes it."""
    return ABSENT if row.overall_rank is None else f"{row.overall_rank:.1f}"


def task_rank(cell: TaskCell) -> str:
    """Write a task's rank without needless decimals."""
    return ABSENT if cell.rank is None else f"{cell.rank:.2f}".rstrip("0").rstrip(".")


def metric_value(cell: TaskCell, column: MetricColumn) -> str:
    """Write a metric's value to the spec's decimals with its interval and group, or why there is none."""
    if not cell.entered:
        return ABSENT
    score = cell.metrics[column.name]
    if not isinstance(score, Scored):
        return score.status
    parts = [number(score.value, column)]
    if column.name in cell.intervals:
        parts.append(interval(cell.intervals[column.name], column))
    if column.name in cell.groups:
        parts.append(group(cell.groups[column.name]))
    return " ".join(parts)


def interval(found: Interval, column: MetricColumn) -> str:
    """Write an interval to the metric's decimals; with a word where a dash would stand beside a sign."""
    low, high = number(found.low, column), number(found.high, column)
    return f"({low} to {high})" if low.startswith("-") else f"({low}–{high})"


def number(value: float, column: MetricColumn) -> str:
    """Write a number to the metric's decimals."""
    return f"{value:z.{column.decimals}f}"


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


def notes(board: Leaderboard) -> tuple[str, ...]:
    """Say what has to be known to read the tables."""
    rows = [row for track in board.tracks for row in track.rows]
    found = []
    if any(cell.intervals for row in rows for cell in row.tasks.values()):
        resampling = board.ranking.resampling
        found.append(
            f"In brackets: {100 * resampling.confidence:g} % intervals over {resampling.resamples:,} resamples of the "
            "cases. Teams with the same letter cannot be told from the best of them "
            f"(adjusted tests, α = {board.ranking.alpha:g})."
        )
    found += [note for track in board.tracks if (note := _undecided(board, track))]
    if any(row.provisional for row in rows):
        found.append(PROVISIONAL_NOTE)
    return tuple(found)


def _undecided(board: Leaderboard, track: TrackTable) -> str:
    """Say where resamples are too few for so many teams: after Holm's adjustment no test on them can be significant."""
    teams = sum(row.stability is not None for row in track.rows)
    needed = math.ceil(teams * (teams - 1) / board.ranking.alpha)
    if needed <= board.ranking.resampling.resamples:
        return ""
    return (
        f"{track.name}: tests on resamples (correlations, overall ranks) cannot tell {teams} teams apart with "
        f"{board.ranking.resampling.resamples:,} of them; set ranking.resampling.resamples to {needed:,} or more."
    )


PROVISIONAL_NOTE = (
    "* provisional: some cases have no result yet, for reasons that are not the team's; every place of the track may "
    "still change. Run the same command again to complete them."
)
