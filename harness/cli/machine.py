"""``fomo-eval clean``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
