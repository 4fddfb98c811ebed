"""``fomo-eval report``: pages, figures and tables of a run, from its directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.commands.challenges import chosen
from harness.commands.interrupts import interruptible
from harness.commands.score import planned
from harness.errors import UsageError
from harness.records.store import RunStore
from harness.reports.finished import load_finished
from harness.reports.report import FOLDER, FORMATS, report_files


def report_run(folder: Path, data: Path | None, formats: Sequence[str]) -> Path:
    """Write the report of a run that has been scored.

    Parameters
    ----------
    folder
        The run directory.
    data
        The data folder; None for the one the run used, where it is there.
    formats
        What to write, of :data:`harness.reports.report.FORMATS`.

    Returns
    -------
    Path
        The report's folder.
    """
    wanted = chosen(formats, FORMATS, option="--format")
    if data is not None and not data.is_dir():
        raise UsageError(f"{data}: the data folder is not there.", remedy="Correct --data, or leave it out.")
    store = RunStore.open(folder)
    with interruptible():
        return write_report(store, data or store.facts.data, wanted)


def write_report(store: RunStore, data: Path, formats: Sequence[str]) -> Path:
    """Write a run's report into its directory."""
    run = load_finished(store, planned(store))
    for path, content in report_files(run, data if data.is_dir() else None, formats):
        store.write(path.as_posix(), content)
    return store.folder / FOLDER
