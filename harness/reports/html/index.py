"""What the organisers' page shows, taken from the run's models: nothing here is computed that they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.reports import cells, tables
from harness.reports.figure import MACHINE, RANKING, Figure
from harness.reports.finished import Ended, FinishedRun
from harness.reports.html.shown import Grid, Line, Slices, grid, plain_grid
from harness.reports.lesions import telling_cases
from harness.reports.methods import images, methods, provenance
from harness.reports.tables import Column, Table
from harness.scoring.leaderboard import Leaderboard, MetricColumn, Row, TaskCell, TrackTable
from harness.scoring.scores import CaseScore
from harness.scoring.spreads import SchemePlacements, Spread
from harness.scoring.subgroups import GroupedColumn, GroupedMetric
from harness.specs.task import MaskReference

Overlays = Callable[[str, str, str, str], bytes]
"""By track, team, task and case: the picture of its slices."""
MOST_FAILURES = 200


@dataclass(frozen=True)
class TaskPart:
    """One task of a track."""

    name: str
    title: str
    tables: tuple[Grid, ...]
    figures: tuple[Figure, ...]
    slices: tuple[Slices, ...]


@dataclass(frozen=True)
class TrackPart:
    """One track.

    Attributes
    ----------
    stability
        In a sentence; empty where ranks cannot be drawn anew and there is no more to say.
    """

    name: str
    title: str
    overview: Grid
    stability: str
    ranking: tuple[Figure, ...]
    schemes: Grid
    tasks: tuple[TaskPart, ...]
    subgroups: tuple[Grid, ...]
    machine: tuple[Figure, ...]
    failures: Grid | None


@dataclass(frozen=True)
class IndexView:
    """The organisers' page."""

    title: str
    notice: str
    lead: str
    notes: tuple[str, ...]
    missing: str
    tracks: tuple[TrackPart, ...]
    methods: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    images: tuple[tuple[str, str, str, str], ...]


def index_view(
    run: FinishedRun, drawn: Mapping[str, Sequence[Figure]], overlays: Overlays | None, *, missing: str = ""
) -> IndexView:
    """Lay out the organisers' page.

    Parameters
    ----------
    run
        The run.
    drawn
        Its figures by track.
    overlays
        Draws slices; None where they are left out.
    missing
        What is not on the page, and why.
    """
    trials = sum(len(ended) for ended in run.ended.values())
    return IndexView(
        title=run.board.title,
        notice=run.board.notice,
        lead=f"Run {run.facts.id} of {run.facts.created[:10]}: {trials:,} trials have a result.",
        notes=cells.notes(run.board),
        missing=missing,
        tracks=tuple(_track(run, track, drawn[track.name], overlays) for track in run.board.tracks),
        methods=methods(run),
        provenance=provenance(run),
        images=images(run),
    )


def _track(run: FinishedRun, track: TrackTable, drawn: Sequence[Figure], overlays: Overlays | None) -> TrackPart:
    trust = run.stability.track(track.name)
    return TrackPart(
        name=track.name,
        title=track.title,
        overview=grid(overview(run.board, track), track),
        stability=trust.undrawn if trust.kendall_tau is None else _kendall(trust.kendall_tau, run.stability.confidence),
        ranking=tuple(figure for figure in drawn if figure.part == RANKING),
        schemes=_schemes(track, trust.schemes),
        tasks=tuple(_tasks(run, track, drawn, overlays)),
        subgroups=tuple(_subgroups(run, track)),
        machine=tuple(figure for figure in drawn if figure.part == MACHINE),
        failures=_failures(run, track),
    )


def overview(board: Leaderboard, track: TrackTable) -> Table:
    """Lay out a track's placements, ranks with their intervals, and how trials ended."""
    return Table(
        title="Leaderboard",
        columns=(
            Column("Place"),
            Column("Team", numeric=False),
            Column("Overall rank"),
            *(Column(task.title) for task in board.tasks),
            Column("First in"),
            Column("Trials", numeric=False),
        ),
        rows=tuple(
            (
                cells.placement(row),
                cells.team(row),
                _ranked(cells.overall_rank(row), row.stability.overall_rank if row.stability else None),
                *(_task_rank(row, row.tasks[task.name], task.name) for task in board.tasks),
                f"{100 * row.stability.first:.0f} %" if row.stability else cells.ABSENT,
                cells.endings(row),
            )
            for row in track.rows
        ),
        dimmed=tuple(row.baseline for row in track.rows),
    )


def _task_rank(row: Row, cell: TaskCell, task: str) -> str:
    absent = "" if cell.entered or cell.rank is None else " not entered"
    return _ranked(cells.task_rank(cell), row.stability.tasks.get(task) if row.stability else None) + absent


def _ranked(text: str, spread: Spread | None) -> str:
    if spread is None or text == cells.ABSENT:
        return text
    low, high = (f"{end:.2f}".rstrip("0").rstrip(".") for end in (spread.low, spread.high))
    return f"{text} ({low}–{high})" if low != high else f"{text} ({low})"


def _kendall(tau: Spread, confidence: float) -> str:
    return (
        f"Kendall's τ between the ranking and that of a resample: median {tau.median:.2f}, "
        f"{100 * confidence:g} % interval {tau.low:.2f} to {tau.high:.2f} (1: the same order)."
    )


def _schemes(track: TrackTable, schemes: Sequence[SchemePlacements]) -> Grid:
    return plain_grid(
        "Placements under other rules",
        (Column("Team", numeric=False), *(Column(_scheme(each)) for each in schemes)),
        (
            Line((cells.team(row), *(str(each.placements[row.team]) for each in schemes)), cells.team(row))
            for row in track.rows
            if not row.baseline
        ),
    )


def _scheme(scheme: SchemePlacements) -> str:
    parts = [scheme.scheme.replace("_", " "), scheme.average]
    parts += ["ranked again"] if scheme.task_rule == "ranked_again" else []
    parts += ["absent: last"] if scheme.absent_task == "last" else []
    return ", ".join(parts) + (" (used)" if scheme.used else "")


def _tasks(
    run: FinishedRun, track: TrackTable, drawn: Sequence[Figure], overlays: Overlays | None
) -> Iterator[TaskPart]:
    _, *ranked = tables.track_tables(run.board, track)
    reported = tables.reported_tables(run.board, track)
    entered = [task for task in run.board.tasks if any(row.tasks[task.name].entered for row in track.rows)]
    for task, table in zip(entered, ranked, strict=True):
        beside = [each for each in reported if each.title.startswith(f"{task.title}: ")]
        yield TaskPart(
            name=task.name,
            title=task.title,
            tables=tuple(grid(each, track) for each in (table, *beside)),
            figures=tuple(figure for figure in drawn if figure.part == task.name),
            slices=tuple(_slices(run, track, task.name, overlays)) if overlays else (),
        )


def _slices(run: FinishedRun, track: TrackTable, task: str, overlays: Overlays) -> Iterator[Slices]:
    spec = run.plan.task(task).spec
    if not isinstance(spec.reference, MaskReference):
        return
    metric = spec.ranked_metrics[0]
    for row in track.rows:
        entry = run.entry(track.name, row.team, task)
        for which, case in telling_cases(entry, metric) if entry else ():
            words = values_of(case, run.board, task)
            hint = f"Axial, coronal and sagittal slice of the {which} case of {cells.team(row)}, {case.case}: {words}"
            picture = overlays(track.name, row.team, task, case.case)
            yield Slices(cells.team(row), f"{cells.team(row)}, {which}: {case.case}, {words}", hint, picture)


def values_of(case: CaseScore, board: Leaderboard, task: str) -> str:
    """Write the ranked values of one case."""
    metrics = next(each.metrics for each in board.tasks if each.name == task)
    return ", ".join(
        f"{each.title} {cells.number(case.values[each.name], each)}"
        for each in metrics
        if each.ranked and each.name in case.values
    )


def _failures(run: FinishedRun, track: TrackTable) -> Grid | None:
    counted: Counter[tuple[str, str, str, str, str]] = Counter()
    for row in track.rows:
        for task in run.board.tasks:
            for each in run.ended.get((track.name, row.team, task.name), ()):
                if each.failed:
                    counted[(cells.team(row), task.title, *_told(each))] += 1
    if not counted:
        return None
    columns = [Column(title, numeric=False) for title in ("Team", "Task", "Cause", "What happened", "Remedy")]
    lines = (Line((*what, f"{count:,}"), what[0]) for what, count in counted.most_common(MOST_FAILURES))
    return plain_grid("Failures", (*columns, Column("Trials")), lines)


def _told(ended: Ended) -> tuple[str, str, str]:
    return ended.cause.replace("_", " "), f"{ended.message} {ended.detail}".strip(), ended.remedy


def _subgroups(run: FinishedRun, track: TrackTable) -> Iterator[Grid]:
    titles = {row.team: cells.team(row) for row in track.rows}
    for column in run.subgroups.columns if run.subgroups else ():
        metrics = next(each.metrics for each in run.board.tasks if each.name == column.task)
        for metric in metrics:
            found = [each for each in column.metrics if (each.track, each.metric) == (track.name, metric.name)]
            if metric.ranked and found:
                yield plain_grid(
                    f"{column.task}: {tables.metric_title(metric)} by {column.column}",
                    _group_columns(column),
                    (_group_line(titles[each.team], each, column, metric) for each in found),
                )


def _group_columns(column: GroupedColumn) -> list[Column]:
    groups = [Column(f"{name} ({count})") for name, count in column.cases.items()]
    return [Column("Team", numeric=False), *groups, Column("Largest gap")]


def _group_line(title: str, of_team: GroupedMetric, column: GroupedColumn, metric: MetricColumn) -> Line:
    words = []
    for name in column.cases:
        group = of_team.groups[name]
        value = cells.ABSENT if group.value is None else cells.number(group.value, metric)
        if group.value is not None and group.interval is not None:
            value += f" {cells.interval(group.interval, metric)}"
        words.append(value)
    gap = cells.ABSENT if of_team.gap is None else cells.number(of_team.gap.size, metric)
    return Line((title, *words, gap), title)
