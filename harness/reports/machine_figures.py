"""Plots of what containers used and why trials failed."""

from __future__ import annotations

from collections.abc import Iterator

from harness.reports.figure import MACHINE, Figure
from harness.reports.finished import Ended, FinishedRun, causes
from harness.reports.plots import values
from harness.scoring.leaderboard import Row, TrackTable


def machine_figures(run: FinishedRun, track: TrackTable) -> Iterator[Figure]:
    """Draw time and memory beside their limits, and failures by cause, of a track."""
    teams = [(row.title, _ended(run, track, row)) for row in track.rows]
    limits = [run.plan.task(column.name).limits for column in run.board.tasks]
    seconds = [(title, [each.seconds for each in ended if each.seconds]) for title, ended in teams]
    if any(used for _, used in seconds):
        yield Figure(
            f"{track.name}-seconds",
            MACHINE,
            "Time per case",
            "What containers took, all tasks together: minimum, quartiles and maximum. Logarithmic axis.",
            values.use(seconds, "Seconds per case", sorted({each.seconds for each in limits})),
        )
    memory = [(title, [each.memory_bytes / 2**30 for each in ended if each.memory_bytes]) for title, ended in teams]
    if any(used for _, used in memory):
        yield Figure(
            f"{track.name}-memory",
            MACHINE,
            "Memory per case",
            "Peak of each container, all tasks together: minimum, quartiles and maximum. Logarithmic axis.",
            values.use(memory, "Peak memory [GiB]", sorted({each.memory_bytes / 2**30 for each in limits})),
        )
    failures = [(title, causes(ended)) for title, ended in teams]
    if any(counts for _, counts in failures):
        yield Figure(
            f"{track.name}-failures",
            MACHINE,
            "Failures by cause",
            "Trials whose fault is the team's. What the machine spoiled is run again, and is not counted.",
            values.causes(failures, max(len(ended) for _, ended in teams)),
        )


def _ended(run: FinishedRun, track: TrackTable, row: Row) -> tuple[Ended, ...]:
    return tuple(each for task in run.board.tasks for each in run.ended.get((track.name, row.team, task.name), ()))
