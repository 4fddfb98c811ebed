"""What both kinds of page show: tables whose lines belong to teams, and slices of cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.reports import cells
from harness.reports.tables import Column, Table
from harness.scoring.leaderboard import TrackTable

TEAM = "Team"


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes
    ----------
    team
        Whose it is, for the filter; empty where it is nobody's.
    """

    cells: tuple[str, ...]
    team: str = ""
    provisional: bool = False


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes
    ----------
    head
        Which column names the line.
    parts
        Lines that are sorted among themselves: teams, then baselines.
    """

    title: str
    columns: tuple[Column, ...]
    head: int
    parts: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Slices:
    """A case as a picture of three slices."""

    team: str
    caption: str
    hint: str
    picture: bytes


def grid(table: Table, track: TrackTable) -> Grid:
    """Take over a table of the leaderboard, baselines apart and provisional rows marked."""
    provisional = {cells.team(row) for row in track.rows if row.provisional}
    head = [column.title for column in table.columns].index(TEAM)
    lines = [Line(row, row[head], row[head] in provisional) for row in table.rows]
    ranked = tuple(line for line, dimmed in zip(lines, table.dimmed, strict=True) if not dimmed)
    apart = tuple(line for line, dimmed in zip(lines, table.dimmed, strict=True) if dimmed)
    return Grid(table.title, table.columns, head, tuple(part for part in (ranked, apart) if part))


def plain_grid(title: str, columns: Sequence[Column], lines: Iterable[Line], *, head: int = 0) -> Grid:
    """Make a table of lines that are all alike."""
    return Grid(title, tuple(columns), head, (tuple(lines),))
