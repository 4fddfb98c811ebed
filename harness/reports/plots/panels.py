"""Plots with one small panel a team: ROC curves, predicted against true, differences, values against size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.reports.plots.canvas import (
    WIDTH,
    Scale,
    at,
    curve,
    dots,
    drawing,
    line,
    linear,
    logarithmic,
    number,
    shortened,
    text,
)

Points = Sequence[tuple[float, float]]
LEFT, RIGHT, TOP, BOTTOM = 38, 12, 26, 28
MOST_COLUMNS, WIDEST = 3, 230
TITLE, BOLD = -26, 7.8
"""Where a panel's title begins, left of its axes, and the width of an average bold letter."""


@dataclass(frozen=True)
class Roc:
    """A team's ROC curve.

    Attributes
    ----------
    curve
        False and true positive rates, from (0, 0) to (1, 1).
    band
        False positive rate, with the low and high end of the interval of the true positive rate there.
    """

    title: str
    area: str
    curve: Points
    band: Sequence[tuple[float, float, float]]


@dataclass(frozen=True)
class Cloud:
    """A team's points, with a word on them; levels are horizontal lines, the first of them the middle one."""

    title: str
    points: Points
    note: str = ""
    levels: tuple[float, ...] = ()


Team = TypeVar("Team", bound=Roc | Cloud)


@dataclass(frozen=True)
class Panel:
    """Where one panel's axes are."""

    x: Scale
    y: Scale


def roc(teams: Sequence[Roc]) -> str:
    """Draw each team's ROC curve with the band over resamples."""

    def draw(team: Roc, panel: Panel) -> list[str]:
        x, y = panel.x, panel.y
        upper = [(x(rate), y(high)) for rate, _, high in team.band]
        lower = [(x(rate), y(low)) for rate, low, _ in reversed(team.band)]
        band = [curve([*upper, *lower], "band", closed=True)] if team.band else []
        path = [(x(false), y(true)) for false, true in team.curve]
        return [line(x(0), y(0), x(1), y(1), "grid"), *band, curve(path, "line"), _note(panel, team.area, low=True)]

    def axes(width: float, height: float) -> Panel:
        return Panel(Scale(0, 1, 0, width), Scale(0, 1, height, 0))

    return _grid(teams, axes, draw, "False positive rate", "True positive rate", "ROC curve of each team")


def against(teams: Sequence[Cloud], across: str, upwards: str) -> str:
    """Draw predicted against true numbers, on equal axes with the line where both are the same."""
    every = [value for team in teams for point in team.points for value in point]

    def draw(team: Cloud, panel: Panel) -> list[str]:
        low, high = panel.x.low, panel.x.high
        same = line(panel.x(low), panel.y(low), panel.x(high), panel.y(high), "axis")
        return [same, _points(team, panel), _note(panel, team.note)]

    def axes(width: float, height: float) -> Panel:
        x = linear(every, 0, width)
        return Panel(x, Scale(x.low, x.high, height, 0))

    return _grid(teams, axes, draw, across, upwards, f"{upwards} against {across.lower()} of each team")


def differences(teams: Sequence[Cloud], across: str, upwards: str) -> str:
    """Draw differences against means, with the mean difference and the limits of agreement.

    Bland JM, Altman DG, Statistical methods for assessing agreement, Lancet 327 (1986) 307–310.
    """
    means = [point[0] for team in teams for point in team.points]
    apart = [value for team in teams for value in (*(point[1] for point in team.points), *team.levels)]

    def draw(team: Cloud, panel: Panel) -> list[str]:
        start, end = panel.x.start, panel.x.end
        middle = [line(start, panel.y(level), end, panel.y(level), "cross") for level in team.levels[:1]]
        bounds = [line(start, panel.y(level), end, panel.y(level), "bound") for level in team.levels[1:]]
        zero = line(start, panel.y(0), end, panel.y(0), "axis")
        return [zero, _points(team, panel), *bounds, *middle, _note(panel, team.note)]

    def axes(width: float, height: float) -> Panel:
        return Panel(linear(means, 0, width), linear(apart, height, 0, include=[0.0]))

    return _grid(teams, axes, draw, across, upwards, f"{upwards} of each team (Bland–Altman)")


def by_size(teams: Sequence[Cloud], across: str, upwards: str, include: Sequence[float]) -> str:
    """Draw values against a size above 0, on a logarithmic axis."""
    sizes = [point[0] for team in teams for point in team.points]
    values = [point[1] for team in teams for point in team.points]

    def draw(team: Cloud, panel: Panel) -> list[str]:
        return [_points(team, panel), _note(panel, team.note)]

    def axes(width: float, height: float) -> Panel:
        return Panel(logarithmic(sizes, 0, width), linear(values, height, 0, include=include))

    return _grid(teams, axes, draw, across, upwards, f"{upwards} against {across.lower()} of each team")


def _grid(
    teams: Sequence[Team],
    axes: Callable[[float, float], Panel],
    draw: Callable[[Team, Panel], list[str]],
    across: str,
    upwards: str,
    label: str,
) -> str:
    """Lay panels out in rows; all have the same axes, so that teams can be compared."""
    columns = min(max(len(teams), 1), MOST_COLUMNS)
    wide = min((WIDTH - 16) / columns, WIDEST)
    inner = wide - LEFT - RIGHT
    panel, tall = axes(inner, inner), inner + TOP + BOTTOM
    parts: list[str] = []
    for place, team in enumerate(teams):
        x, y = 16 + wide * (place % columns) + LEFT, tall * (place // columns) + TOP
        name = text(TITLE, -8, shortened(team.title, int((inner + RIGHT - TITLE) / BOLD)), "strong")
        parts.append(f'<g transform="translate({at(x)} {at(y)})">{name}{"".join(_axes(panel))}')
        parts.extend(draw(team, panel))
        parts.append("</g>")
    height = tall * -(-len(teams) // columns)
    middle = (16 + LEFT + 16 + wide * columns - RIGHT) / 2
    parts.append(text(middle, height + 8, across, "small middle"))
    turned = f'<g transform="translate(12 {at(height / 2)}) rotate(-90)">{text(0, 0, upwards, "small middle")}</g>'
    return drawing(16 + wide * columns, height + 16, label, [*parts, turned])


def _axes(panel: Panel) -> list[str]:
    x, y = panel.x, panel.y
    parts = [f'<path d="M0 0H{at(x.end)}V{at(y.start)}H0Z" class="grid"/>']
    for value in x.ticks(3 if x.end > 120 else 2):
        parts.append(line(x(value), y.start, x(value), y.start + 4, "axis"))
        parts.append(text(x(value), y.start + 16, number(value), "small middle"))
    for value in y.ticks(3):
        parts.append(line(-4, y(value), 0, y(value), "axis"))
        parts.append(text(-7, y(value) + 4, number(value), "small end"))
    return parts


def _points(team: Cloud, panel: Panel) -> str:
    return dots([(panel.x(x), panel.y(y)) for x, y in team.points])


def _note(panel: Panel, words: str, *, low: bool = False) -> str:
    if low:
        return text(panel.x.end - 6, panel.y.start - 8, words, "small end")
    return text(6, 14, words, "small")
