"""``fomo-eval report``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.options import Data, RunFolder, words


def report(
    folder: RunFolder,
    data: Data = None,
    formats: Annotated[
        str,
        typer.Option("--format", help="html, svg, png, pdf (figures), csv, tex (tables), md; separated by commas."),
    ] = "html",
) -> None:
    """Write a run's report: a page for organisers, one for each team, figures and tables for a paper."""
    from harness.commands.report import report_run

    written = report_run(folder, data, words(formats))
    typer.echo(f"Report: {written}")
