"""Draws a run's leaderboard as the terminal shows it, as an SVG for the README.

Run from the repository: ``python -m examples.picture demo/run examples/leaderboard.svg``.
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from harness.reports.console import leaderboard_tables
from harness.scoring.leaderboard import Leaderboard

WIDTH = 88
# rich would have the reader's browser fetch a font from elsewhere.
FETCHED_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
MONOSPACE = "font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;"


def draw(board: Leaderboard) -> str:
    """Return the leaderboard as SVG text."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(leaderboard_tables(board))
    drawn = console.export_svg(title=f"fomo-eval leaderboard: {board.title}", theme=SVG_EXPORT_THEME)
    return re.sub(r"font-family: Fira Code, monospace;", MONOSPACE, FETCHED_FONTS.sub("", drawn))


def main() -> None:
    """Draw the leaderboard of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the run directory")
    parser.add_argument("svg", type=Path, help="the picture to write")
    given = parser.parse_args()
    board = Leaderboard.model_validate_json((given.run / "leaderboard.json").read_bytes())
    given.svg.write_text(draw(board), encoding="utf-8")


if __name__ == "__main__":
    main()
