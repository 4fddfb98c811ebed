"""What a person reads in a terminal: the plan before a run, the leaderboard after it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.metrics.registry import metric_named
from harness.records.plan import Entry, Plan, conditions_hash
from harness.reports import cells, tables
from harness.scoring.folder import FolderScores
from harness.scoring.leaderboard import Leaderboard
from harness.scoring.scores import Scored

SHORT_ID, SHORT_HASH = 19, 16
STATUS_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


def plan_summary(plan: Plan, *, missing: int, workers: int, devices: tuple[str, ...]) -> RenderableType:
    """Show what will run: tasks with limits, teams with images, and how long it can take."""
    longest = sum(len(plan.task(entry.task).cases) * plan.task(entry.task).limits.seconds for entry in plan.entries)
    share = missing / plan.trials if plan.trials else 0.0
    return Group(
        Text(f"{plan.challenge.title}: plan {plan.hash[:SHORT_HASH]}", style="bold"),
        _tasks(plan),
        _teams(plan),
        *(Text(warning, style="yellow") for warning in _warnings(plan)),
        Text(_trials_line(plan, missing, workers, devices)),
        Text(f"At most {_duration(longest * share / workers)}, if every case takes all its time."),
    )


def container_options(plan: Plan) -> RenderableType:
    """Show the configuration under which containers run, once where entries have it in common, and all hashes.

    The hash of an entry's conditions is what ``fomo-eval validate`` tells for the same image and task.
    """
    shared: dict[str, list[str]] = {}
    for entry in plan.entries:
        options = {name: value for name, value in entry.container.items() if name not in ("Image", "Entrypoint")}
        shared.setdefault(json.dumps(options, indent=2, sort_keys=True), []).append(f"{entry.team}/{entry.task}")
    conditions = (
        f"Conditions {conditions_hash(plan.task(entry.task), entry)[:SHORT_HASH]} ({entry.team}, {entry.task})"
        for entry in plan.entries
    )
    containers = (f"Containers of {', '.join(entries)}:\n{text}" for text, entries in shared.items())
    return Group(*(Text(part) for part in (*containers, *conditions)))


def _warnings(plan: Plan) -> list[str]:
    """Say what is unusual about an image and likely to fail its cases."""
    other_contracts = [
        f"{entry.team}, {entry.task}: the image says that it follows contract version {entry.image.contract}; "
        f"this is version {plan.challenge.contract}."
        for entry in plan.entries
        if entry.image.contract not in ("", str(plan.challenge.contract))
    ]
    return other_contracts + [
        f"{entry.team}, {entry.task}: the image declares the volume {', '.join(entry.image.volumes)}; "
        "what it holds there is hidden from its containers."
        for entry in plan.entries
        if entry.image.volumes
    ]


def _trials_line(plan: Plan, missing: int, workers: int, devices: tuple[str, ...]) -> str:
    gpus = f"GPU {', '.join(devices)}" if devices else "no GPU"
    return f"{plan.trials} trials, {missing} of them to run, {workers} at a time, {gpus}."


def _tasks(plan: Plan) -> Table:
    table = Table(
        "Task", "Cases", "Teams", "Seconds a case", "CPUs", "Memory", "GPU", "Metrics", box=None, pad_edge=False
    )
    for task in plan.tasks:
        limits = task.limits
        table.add_row(
            task.spec.name,
            str(len(task.cases)),
            str(sum(entry.task == task.spec.name for entry in plan.entries)),
            f"{limits.seconds:g}",
            f"{limits.cpus:g}",
            f"{limits.memory_bytes / 2**30:.1f} GiB",
            "one" if limits.gpu else "none",
            ", ".join(metric.name for metric in task.spec.ranked_metrics),
        )
    return table


def _teams(plan: Plan) -> Table:
    table = Table("Track", "Team", "Task", box=None, pad_edge=False)
    table.add_column("Image", overflow="fold")
    table.add_column("Image ID", no_wrap=True)
    for (track, team), entries in groupby(plan.entries, key=lambda entry: (entry.track, entry.team)):
        for tasks, entry in _by_image(list(entries)):
            name = Text(f"{team} (baseline)" if entry.baseline else team)
            image = entry.image.digest or entry.image.reference
            table.add_row(track, name, tasks, Text(image), entry.image.id[:SHORT_ID])
    return table


def _by_image(entries: list[Entry]) -> Iterator[tuple[str, Entry]]:
    for _, same in groupby(entries, key=lambda entry: (entry.image.id, entry.command)):
        group = list(same)
        yield ", ".join(entry.task for entry in group), group[0]


def leaderboard_tables(board: Leaderboard) -> RenderableType:
    """Show each track's leaderboard; what a team wrote is text, never markup."""
    parts: list[RenderableType] = []
    for track in board.tracks:
        for table in tables.track_tables(board, track):
            parts += [_table(table), Text("")]
    if board.notice:
        parts.append(Text(board.notice, style="italic"))
    parts += [Text(note, style="dim") for note in cells.notes(board)]
    return Group(*parts)


def _table(laid_out: tables.Table) -> Table:
    table = Table(
        title=Text(laid_out.title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for column in laid_out.columns:
        justify: Literal["left", "right"] = "right" if column.numeric else "left"
        table.add_column(Text(column.title), justify=justify, overflow="fold", no_wrap=column.numeric)
    for row, dimmed in zip(laid_out.rows, laid_out.dimmed, strict=True):
        table.add_row(*[Text(cell) for cell in row], style="dim" if dimmed else None)
    return table


def findings(lines: Sequence[tuple[str, str, str, str]]) -> Table:
    """Show checks: name, status (``ok``, ``warning`` or ``failed``), what was found, and what to do about it."""
    table = Table("Check", "Status", box=None, pad_edge=False)
    table.add_column("Found, and what to do", overflow="fold")
    for name, status, found, remedy in lines:
        colour = STATUS_COLOURS[status]
        table.add_row(Text(name), Text(status, style=colour), Text(f"{found}\n{remedy}" if remedy else found))
    return table


def folder_scores(scores: FolderScores) -> RenderableType:
    """Show what a folder of predictions is worth."""
    table = Table("Metric", "Value", "Interval", box=SIMPLE_HEAD, pad_edge=False)
    for name, score in scores.metrics.items():
        metric = metric_named(name)
        unit = f" [{metric.unit}]" if metric.unit else ""
        ends = scores.intervals.get(name)
        table.add_row(
            Text(f"{metric.title}{unit}"),
            f"{score.value:z.4f}" if isinstance(score, Scored) else f"{score.status}: {score.reason}",
            f"{ends.low:z.4f} to {ends.high:z.4f}" if ends else cells.ABSENT,
        )
    parts: list[RenderableType] = [
        Text(f"{scores.challenge}/{scores.task}: {scores.valid} of {scores.cases} cases have a valid prediction"),
        table,
    ]
    parts += [Text(f"{case}: refused: {why}", style="yellow") for case, why in scores.refused.items()]
    parts += [Text(f"{case}: no prediction", style="yellow") for case in scores.missing]
    return Group(*parts)


def stdout() -> Console:
    """Return the console for results."""
    return Console(highlight=False)


def stderr() -> Console:
    """Return the console for everything beside results."""
    return Console(stderr=True, highlight=False)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    words = [
        f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if number
    ]
    return " ".join(words[:2]) or "0 s"
