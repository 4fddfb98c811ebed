"""The leaderboard as Markdown, for a repository or a web page."""

from __future__ import annotations

from harness.reports import cells
from harness.reports.tables import Table, is_provisional, track_table
from harness.scoring.leaderboard import Leaderboard

SPECIAL = "\\`*_{}[]<>#|~&!"


def markdown(board: Leaderboard) -> str:
    """Write a leaderboard as Markdown; team names are escaped."""
    parts = [f"# {_escaped(board.title)}: leaderboard"]
    parts += [_table(track_table(board, track)) for track in board.tracks]
    if is_provisional(board):
        parts.append(_escaped(cells.PROVISIONAL_NOTE))
    return "\n\n".join([*parts, f"Plan `{board.plan[:16]}`, evidence `{board.evidence[:16]}`."]) + "\n"


def _table(table: Table) -> str:
    lines = [table.header, tuple("---:" if numeric else ":---" for numeric in table.numeric)]
    body = [_line([_escaped(cell.replace("\n", " ")) for cell in lines[0]]), _line(lines[1])]
    body += [_line([_escaped(cell) for cell in row]) for row in table.rows]
    return f"## {_escaped(table.title)}\n\n" + "\n".join(body)


def _line(row: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(row)} |"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in SPECIAL else " " if letter in "\r\n" else letter for letter in text)
