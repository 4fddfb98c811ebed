"""The progress of a run: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from harness.records.record import Blame, Record

PLAIN_INTERVAL_S = 10.0


@contextmanager
def run_progress(console: Console, total: int) -> Iterator[Callable[[Record], None]]:
    """Show how a run advances; the yielded function is told of each record."""
    endings: Counter[str] = Counter()
    show = _live(console, total, endings) if console.is_terminal else _plain(console, total, endings)
    with show as advance:

        def on_record(record: Record) -> None:
            outcome = record.outcome
            if outcome.blame is Blame.INFRASTRUCTURE:
                said = f"{record.trial}, attempt {record.attempt}: {outcome.ending} – {outcome.detail}"
                console.print(Text(said, style="yellow"))
                return
            endings[str(outcome.ending)] += 1
            advance()

        yield on_record


@contextmanager
def _live(console: Console, total: int, endings: Counter[str]) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("Running"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[endings]}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=total, endings="")
        yield lambda: progress.update(bar, advance=1, endings=_counts(endings))


@contextmanager
def _plain(console: Console, total: int, endings: Counter[str]) -> Iterator[Callable[[], None]]:
    began = said = time.monotonic()

    def advance() -> None:
        nonlocal said
        now, done = time.monotonic(), endings.total()
        if now - said >= PLAIN_INTERVAL_S or done == total:
            said = now
            console.print(Text(f"{done}/{total} trials after {now - began:.0f} s: {_counts(endings)}"))

    yield advance


def _counts(endings: Counter[str]) -> str:
    ordered = sorted(endings.items(), key=lambda item: (item[0] != "ok", item[0]))
    return ", ".join(f"{count} {ending}" for ending, count in ordered)
