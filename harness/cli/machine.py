"""``fomo-eval clean`` and ``fomo-eval doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import INFRASTRUCTURE_FAILED, Format, PrintFormat, print_json


def clean(
    folder: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="The run directory; without it, containers of all dead runs.")
    ] = None,
) -> None:
    """Remove what killed runs left behind: containers, and a run's mounts and unfinished files."""
    from harness.commands.clean import clean as remove

    removed = remove(folder)
    found = [
        *(f"container {name}" for name in removed.containers),
        *(f"mount {point}" for point in removed.mounts),
        *(str(path) for path in removed.paths),
    ]
    for each in found:
        typer.echo(f"Removed: {each}")
    if not found:
        typer.echo("Nothing was left behind.")


def doctor(show: PrintFormat = Format.TABLE) -> None:
    """Check engine, GPUs, disk, memory, clock and permissions of this machine, and say what to mend."""
    from dataclasses import asdict

    from harness.commands.doctor import Status
    from harness.commands.doctor import doctor as examine

    findings = examine()
    if show is Format.JSON:
        print_json({"checks": [asdict(each) for each in findings]})
    else:
        from harness.reports import console

        console.stdout().print(
            console.findings([(each.name, each.status, each.found, each.remedy) for each in findings])
        )
    if any(each.status is Status.FAILED for each in findings):
        raise typer.Exit(INFRASTRUCTURE_FAILED)
