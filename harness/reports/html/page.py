"""Rendering: templates, the one style and the one script, and a policy under which a browser runs nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.reports.plots import colours

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, view: object) -> str:
    """Render a page.

    Parameters
    ----------
    template
        The file in ``templates/``.
    view
        What it shows; whatever it holds is text and is escaped, but for SVG that was drawn here.
    """
    style, script = _style(), _script()
    return _environment().get_template(template).render(view=view, style=style, script=script, policy=_policy())


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawn"] = _drawn
    environment.filters["png"] = _png
    return environment


def _drawn(svg: str) -> Markup:
    """Let an SVG of :mod:`harness.reports.plots` through, which escapes what it is given."""
    return Markup(svg)  # noqa: S704 - drawn here


def _png(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


@functools.cache
def _style() -> Markup:
    light, dark = colours.variables(colours.LIGHT), colours.variables(colours.DARK)
    page = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    # Printed pages are light, whatever the screen is.
    schemes = f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
    return Markup(f"{schemes}{page}{colours.rules()}")  # noqa: S704 - files of this package


@functools.cache
def _script() -> Markup:
    return Markup((TEMPLATES / "page.js").read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def _policy() -> str:
    own = (_style(), _script())
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in own)
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
