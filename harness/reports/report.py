"""The report of a run: which files there are in ``report/``, in which formats."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from harness.errors import UsageError
from harness.records.plan import TrialKey
from harness.reports import tables
from harness.reports.csv import table_csv
from harness.reports.figure import Figure
from harness.reports.figures import figures
from harness.reports.finished import FinishedRun
from harness.reports.html.index import index_view, overview
from harness.reports.html.page import render
from harness.reports.html.team import team_view
from harness.reports.lesions import overlay_png, volumes_ml
from harness.reports.markdown import markdown
from harness.reports.plots.colours import standing_alone
from harness.reports.tex import table_tex

FOLDER = Path("report")
FORMATS = ("html", "svg", "png", "pdf", "csv", "tex", "md")
PIXELS_PER_UNIT = 3
"""Of PNG files: 300 dpi at the width of a page."""
NO_DATA = (
    "Slices and lesion volumes are not shown: the data folder of this run was not there. Pass where it is as --data."
)


def report_files(run: FinishedRun, root: Path | None, formats: Sequence[str]) -> Iterator[tuple[Path, bytes]]:
    """Make a report, file by file.

    Parameters
    ----------
    run
        The run.
    root
        The data folder; None where it is not there, which leaves out what needs references that are masks.
    formats
        Which of :data:`FORMATS`.

    Yields
    ------
    tuple
        A path below the run directory, and the file's content.
    """
    volumes = {} if root is None else {task.spec.name: volumes_ml(task, root) for task in run.plan.tasks}
    drawn = {track.name: figures(run, track, volumes) for track in run.board.tracks}
    if "html" in formats:
        yield from _pages(run, root, drawn)
    yield from _figure_files([figure for of_track in drawn.values() for figure in of_track], formats)
    yield from _table_files(run, formats)
    if "md" in formats:
        yield FOLDER / "leaderboard.md", markdown(run.board).encode()


def _pages(run: FinishedRun, root: Path | None, drawn: dict[str, tuple[Figure, ...]]) -> Iterator[tuple[Path, bytes]]:
    made: dict[TrialKey, bytes] = {}

    def overlay(track: str, team: str, task: str, case: str) -> bytes:
        trial = TrialKey(track=track, team=team, task=task, case=case)
        if root is not None and trial not in made:
            made[trial] = overlay_png(run.store, run.plan.task(task), root, trial)
        return made[trial]

    overlays = None if root is None else overlay
    view = index_view(run, drawn, overlays, missing=NO_DATA if root is None else "")
    yield FOLDER / "index.html", render("index.html", view).encode()
    for track in run.board.tracks:
        for row in track.rows:
            page = render("team.html", team_view(run, track, row, overlays))
            yield FOLDER / "teams" / f"{track.name}-{row.team}.html", page.encode()


def _figure_files(drawn: Sequence[Figure], formats: Sequence[str]) -> Iterator[tuple[Path, bytes]]:
    wanted = [each for each in ("svg", "png", "pdf") if each in formats]
    renderer = _renderer() if {"png", "pdf"} & set(wanted) else None
    for figure in drawn if wanted else ():
        svg = standing_alone(figure.svg).encode()
        for ending in wanted:
            path = FOLDER / "figures" / f"{figure.name}.{ending}"
            if ending == "svg" or renderer is None:
                yield path, svg
            elif ending == "png":
                yield path, renderer.svg2png(bytestring=svg, scale=PIXELS_PER_UNIT, background_color="white")
            else:
                yield path, renderer.svg2pdf(bytestring=svg)


def _renderer() -> ModuleType:
    if importlib.util.find_spec("cairosvg") is None:
        raise UsageError(
            "--format names png or pdf, and CairoSVG is not installed.", remedy="pip install 'fomo-eval[figures]'."
        )
    try:
        return importlib.import_module("cairosvg")
    except OSError as fault:
        raise UsageError(
            "--format names png or pdf, and the system has no cairo library.",
            remedy="Install it (Debian, Ubuntu: apt-get install libcairo2).",
        ) from fault


def _table_files(run: FinishedRun, formats: Sequence[str]) -> Iterator[tuple[Path, bytes]]:
    writers = {"csv": table_csv, "tex": table_tex}
    for track in run.board.tracks:
        _, *of_tasks = tables.track_tables(run.board, track)
        named = [("overview", overview(run.board, track))]
        entered = [task for task in run.board.tasks if any(row.tasks[task.name].entered for row in track.rows)]
        named += [(task.name, table) for task, table in zip(entered, of_tasks, strict=True)]
        for name, table in named:
            for ending in ("csv", "tex"):
                if ending in formats:
                    yield FOLDER / "tables" / f"{track.name}-{name}.{ending}", writers[ending](table).encode()
