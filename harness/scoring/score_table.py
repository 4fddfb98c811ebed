"""Ranking a table of scores that were computed elsewhere, such as a published leaderboard."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.datasets.scalars import NotOneNumber, parse_number
from harness.errors import UsageError, nearest
from harness.scoring.leaderboard import Leaderboard, Row, TaskCell, TrackTable, task_column
from harness.scoring.rank import Contender, RankedTask, Standing, rank
from harness.scoring.scores import Scored, Unscored
from harness.specs.challenge import Challenge
from harness.specs.task import TaskSpec

LARGEST_FILE = 8 << 20
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


@dataclass(frozen=True)
class _Line:
    """One row of the file, with its number for messages."""

    path: Path
    number: int
    cells: Mapping[str, str]

    def fault(self, column: str, why: str, remedy: str) -> UsageError:
        return UsageError(f"{self.path}: row {self.number}, column '{column}': {why}.", remedy=remedy)


def rank_scores(path: Path, challenge: Challenge) -> Leaderboard:
    """Rank a CSV of scores by a challenge's rule.

    Parameters
    ----------
    path
        One row per team: a column ``team``, and one for every ranked metric, named as the metric or
        ``<task>.<metric>``. ``title``, ``track`` and ``baseline`` are read where they are there; without ``baseline``,
        a row with an empty ``placement`` is a baseline. A team that has none of a task's values did not enter it.
        Other columns are passed over.
    challenge
        Whose tasks, metrics and ranking rule count.

    Raises
    ------
    UsageError
        Naming the file, the row and the column.
    """
    if challenge.spec.ranking.scheme != "aggregate_then_rank":
        raise UsageError(
            f"{challenge.spec.name} ranks by {challenge.spec.ranking.scheme}, which needs every case.",
            remedy="Rank a run directory, or use a challenge with aggregate_then_rank.",
        )
    lines = _lines(path)
    columns = {task.name: _metric_columns(path, task, challenge, lines[0].cells) for task in challenge.tasks}
    tracks: dict[str, list[_Line]] = {}
    for line in lines:
        tracks.setdefault(line.cells.get("track", "") or path.stem, []).append(line)
    return Leaderboard(
        challenge=challenge.spec.name,
        title=challenge.spec.title,
        notice="",
        ranking=challenge.spec.ranking,
        rules="",
        evidence="",
        tasks=tuple(
            task_column(task.model_copy(update={"metrics": task.ranked_metrics}), challenge.spec, cases=0)
            for task in challenge.tasks
        ),
        tracks=tuple(
            TrackTable(
                name=name,
                title=challenge.spec.tracks.get(name, f"scores of {path.name}"),
                rows=_rows(of_track, columns, challenge),
            )
            for name, of_track in tracks.items()
        ),
    )


def _lines(path: Path) -> list[_Line]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path}: is larger than 8 MiB.", remedy="Pass a table with one row per team.")
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read ({fault.strerror}).", remedy="Check the path.") from fault
    except (UnicodeDecodeError, csv.Error) as fault:
        raise UsageError(f"{path}: is no CSV in UTF-8.", remedy="Save it as CSV, with commas.") from fault
    if not rows or "team" not in rows[0][1]:
        raise UsageError(
            f"{path}: has no column 'team', or no row below its header.",
            remedy="Write one row per team, under a header.",
        )
    names = list(reader.fieldnames or ())
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise UsageError(f"{path}: the column '{repeated}' is there twice.", remedy="Remove one of them.")
    for number, row in rows:
        if None in row or None in row.values():
            raise UsageError(f"{path}: row {number} has more or fewer cells than the header.", remedy="Correct it.")
    lines = [_Line(path, number, {name: cell.strip() for name, cell in row.items()}) for number, row in rows]
    seen: set[tuple[str, str]] = set()
    for line in lines:
        key = (line.cells.get("track", ""), line.cells["team"])
        if not key[1] or key in seen:
            raise line.fault("team", "is empty, or there twice", "Give each team one row.")
        seen.add(key)
    return lines


def _metric_columns(path: Path, task: TaskSpec, challenge: Challenge, cells: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each of a task's ranked metrics."""
    everywhere = [metric.name for each in challenge.tasks for metric in each.ranked_metrics]
    columns = {}
    for metric in task.ranked_metrics:
        full = f"{task.name}.{metric.name}"
        names = [full, metric.name] if everywhere.count(metric.name) == 1 else [full]
        found = next((name for name in names if name in cells), None)
        if found is None:
            raise UsageError(f"{path}: the column '{names[-1]}' is missing.", remedy=nearest(names[-1], cells))
        columns[metric.name] = found
    return columns


def _rows(lines: list[_Line], columns: Mapping[str, Mapping[str, str]], challenge: Challenge) -> tuple[Row, ...]:
    tasks = tuple(RankedTask(task.name, task.metrics, challenge.task_weight(task.name)) for task in challenge.tasks)
    titles = {line.cells["team"]: line.cells.get("title", "") or line.cells["team"] for line in lines}
    contenders = {line.cells["team"]: _contender(line, columns) for line in lines}
    standings = rank(list(contenders.values()), tasks, challenge.spec.ranking)
    ranked = [_row(contenders[each.team], titles[each.team], each, columns) for each in standings]
    baselines = [_row(each, titles[team], None, columns) for team, each in sorted(contenders.items()) if each.baseline]
    return (*ranked, *baselines)


def _contender(line: _Line, columns: Mapping[str, Mapping[str, str]]) -> Contender:
    values = {
        task: {metric: _value(line, column) for metric, column in of_task.items()} for task, of_task in columns.items()
    }
    entered = {task: each for task, each in values.items() if any(value is not None for value in each.values())}
    return Contender(line.cells["team"], entered, baseline=_is_baseline(line))


def _value(line: _Line, column: str) -> float | None:
    text = line.cells[column]
    if not text:
        return None
    try:
        return parse_number(text.encode())
    except NotOneNumber as fault:
        said = f"holds {text!r:.40}, which is no finite number"
        raise line.fault(column, said, "Correct it, or leave it empty.") from fault


def _is_baseline(line: _Line) -> bool:
    if "baseline" not in line.cells:
        return line.cells.get("placement", "-") == ""
    text = line.cells["baseline"].lower()
    if text not in (*TRUE, *FALSE):
        raise line.fault("baseline", f"holds {text!r:.40}", "Write true or false.")
    return text in TRUE


def _row(contender: Contender, title: str, standing: Standing | None, columns: Mapping[str, Mapping[str, str]]) -> Row:
    return Row(
        team=contender.team,
        title=title,
        baseline=contender.baseline,
        provisional=False,
        placement=None if standing is None else standing.placement,
        overall_rank=None if standing is None else standing.overall_rank,
        tasks={task: _cell(contender, task, standing) for task in columns},
        endings={},
    )


def _cell(contender: Contender, task: str, standing: Standing | None) -> TaskCell:
    values = contender.values.get(task, {})
    return TaskCell(
        entered=bool(values),
        rank=None if standing is None else standing.tasks[task].rank,
        metric_ranks={} if standing is None else dict(standing.tasks[task].metric_ranks),
        metrics={
            name: Unscored(status="undefined", reason="the table holds no value")
            if value is None
            else Scored(value=value)
            for name, value in values.items()
        },
    )
