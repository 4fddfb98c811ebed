"""What all plots are made of: scales with round ticks, a few SVG elements, and rows of named things."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 560
LETTER = 7.0
"""Width of an average letter at 12 px."""
LONGEST_NAME = 26
ROW = 24
FEW = 150
"""Dots, which are then drawn larger."""
AXIS = 40
"""What an axis with its title takes below a plot."""


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis, from values to positions.

    Attributes
    ----------
    low, high
        The values at its ends; above 0 where it is logarithmic.
    start, end
        The positions of its ends.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value; what lies beyond an end is put there.

        Examples
        --------
        >>> Scale(0, 10, 100, 200)(2.5), Scale(0.1, 1000, 0, 400, log=True)(10), Scale(0, 1, 0, 50)(7)
        (125.0, 200.0, 50.0)
        """
        low, high, value = (_log(each) if self.log else each for each in (self.low, self.high, value))
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values within the scale: powers of ten where it is logarithmic."""
        if self.log:
            powers = range(math.ceil(_log(self.low) - 1e-9), math.floor(_log(self.high) + 1e-9) + 1)
            every = max(1, math.ceil(len(powers) / (about + 1)))
            return [10.0**power for power in powers if power % every == 0]
        step = _round_step((self.high - self.low) / about)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(number * step, 12) for number in range(first, last + 1)]


def _log(value: float) -> float:
    return math.log10(value)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def linear(values: Iterable[float], start: float, end: float, *, include: Iterable[float] = ()) -> Scale:
    """Make a scale whose ends are round and hold all values, and those that must be in sight.

    Examples
    --------
    >>> found = linear([0.13, 0.87], 0, 100, include=[0, 1])
    >>> found.low, found.high, found.ticks()
    (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    every = [*values, *include] or [0.0, 1.0]
    low, high = min(every), max(every)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = _round_step((high - low) / 5)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return Scale(round(low, 12), round(high, 12), start, end)


def logarithmic(values: Iterable[float], start: float, end: float) -> Scale:
    """Make a logarithmic scale from power of ten to power of ten; what is not above 0 is left out.

    Examples
    --------
    >>> found = logarithmic([0.04, 120], 0, 100)
    >>> found.low, found.high, found.ticks()
    (0.01, 1000.0, [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    every = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(_log(min(every)) + 1e-9), math.ceil(_log(max(every)) - 1e-9)
    return Scale(10.0**low, 10.0 ** (high if high > low else low + 1), start, end, log=True)


def number(value: float) -> str:
    """Write a tick's value."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.10g}".replace("-", "−")


def at(position: float) -> str:
    """Write a position, to a tenth of a pixel."""
    return f"{position:.1f}".removesuffix(".0")


def text(x: float, y: float, content: str, style: str = "") -> str:
    """Write text at a place, escaped."""
    return f'<text x="{at(x)}" y="{at(y)}"{_class(style)}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Draw a straight line."""
    return f'<path d="M{at(x1)} {at(y1)}L{at(x2)} {at(y2)}"{_class(style)}/>'


def rectangle(x: float, y: float, width: float, height: float, style: str, hint: str = "", opacity: float = 1) -> str:
    """Draw a rectangle, with a hint that shows on hovering."""
    faint = "" if opacity == 1 else f' fill-opacity="{opacity:.2f}"'
    shape = f'<rect x="{at(x)}" y="{at(y)}" width="{at(width)}" height="{at(height)}"{_class(style)}{faint}'
    return f"{shape}>{_hint(hint)}</rect>" if hint else f"{shape}/>"


def circle(x: float, y: float, radius: float, style: str, hint: str = "") -> str:
    """Draw a disc, with a hint that shows on hovering."""
    shape = f'<circle cx="{at(x)}" cy="{at(y)}" r="{at(radius)}"{_class(style)}'
    return f"{shape}>{_hint(hint)}</circle>" if hint else f"{shape}/>"


def curve(points: Sequence[tuple[float, float]], style: str, *, closed: bool = False) -> str:
    """Draw straight lines through points; those that round to the one before are left out."""
    kept: list[str] = []
    for x, y in points:
        place = f"{at(x)} {at(y)}"
        if not kept or kept[-1] != place:
            kept.append(place)
    return f'<path d="M{"L".join(kept)}{"Z" if closed else ""}"{_class(style)}/>'


def dots(points: Iterable[tuple[float, float]]) -> str:
    """Draw many dots as one path, to a pixel; those that fall on one another are drawn once, and few are larger."""
    places = sorted({(round(x), round(y)) for x, y in points})
    if not places:
        return ""
    steps, (x, y) = [f"M{places[0][0]} {places[0][1]}h0"], places[0]
    for next_x, next_y in places[1:]:
        down = next_y - y
        steps.append(f"m{next_x - x}{'' if down < 0 else ' '}{down}h0")
        x, y = next_x, next_y
    return f'<path d="{"".join(steps)}"{_class("dots few" if len(places) <= FEW else "dots")}/>'


def drawing(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """Put parts together to a picture that a screen reader names."""
    size = f'viewBox="0 0 {at(width)} {at(height)}" width="{at(width)}" height="{at(height)}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" {size} aria-label="{escape(label)}">'
    return f"{opening}{''.join(parts)}</svg>"


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """Cut a name that has no room.

    Examples
    --------
    >>> shortened("Thresholds and morphology", 12)
    'Thresholds…'
    """
    return name if len(name) <= longest else f"{name[: longest - 1].rstrip()}…"


@dataclass(frozen=True)
class Rows:
    """A plot of named rows beside a horizontal axis.

    Attributes
    ----------
    left
        Where names end.
    top
        Above the first row.
    """

    names: tuple[str, ...]
    left: float
    right: float
    top: float
    height: float = ROW

    @classmethod
    def of(cls, names: Sequence[str], *, top: float = 8, right: float = WIDTH - 16, height: float = ROW) -> Rows:
        """Make room for names."""
        longest = max((len(shortened(name)) for name in names), default=0)
        return cls(tuple(names), max(longest * LETTER, 40) + 12, right, top, height)

    @property
    def bottom(self) -> float:
        """Below the last row."""
        return self.top + self.height * len(self.names)

    def middle(self, row: int) -> float:
        """Return the middle of a row."""
        return self.top + self.height * (row + 0.5)

    def labels(self) -> list[str]:
        """Draw the names."""
        return [
            text(self.left - 8, self.middle(row) + 4, shortened(name), "end") for row, name in enumerate(self.names)
        ]

    def axis(self, scale: Scale, title: str, ticks: Sequence[float] | None = None) -> list[str]:
        """Draw the axis below the rows, with a line through them at each tick."""
        parts = []
        for value in scale.ticks(6) if ticks is None else ticks:
            x = scale(value)
            parts.append(line(x, self.top, x, self.bottom, "grid"))
            parts.append(text(x, self.bottom + 15, number(value), "small middle"))
        parts.append(line(scale.start, self.bottom, scale.end, self.bottom, "axis"))
        parts.append(text((scale.start + scale.end) / 2, self.bottom + 32, title, "small middle"))
        return parts

    def drawn(self, label: str, parts: Iterable[str], *, below: float = AXIS) -> str:
        """Put names and parts together."""
        return drawing(WIDTH, self.bottom + below, label, [*self.labels(), *parts])


def _class(style: str) -> str:
    return f' class="{style}"' if style else ""


def _hint(words: str) -> str:
    return f"<title>{escape(words)}</title>"
