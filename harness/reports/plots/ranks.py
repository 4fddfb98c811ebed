"""Plots of ranks: intervals, how often each rank came up, ranks within cases, and who is better than whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.reports.plots.canvas import (
    LONGEST_NAME,
    Rows,
    Scale,
    at,
    circle,
    line,
    rectangle,
    shortened,
    text,
)

BLOB = 10.5
"""Radius of the disc of a rank that came up in every draw."""
FAINTEST, STRONGEST = 0.08, 0.62
"""Of shaded cells; text on the strongest can still be read."""


@dataclass(frozen=True)
class RankRow:
    """One team's ranks.

    Attributes
    ----------
    placed
        Its placement on the cases as they are.
    low, median, high
        Over resamples.
    shares
        By rank, the share of resamples.
    """

    title: str
    placed: int
    low: float
    median: float
    high: float
    shares: Mapping[float, float]


def rank_intervals(rows: Sequence[RankRow], confidence: float) -> str:
    """Draw each team's placement (disc) within the interval over resamples (line)."""
    frame, scale = _framed(rows)
    parts = frame.axis(scale, f"Placement, with its {100 * confidence:g} % interval", _ranks(len(rows)))
    for place, row in enumerate(rows):
        y = frame.middle(place)
        hint = f"{row.title}: place {row.placed}, {row.low:g} to {row.high:g} in most resamples"
        parts.append(line(scale(row.low), y, scale(row.high), y, "thick"))
        parts.append(circle(scale(row.placed), y, 5, "mark", hint))
    return frame.drawn("Placement of each team with its interval over resamples", parts)


def rank_blobs(rows: Sequence[RankRow], confidence: float) -> str:
    """Draw how often each team came on each place: area is frequency, the cross the median, the line the interval."""
    frame, scale = _framed(rows)
    parts = frame.axis(scale, f"Placement in resamples; line: {100 * confidence:g} % interval", _ranks(len(rows)))
    for place, row in enumerate(rows):
        y = frame.middle(place)
        parts.append(line(scale(row.low), y, scale(row.high), y, "line"))
        for rank, share in row.shares.items():
            hint = f"{row.title}: place {rank:g} in {100 * share:.1f} % of resamples"
            parts.append(circle(scale(rank), y, max(BLOB * math.sqrt(share), 0.6), "blob", hint))
        x = scale(row.median)
        parts += [line(x - 4, y - 4, x + 4, y + 4, "cross"), line(x - 4, y + 4, x + 4, y - 4, "cross")]
    return frame.drawn("How often each team came on each place over resamples", parts)


def rank_heat(names: Sequence[str], shares: Sequence[Sequence[float]]) -> str:
    """Draw in which share of cases each team had each rank.

    Parameters
    ----------
    names
        Teams, best first.
    shares
        For each team, by rank from 1, the share of cases.
    """
    frame = Rows.of(names, top=24)
    side = min((frame.right - frame.left) / max(len(names), 1), 56)
    parts = [text(frame.left - 8, 16, "Rank within a case", "small end")]
    parts += [text(frame.left + side * (rank + 0.5), 16, str(rank + 1), "small middle") for rank in range(len(names))]
    parts.append(_squares(frame, side))
    largest = max((share for of_team in shares for share in of_team), default=1.0)
    for row, of_team in enumerate(shares):
        y = frame.top + frame.height * row
        for rank, share in enumerate(of_team):
            x = frame.left + side * rank
            if share > 0:
                hint = f"rank {rank + 1}: {100 * share:.1f} %"
                parts.append(_shaded(x, y, side, frame.height, share / largest, hint))
            if side >= 26 and share >= 0.005:
                parts.append(text(x + side / 2, y + 16, f"{100 * share:.0f}", "middle"))
    return frame.drawn("Share of cases in which each team had each rank, in per cent", parts, below=8)


def significance(names: Sequence[str], p: Sequence[Sequence[float]], alpha: float) -> str:
    """Draw which team (row) is significantly better than which other (column).

    Parameters
    ----------
    names
        Teams, best first.
    p
        Adjusted p values that the team of a row is no better than that of a column.
    alpha
        The level of tests.
    """
    numbered = [f"{place}  {shortened(name, LONGEST_NAME - 4)}" for place, name in enumerate(names, start=1)]
    frame = Rows.of(numbered, top=24)
    side = min((frame.right - frame.left) / max(len(names), 1), 56)
    parts = [text(frame.left - 8, 16, "better than", "small end")]
    parts += [
        text(frame.left + side * (place + 0.5), 16, str(place + 1), "small middle") for place in range(len(names))
    ]
    parts.append(_squares(frame, side))
    for row, of_team in enumerate(p):
        for column, value in enumerate(of_team):
            x, y = frame.left + side * column, frame.top + frame.height * row
            if row == column:
                parts.append(line(x + 3, y + frame.height - 3, x + side - 3, y + 3, "grid"))
                continue
            if value <= alpha:
                hint = f"{row + 1} better than {column + 1}: p = {value:.2g}"
                parts.append(_shaded(x, y, side, frame.height, 1.0, hint))
            if side >= 40:
                parts.append(text(x + side / 2, y + 16, "<.001" if value < 0.001 else f"{value:.3f}"[-5:], "middle"))
    y = frame.bottom + 14
    parts.append(rectangle(frame.left, y, 14, 14, "heat", opacity=STRONGEST))
    parts.append(text(frame.left + 20, y + 11, f"better, adjusted p ≤ {alpha:g}", "small"))
    parts.append(rectangle(frame.left + 190, y, 14, 14, "cell"))
    parts.append(text(frame.left + 210, y + 11, "not shown to be better", "small"))
    return frame.drawn("Which team is significantly better than which other", parts)


def _framed(rows: Sequence[RankRow]) -> tuple[Rows, Scale]:
    frame = Rows.of([row.title for row in rows])
    return frame, Scale(1, max(len(rows), 2), frame.left + 14, frame.right - 14)


def _ranks(teams: int) -> list[float]:
    return [float(rank) for rank in range(1, max(teams, 2) + 1)]


def _squares(frame: Rows, side: float) -> str:
    """Draw the lines between the cells of a square table."""
    right, count = frame.left + side * len(frame.names), len(frame.names) + 1
    across = (f"M{at(frame.left)} {at(frame.top + frame.height * row)}H{at(right)}" for row in range(count))
    down = (f"M{at(frame.left + side * column)} {at(frame.top)}V{at(frame.bottom)}" for column in range(count))
    return f'<path d="{"".join(across)}{"".join(down)}" class="grid"/>'


def _shaded(x: float, y: float, width: float, height: float, share: float, hint: str) -> str:
    opacity = FAINTEST + (STRONGEST - FAINTEST) * share
    return rectangle(x + 0.5, y + 0.5, width - 1, height - 1, "heat", hint, opacity)
