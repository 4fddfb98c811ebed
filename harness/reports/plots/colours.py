"""The colours of pages and plots, and the style of a plot that stands alone as a file.

Blue and vermilion stay apart for every kind of colour vision (Okabe M, Ito K, Color Universal Design, 2008); they are
darkened on white, and lightened on black, until text in them has a contrast of 4.5 : 1.
"""

from __future__ import annotations

import re
from pathlib import Path

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#1a1d21",
    "muted": "#555d69",
    "grid": "#d5dae1",
    "one": "#0b5fa5",
    "two": "#b4470a",
    "three": "#00705a",
    "four": "#8a4a78",
    "five": "#7a5c00",
    "six": "#4a6f8f",
    "seven": "#5c5c5c",
}
DARK = {
    "paper": "#14171b",
    "panel": "#1d2127",
    "ink": "#e8eaed",
    "muted": "#a9b1bd",
    "grid": "#3a414b",
    "one": "#6db3f2",
    "two": "#f39a5b",
    "three": "#3cc9a7",
    "four": "#d79ac2",
    "five": "#e0bf4f",
    "six": "#9cc3e0",
    "seven": "#b9b9b9",
}
SERIES = ("two", "one", "five", "three", "four", "six", "seven")
"""The order in which kinds of one plot take colours."""

_RULES = Path(__file__).with_name("plots.css")
_VARIABLE = re.compile(r"var\(--([a-z]+)\)")


def variables(palette: dict[str, str]) -> str:
    """Write a palette as CSS custom properties."""
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())


def rules() -> str:
    """Return the style of plots within a page that sets the colours."""
    return _RULES.read_text(encoding="utf-8")


def standing_alone(svg: str) -> str:
    """Give a plot its style in light colours, so that it can be a file of its own."""
    style = _VARIABLE.sub(lambda found: LIGHT[found[1]], rules())
    head, rest = svg.split(">", 1)
    return f"{head}><style>{style}</style>{rest}\n"
