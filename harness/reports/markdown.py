"""The leaderboard as Markdown, for a repository or a web page."""

from __future__ import annotations

from harness.reports import cells
from harness.reports.tables import Table, reported_tables, track_tables
from harness.scoring.leaderboard import Leaderboard

SPECIAL = "\\`*_{}[]<>#|~&!"


def markdown(board: Leaderboard) -> str:
    """Write a leaderboard as Markdown; team names are escaped."""
    parts = [f"# {_escaped(board.title)}: leaderboard"]
    if board.notice:
        parts.append(_escaped(board.notice))
    for track in board.tracks:
        overview, *tasks = track_tables(board, track)
        parts += [section("##", overview), *(section("###", task) for task in tasks)]
        parts += [section("###", reported) for reported in reported_tables(board, track)]
    parts += [_escaped(note) for note in cells.notes(board)]
    parts.append(f"Rules `{board.rules[:16]}`, evidence `{board.evidence[:16]}`.")
    return "\n\n".join(parts) + "\n"


def section(level: str, table: Table) -> str:
    """Write a table under a heading of this level; everything in it is escaped."""
    lines = [
        _line([_escaped(column.title) for column in table.columns]),
        _line(["---:" if column.numeric else ":---" for column in table.columns]),
        *(_line([_escaped(cell) for cell in row]) for row in table.rows),
    ]
    return f"{level} {_escaped(table.title)}\n\n" + "\n".join(lines)


def _line(cells_of_line: list[str]) -> str:
    return f"| {' | '.join(cells_of_line)} |"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in SPECIAL else " " if letter in "\r\n" else letter for letter in text)
