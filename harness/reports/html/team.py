"""What a team's page shows: its own results, and of its cases what the task spec releases; nothing of anybody else.

Everything that is organisers' alone stays out: details of failures, paths, hosts, case ids (cases are numbered in
their order), and, unless they are released, references and what tells them.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.reports import cells, tables
from harness.reports.finished import Ended, FinishedRun, entries_of
from harness.reports.html.index import Overlays, values_of
from harness.reports.html.shown import Grid, Line, Slices, plain_grid
from harness.reports.lesions import telling_cases
from harness.reports.tables import Column
from harness.scoring.leaderboard import Row, TaskColumn, TrackTable
from harness.scoring.scores import CaseScore, EntryScore
from harness.specs.task import MaskReference, TaskSpec

GIB = 2**30


@dataclass(frozen=True)
class TeamTask:
    """One task of the team.

    Attributes
    ----------
    facts
        Coverage, rank, time and memory, each with its name.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Grid, ...]
    slices: tuple[Slices, ...]


@dataclass(frozen=True)
class TeamView:
    """A team's page."""

    challenge: str
    title: str
    track: str
    notice: str
    facts: tuple[tuple[str, str], ...]
    provisional: bool
    tasks: tuple[TeamTask, ...]
    version: str
    rules: str


def team_view(run: FinishedRun, track: TrackTable, row: Row, overlays: Overlays | None) -> TeamView:
    """Lay out the page of one team.

    Parameters
    ----------
    run
        The run.
    track, row
        Its track and its row there.
    overlays
        Draws slices; None where they are left out.
    """
    facts = [("Trials", cells.endings(row))]
    if row.placement is not None:
        facts = [("Place", cells.placement(row)), ("Overall rank", cells.overall_rank(row)), *facts]
    return TeamView(
        challenge=run.board.title,
        title=cells.team(row),
        track=f"{track.name} track: {track.title}",
        notice=run.board.notice,
        facts=tuple(facts),
        provisional=row.provisional,
        tasks=tuple(_tasks(run, track, row, overlays)),
        version=run.facts.fomo_eval,
        rules=run.scores.rules,
    )


def _tasks(run: FinishedRun, track: TrackTable, row: Row, overlays: Overlays | None) -> Iterator[TeamTask]:
    for entered in entries_of(run.plan, track.name, row.team):
        task = next(each for each in run.board.tasks if each.name == entered.task)
        entry, ended = run.entry(track.name, row.team, task.name), run.ended.get(entered.key, ())
        if entry is None:
            continue
        spec = run.plan.task(task.name).spec
        level = spec.release.to_teams
        grids = [_metrics(row, task), *([_failures(ended)] if any(each.failed for each in ended) else [])]
        if level != "scores":
            grids.append(_cases(run, entry, spec, ended, with_references=level == "overlays"))
        yield TeamTask(
            title=task.title,
            facts=tuple(_facts(run, row, task, ended)),
            tables=tuple(grids),
            slices=tuple(_slices(run, entry, spec, overlays)) if overlays and level == "overlays" else (),
        )


def _metrics(row: Row, task: TaskColumn) -> Grid:
    cell = row.tasks[task.name]
    lines = [
        Line(
            (
                tables.metric_title(metric),
                cells.metric_value(cell, metric),
                str(cell.metric_ranks.get(metric.name, cells.ABSENT)),
            )
        )
        for metric in task.metrics
    ]
    return plain_grid("Scores", (Column("Metric", numeric=False), Column("Value"), Column("Rank")), lines)


def _facts(run: FinishedRun, row: Row, task: TaskColumn, ended: tuple[Ended, ...]) -> Iterator[tuple[str, str]]:
    cell, limits = row.tasks[task.name], run.plan.task(task.name).limits
    yield "Cases with a valid prediction", cells.coverage(cell)
    if cell.rank is not None:
        yield "Rank in this task", cells.task_rank(cell)
    seconds = [each.seconds for each in ended if each.seconds is not None]
    if seconds:
        middle, longest = statistics.median(seconds), max(seconds)
        yield "Seconds per case", f"median {middle:.2f}, longest {longest:.2f}, limit {limits.seconds:g}"
    memory = [each.memory_bytes / GIB for each in ended if each.memory_bytes is not None]
    if memory:
        yield "Peak memory", f"{max(memory):.2f} GiB, limit {limits.memory_bytes / GIB:.3g} GiB"


def _failures(ended: tuple[Ended, ...]) -> Grid:
    counted = Counter((each.message, each.remedy) for each in ended if each.failed)
    return plain_grid(
        "Failures",
        (Column("What happened", numeric=False), Column("What helps", numeric=False), Column("Cases")),
        (Line((*told, f"{count:,}")) for told, count in counted.most_common()),
    )


def _cases(
    run: FinishedRun, entry: EntryScore, spec: TaskSpec, ended: tuple[Ended, ...], *, with_references: bool
) -> Grid:
    told = {each.case: each.message for each in ended}
    metrics = [
        metric
        for metric in next(each.metrics for each in run.board.tasks if each.name == spec.name)
        # What is reported beside the ranking can tell the reference: a volume's error, next to one's own volume.
        if (metric.ranked or with_references) and any(metric.name in case.values for case in entry.case_scores)
    ]
    truths = run.scores.references.get(spec.name, {}) if with_references else {}
    scalar = not isinstance(spec.reference, MaskReference)
    columns = [Column("Case"), *([Column("Prediction")] if scalar else []), *([Column("Reference")] if truths else [])]
    columns += [*(Column(tables.metric_title(metric)) for metric in metrics), Column("Ending", numeric=False)]
    lines = []
    for number, case in numbered(entry):
        words = [str(number)]
        if scalar:
            words.append(cells.ABSENT if case.prediction is None else f"{case.prediction:.6g}")
        if truths:
            words.append(f"{truths[case.case]:g}")
        words += [
            cells.number(case.values[each.name], each) if each.name in case.values else cells.ABSENT for each in metrics
        ]
        lines.append(Line((*words, told.get(case.case, "No result yet."))))
    return plain_grid("Case by case", columns, lines)


def numbered(entry: EntryScore) -> list[tuple[int, CaseScore]]:
    """Give an entry's cases numbers, in the order of their ids, from 1: what a team may call them by."""
    return list(enumerate(sorted(entry.case_scores, key=lambda case: case.case), start=1))


def _slices(run: FinishedRun, entry: EntryScore, spec: TaskSpec, overlays: Overlays) -> Iterator[Slices]:
    if not isinstance(spec.reference, MaskReference):
        return
    numbers = {case.case: number for number, case in numbered(entry)}
    for which, case in telling_cases(entry, spec.ranked_metrics[0]):
        words = f"{which}: case {numbers[case.case]}, {values_of(case, run.board, spec.name)}"
        picture = overlays(entry.track, entry.team, spec.name, case.case)
        yield Slices("", words, f"Axial, coronal and sagittal slice of your {words}", picture)
