"""``fomo-eval score`` and ``fomo-eval leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Challenge, Data, Format, PrintFormat, RunFolder, show_leaderboard


def score(folder: RunFolder, data: Data = None) -> None:
    """Score a run again from its records and predictions, without running a container."""
    from harness.commands.score import score_run

    score_run(folder, data)
    typer.echo(f"Scored: {folder} (scores.json; leaderboard.json, .csv and .md)")


def leaderboard(
    source: Annotated[Path, typer.Argument(metavar="RUN|CSV", help="The run directory, or a CSV of scores.")],
    data: Data = None,
    challenge: Challenge = "fomo25",
    show: PrintFormat = Format.TABLE,
) -> None:
    """Show a run's leaderboard, computed anew from records and predictions; or rank a CSV of scores (--challenge)."""
    if source.suffix.lower() == ".csv":
        from harness.commands.score import rank_table

        show_leaderboard(rank_table(source, challenge), show)
        return
    from harness.commands.score import score_run

    show_leaderboard(score_run(source, data), show)
