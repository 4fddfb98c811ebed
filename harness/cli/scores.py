"""``fomo-eval score`` and ``fomo-eval leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Data, Format, PrintFormat, print_json, show_leaderboard
from harness.errors import UsageError

OtherChallenge = Annotated[
    str | None, typer.Option("--challenge", help="For predictions and CSVs: a challenge, by name or folder [fomo25].")
]
DEFAULT_CHALLENGE = "fomo25"


def score(
    folder: Annotated[Path | None, typer.Argument(metavar="RUN", help="The run directory.")] = None,
    data: Data = None,
    predictions: Annotated[
        Path | None, typer.Option("--predictions", help="Instead of a run: a folder of predictions, one per case.")
    ] = None,
    task: Annotated[str, typer.Option("--task", help="What --predictions predict.")] = "",
    challenge: OtherChallenge = None,
    show: PrintFormat = Format.TABLE,
) -> None:
    """Score a run again, without running a container; or a folder of predictions made elsewhere (--predictions)."""
    if folder is not None and predictions is None:
        _refuse(task=task, challenge=challenge)
        _score_run(folder, data, show)
    elif predictions is not None and folder is None:
        _score_predictions(predictions, task, data, challenge or DEFAULT_CHALLENGE, show)
    else:
        raise UsageError("There is nothing to score, or two things.", remedy="Pass a run directory, or --predictions.")


def _score_run(folder: Path, data: Path | None, show: Format) -> None:
    from harness.commands.score import score_run

    board = score_run(folder, data)
    if show is Format.JSON:
        show_leaderboard(board, show)
    else:
        typer.echo(f"Scored: {folder} (scores.json; stability.json; leaderboard.json, .csv and .md)")


def _score_predictions(predictions: Path, task: str, data: Path | None, challenge: str, show: Format) -> None:
    if not task or data is None:
        raise UsageError("--predictions needs --task and --data.", remedy="Name the task and the data folder.")
    from harness.commands.score import score_predictions

    scores = score_predictions(predictions, task, data, challenge)
    if show is Format.JSON:
        print_json(scores.model_dump(mode="json"))
        return
    from harness.reports import console

    console.stdout().print(console.folder_scores(scores))


def leaderboard(
    source: Annotated[Path, typer.Argument(metavar="RUN|CSV", help="The run directory, or a CSV of scores.")],
    data: Data = None,
    challenge: OtherChallenge = None,
    show: PrintFormat = Format.TABLE,
) -> None:
    """Show a run's leaderboard, computed anew from records and predictions; or rank a CSV of scores (--challenge)."""
    if source.suffix.lower() == ".csv":
        from harness.commands.score import rank_table

        show_leaderboard(rank_table(source, challenge or DEFAULT_CHALLENGE), show)
        return
    from harness.commands.score import score_run

    _refuse(challenge=challenge)
    show_leaderboard(score_run(source, data), show)


def _refuse(**options: str | None) -> None:
    """Refuse what has no say: a run's own plan holds its challenge and tasks."""
    for name, value in options.items():
        if value:
            raise UsageError(f"--{name} has no say in a run, whose plan holds it.", remedy="Leave it out.")
