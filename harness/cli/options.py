"""What several commands take, and how they print."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from harness.scoring.leaderboard import Leaderboard

DONE, FAILED, INFRASTRUCTURE_FAILED = 0, 1, 3


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


Challenge = Annotated[str, typer.Option("--challenge", help="A built-in challenge, or a folder with challenge.yaml.")]
PrintFormat = Annotated[Format, typer.Option("--format", help="A table for people, or JSON alone on standard output.")]
Data = Annotated[Path | None, typer.Option("--data", help="The data folder; default: the one the run used.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")]


def words(text: str) -> tuple[str, ...]:
    """Split a list of names at its commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def print_json(content: Any) -> None:
    """Print JSON, and nothing else, on standard output."""
    from harness.records.files import to_json

    sys.stdout.write(to_json(content).decode())


def show_leaderboard(board: Leaderboard, show: Format) -> None:
    """Print a leaderboard."""
    if show is Format.JSON:
        print_json(board.model_dump(mode="json"))
        return
    from harness.reports import console

    console.stdout().print(console.leaderboard_tables(board))
