"""The application: every command, and the one place where faults end."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness import __version__
from harness.cli.machine import clean, doctor
from harness.cli.options import DONE
from harness.cli.report import report
from harness.cli.run import run
from harness.cli.scores import leaderboard, score
from harness.cli.start import init
from harness.cli.submitting import validate
from harness.cli.tasks import tasks_app
from harness.errors import FomoEvalError, UsageError

app = typer.Typer(
    name="fomo-eval",
    help="Run containerised brain-MRI models case by case through a fixed contract, score them and rank them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (init, validate, run, score, leaderboard, report, clean, doctor):
    app.command()(command)
app.add_typer(tasks_app)


@app.callback(invoke_without_command=True)
def _root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"fomo-eval {__version__}")
        raise typer.Exit(DONE)


def main() -> None:
    """Run the command line; every foreseeable fault ends in one sentence and an exit code."""
    try:
        app()
    except FomoEvalError as fault:
        kind = "Error" if isinstance(fault, UsageError) else "Stopped"
        typer.echo(f"{kind}: {fault}", err=True)
        sys.exit(fault.exit_code)
