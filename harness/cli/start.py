"""``fomo-eval init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Challenge


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The submission's folder: new, or empty.")],
    task: Annotated[str, typer.Option("--task", help="The task that it enters; 'fomo-eval tasks list' shows them.")],
    challenge: Challenge = "fomo25",
    team: Annotated[str, typer.Option("--team", help="The team's name, as in a submission file.")] = "my-team",
) -> None:
    """Write a submission to start from: it builds, and answers every case as the task's spec asks."""
    import shlex

    from harness.commands.init import init as write

    for file in write(folder, challenge=challenge, task=task, team=team):
        typer.echo(f"Written: {file}")
    typer.echo(f"Your own code goes into predict.py. Next: make -C {shlex.quote(str(folder))} validate")
