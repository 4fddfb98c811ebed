"""The table of groups: which site, scanner, sex or age band each case of a task belongs to.

It lies beside the references and, like them, is never seen by a container. Only a task whose spec names it has one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.errors import DatasetError
from harness.specs.task import TaskSpec

CASE_COLUMN = "case"
UNKNOWN = "unknown"
LARGEST_FILE = 8 << 20
MOST_GROUPS = 24
LONGEST_NAME = 64

Groups = Mapping[str, Mapping[str, str]]
"""By column and case, the group."""


def load_groups(task: TaskSpec, root: Path, cases: Iterable[str]) -> Groups:
    """Read a task's table of groups.

    Parameters
    ----------
    task
        Its ``files.groups`` names a CSV file below its folder: a column ``case`` and one column for each attribute.
    root
        The data folder.
    cases
        The task's cases; each must have one row.

    Returns
    -------
    mapping
        Empty where the task has no table. An empty cell is the group ``unknown``.

    Raises
    ------
    DatasetError
        Naming the file, the row and the column.
    """
    if task.files.groups is None:
        return {}
    path = root / task.files.folder / task.files.groups
    columns, rows = _table(path)
    wanted, found = sorted(cases), {}
    for number, row in rows:
        case = _case(path, number, row, columns)
        if case in found:
            raise _unusable(path, f"row {number}: the case '{case}' is there twice", "Remove one of the rows.")
        if case not in wanted:
            raise _unusable(path, f"row {number}: the case '{case}' has no reference", "Correct or remove the row.")
        found[case] = row
    missing = next((case for case in wanted if case not in found), None)
    if missing is not None:
        raise _unusable(path, f"the case '{missing}' has no row", "Add it; leave cells empty that are not known.")
    attributes = [column for column in columns if column != CASE_COLUMN]
    return {
        attribute: _group_names(path, attribute, {case: found[case][columns.index(attribute)] for case in wanted})
        for attribute in attributes
    }


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise _unusable(path, "it is larger than 8 MiB", "A table of groups has one short row per case.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise _unusable(path, f"it cannot be read ({fault.strerror})", "Write it, or drop files.groups.") from fault
    except UnicodeDecodeError as fault:
        raise _unusable(path, "it is not UTF-8 text", "Save it as UTF-8.") from fault
    try:
        lines = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text)), start=1) if row]
    except csv.Error as fault:
        raise _unusable(path, f"it is no CSV ({fault})", "Correct it.") from fault
    columns = [column.strip() for column in lines[0][1]] if lines else []
    if CASE_COLUMN not in columns or len(columns) < 2:
        raise _unusable(path, f"its first row holds no column '{CASE_COLUMN}' beside others", "Add a header row.")
    for column in columns:
        if columns.count(column) > 1 or not _is_name(column):
            raise _unusable(path, f"the column {column!r:.70} is no name, or there twice", "Rename it.")
    return columns, lines[1:]


def _case(path: Path, number: int, row: list[str], columns: list[str]) -> str:
    if len(row) != len(columns):
        raise _unusable(path, f"row {number} has {len(row)} cells, not {len(columns)}", "Complete the row.")
    return row[columns.index(CASE_COLUMN)].strip()


def _group_names(path: Path, attribute: str, cells: Mapping[str, str]) -> dict[str, str]:
    groups = {case: cell.strip() or UNKNOWN for case, cell in cells.items()}
    odd = next((group for group in groups.values() if not _is_name(group)), None)
    if odd is not None:
        raise _unusable(path, f"the column '{attribute}' holds {odd!r:.70}, which is no name", "Shorten it.")
    if len(set(groups.values())) > MOST_GROUPS:
        raise _unusable(
            path,
            f"the column '{attribute}' holds {len(set(groups.values()))} different values",
            f"Band them, so that there are at most {MOST_GROUPS}.",
        )
    return groups


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable() and len(text) <= LONGEST_NAME


def _unusable(path: Path, why: str, remedy: str) -> DatasetError:
    return DatasetError(f"{path}: the table of groups is unusable: {why}.", remedy=remedy)
