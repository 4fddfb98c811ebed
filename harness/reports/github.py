"""A validation as GitHub shows it: annotations beside a workflow's steps, and a summary of the job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.reports import markdown
from harness.reports.tables import Column, Table
from harness.reports.validation import summary
from harness.validation.check import Status, Verdict

COMMANDS = {Status.FAILED: "error", Status.WARNING: "warning"}
ESCAPES = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
PROPERTY_ESCAPES = (*ESCAPES, (":", "%3A"), (",", "%2C"))
"""As in actions/toolkit, packages/core/src/command.ts; the per cent sign comes first."""


def annotation_lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Write a line for each failure and each warning."""
    for verdict in verdicts:
        for check in verdict.checks:
            if check.status in COMMANDS:
                title = _escaped(f"{verdict.task}: {check.title}", PROPERTY_ESCAPES)
                message = _escaped(f"{check.evidence} {check.remedy}".strip(), ESCAPES)
                yield f"::{COMMANDS[check.status]} title={title}::{message}"


def _escaped(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for letter, code in escapes:
        text = text.replace(letter, code)
    return text


def step_summary(verdicts: Sequence[Verdict]) -> str:
    """Write a summary as Markdown; what images and logs say is escaped."""
    return "\n\n".join([*(markdown.section("##", _table(verdict)) for verdict in verdicts), ""])


def _table(verdict: Verdict) -> Table:
    columns = ("Check", "Status", "Evidence", "What to do")
    return Table(
        title=f"{verdict.image}, {summary(verdict)}",
        columns=tuple(Column(title, numeric=False) for title in columns),
        rows=tuple((each.title, each.status, each.evidence, each.remedy) for each in verdict.checks),
        dimmed=tuple(each.status is Status.NOT_RUN for each in verdict.checks),
    )
