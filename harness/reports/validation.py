"""A validation as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.reports.console import SHORT_HASH
from harness.validation.check import Check, Status, Verdict

STYLES = {Status.PASSED: "green", Status.FAILED: "bold red", Status.WARNING: "yellow", Status.NOT_RUN: "dim"}


def verdict_tables(verdicts: Iterable[Verdict]) -> RenderableType:
    """Show each verdict: a line for each check, then what is to be done."""
    return Group(*(part for verdict in verdicts for part in _parts(verdict)))


def summary(verdict: Verdict) -> str:
    """Say in one line how many checks ended how."""
    counts = [f"{verdict.count(status)} {status}" for status in Status if verdict.count(status)]
    return f"{verdict.task}: {', '.join(counts)}"


def _parts(verdict: Verdict) -> Iterable[RenderableType]:
    conditions = f", conditions {verdict.conditions[:SHORT_HASH]}" if verdict.conditions else ""
    title = Text(f"{verdict.image} on {verdict.task}{conditions}", style="bold")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Check", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Evidence", overflow="fold")
    for check in verdict.checks:
        table.add_row(check.title, Text(check.status, style=STYLES[check.status]), _told(check))
    yield table
    yield Text(summary(verdict), style=STYLES[Status.FAILED if verdict.count(Status.FAILED) else Status.PASSED])
    yield Text("")


def _told(check: Check) -> Text:
    told = Text(check.evidence)
    if check.remedy:
        told.append(f"\n→ {check.remedy}", style="italic")
    return told
