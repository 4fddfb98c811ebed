"""Plots of values, one row a team: distributions with their cases, what containers used, why trials failed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from harness.reports.plots.canvas import (
    AXIS,
    LETTER,
    WIDTH,
    Rows,
    Scale,
    dots,
    line,
    linear,
    logarithmic,
    number,
    rectangle,
    text,
)
from harness.reports.plots.colours import SERIES

GOLDEN = 0.6180339887498949
TALL = 30


def boxes(rows: Sequence[tuple[str, Sequence[float]]], axis: str, *, include: Sequence[float] = ()) -> str:
    """Draw each team's values as a box with one dot per case: quartiles, median, and whiskers to the extremes.

    Parameters
    ----------
    rows
        Each team's title and values.
    axis
        What the values are.
    include
        Values that must be in sight, such as the bounds of the metric.
    """
    frame = Rows.of([title for title, _ in rows], height=TALL)
    every = [value for _, values in rows for value in values]
    scale = linear(every, frame.left, frame.right - 14, include=include)
    parts = frame.axis(scale, axis)
    for row, (title, values) in enumerate(rows):
        parts += _box(scale, frame.middle(row), title, values, with_dots=True)
    return frame.drawn(f"{axis} of each team: box, and one dot per case", parts)


def use(rows: Sequence[tuple[str, Sequence[float]]], axis: str, limits: Sequence[float]) -> str:
    """Draw what each team's containers used beside what they may, on a logarithmic axis.

    Parameters
    ----------
    rows
        Each team's title and values, above 0.
    axis
        What the values are.
    limits
        The distinct limits of the tasks.
    """
    frame = Rows.of([title for title, _ in rows], top=24)
    every = [value for _, values in rows for value in values]
    scale = logarithmic([*every, *limits], frame.left, frame.right - 14)
    parts = frame.axis(scale, axis)
    for limit in limits:
        x = scale(limit)
        parts.append(line(x, frame.top - 4, x, frame.bottom, "bound"))
        parts.append(text(x, 14, f"limit {number(round(limit, 1))}", "small middle"))
    for row, (title, values) in enumerate(rows):
        parts += _box(scale, frame.middle(row), title, values, with_dots=False)
    return frame.drawn(f"{axis} of each team, beside the limit", parts)


def causes(rows: Sequence[tuple[str, Mapping[str, int]]], most: int) -> str:
    """Draw how many trials of each team failed, by cause.

    Parameters
    ----------
    rows
        Each team's title and how many trials ended in which way, successes left out.
    most
        How many trials a team has.
    """
    kinds = sorted({kind for _, counts in rows for kind in counts})
    style = {kind: SERIES[place % len(SERIES)] for place, kind in enumerate(kinds)}
    frame = Rows.of([title for title, _ in rows])
    largest = max((sum(counts.values()) for _, counts in rows), default=0)
    scale = linear([0.0, float(max(largest, 1))], frame.left, frame.right - 40)
    parts = frame.axis(scale, f"Trials without a valid prediction, of {most:,}", _whole(scale))
    for row, (title, counts) in enumerate(rows):
        x, y = scale.start, frame.top + frame.height * row + 4
        for kind in kinds:
            if count := counts.get(kind, 0):
                width = scale(count) - scale.start
                parts.append(rectangle(x, y, width, frame.height - 8, style[kind], f"{title}: {count} {kind}"))
                x += width
        parts.append(text(x + 6, y + 12, str(sum(counts.values())), "small"))
    legend, height = _legend(kinds, style, frame)
    return frame.drawn("Failed trials of each team by cause", [*parts, *legend], below=AXIS + height)


def _whole(scale: Scale) -> list[float]:
    return [tick for tick in scale.ticks(6) if tick == int(tick)]


def _legend(kinds: Sequence[str], style: Mapping[str, str], frame: Rows) -> tuple[list[str], float]:
    parts, x, y = [], frame.left, frame.bottom + AXIS + 6
    for kind in kinds:
        words = kind.replace("_", " ")
        wide = 26 + len(words) * LETTER
        if x > frame.left and x + wide > WIDTH:
            x, y = frame.left, y + 18
        parts += [rectangle(x, y, 12, 12, style[kind]), text(x + 17, y + 10, words, "small")]
        x += wide
    return parts, y - frame.bottom - AXIS + 18


def _box(scale: Scale, y: float, title: str, values: Sequence[float], *, with_dots: bool) -> list[str]:
    if not values:
        return [text(scale.start + 6, y + 4, "no values", "small")]
    low, high, half = min(values), max(values), 7.0
    first, middle, third = quartiles(values)
    numbers = ", ".join(f"{value:.3g}" for value in (low, first, middle, third, high))
    hint = f"{title}: minimum, quartiles and maximum {numbers} of {len(values)}"
    left, right = scale(first), scale(third)
    parts = [line(scale(low), y, left, y, "line"), line(right, y, scale(high), y, "line")]
    if with_dots:
        # Spread by the golden ratio: even, dense nowhere, and the same each time.
        heights = [(place * GOLDEN) % 1 - 0.5 for place in range(len(values))]
        parts.append(dots([(scale(value), y + 20 * off) for value, off in zip(values, heights, strict=True)]))
    parts.append(rectangle(left, y - half, max(right - left, 1), 2 * half, "box", hint))
    parts.append(line(scale(middle), y - half, scale(middle), y + half, "cross"))
    return parts


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the quartiles, between neighbours where they fall between them.

    Examples
    --------
    >>> quartiles([1, 2, 3, 4, 5]), quartiles([7])
    ((2.0, 3.0, 4.0), (7.0, 7.0, 7.0))
    """
    if len(values) == 1:
        return (float(values[0]),) * 3
    first, middle, third = statistics.quantiles(values, n=4, method="inclusive")
    return float(first), float(middle), float(third)
