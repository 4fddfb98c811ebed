"""Finding a task's cases on disk: the reference list says which cases there are, and each must be complete."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.datasets import grids, images
from harness.datasets.case import Case, Volume
from harness.datasets.grids import Grid
from harness.datasets.images import NotAnImage
from harness.errors import DatasetError
from harness.specs.part import NAME_PATTERN
from harness.specs.task import Files, Input, OneOf, TaskSpec

READING_THREADS = 4
NOTICE_FILE, LONGEST_NOTICE = "NOTICE.txt", 500
CASE_IN_NAME = r"(?P<case>[^/]+)"


def index_cases(
    task: TaskSpec,
    root: Path,
    *,
    known: Mapping[Path, Volume] | None = None,
    with_references: bool = True,
) -> tuple[Case, ...]:
    """Find and check every case of a task.

    Parameters
    ----------
    task
        The task spec, which says where its files lie.
    root
        The data folder.
    known
        Volumes checked before, by path; one of unchanged size and time is not read again.
    with_references
        Whether the references say which cases there are; without, every case with a volume is one.

    Returns
    -------
    tuple of Case
        Ordered by id.

    Raises
    ------
    DatasetError
        A folder, volume or reference is missing, or a volume is unusable.
    """
    folder = _task_folder(task, root)
    ids = reference_ids(task, root) if with_references else _ids_of_volumes(task, folder)
    if with_references:
        _refuse_volumes_without_reference(task, folder, ids)
    with ThreadPoolExecutor(READING_THREADS) as pool:
        pending = [pool.submit(_case, task, root, case, known or {}) for case in ids]
        try:
            return tuple(future.result() for future in pending)
        finally:
            pool.shutdown(cancel_futures=True)


def notice(root: Path) -> str:
    """Return the first line of a data folder's NOTICE.txt, which every leaderboard of these data shows."""
    try:
        with (root / NOTICE_FILE).open(encoding="utf-8", errors="replace") as stream:
            line = stream.readline(LONGEST_NOTICE)
    except OSError:
        return ""
    return "".join(letter for letter in line if letter.isprintable()).strip()


def reference_ids(task: TaskSpec, root: Path) -> tuple[str, ...]:
    """List the ids of the cases that have a reference, by file names alone."""
    folder = _task_folder(task, root)
    ids = _ids(folder, task.files.reference)
    if not ids:
        raise DatasetError(
            f"{folder}: no reference of {task.name} matches '{task.files.reference}'.",
            remedy="Cases come from the references: add them, or correct files.reference in the task spec.",
        )
    return ids


def reference_path(task: TaskSpec, root: Path, case: str) -> Path:
    """Return where a case's reference lies."""
    return root / task.files.folder / task.files.reference.replace("{case}", case)


def _task_folder(task: TaskSpec, root: Path) -> Path:
    folder = root / task.files.folder
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: the data folder of {task.name} is not there.",
            remedy="Pass the folder that holds it as --data, or leave the task out with --tasks.",
        )
    return folder


def _ids(folder: Path, pattern: str) -> tuple[str, ...]:
    """Return the sorted case ids for which a file of this pattern exists."""
    name = re.compile(re.escape(pattern).replace(re.escape("{case}"), CASE_IN_NAME))
    found = set()
    for file in folder.glob(pattern.replace("{case}", "*")):
        match = name.fullmatch(file.relative_to(folder).as_posix())
        if match is None or match["case"].startswith("."):
            continue
        if not re.fullmatch(NAME_PATTERN, match["case"]):
            raise DatasetError(
                f"{file}: '{match['case']}' cannot be a case id.",
                remedy="Use letters, digits, '.', '_' and '-' only (at most 64), beginning with a letter or digit.",
            )
        found.add(match["case"])
    return tuple(sorted(found))


def _refuse_volumes_without_reference(task: TaskSpec, folder: Path, ids: tuple[str, ...]) -> None:
    orphans = sorted(_with_volumes(task, folder) - set(ids))
    if orphans:
        missing = folder / task.files.reference.replace("{case}", orphans[0])
        more = f" ({len(orphans)} cases of {task.name} have none)" if len(orphans) > 1 else ""
        raise DatasetError(
            f"{missing}: the case has volumes and no reference{more}.", remedy="Add the reference or move the case out."
        )


def _ids_of_volumes(task: TaskSpec, folder: Path) -> tuple[str, ...]:
    ids = tuple(sorted(_with_volumes(task, folder)))
    if not ids:
        raise DatasetError(
            f"{folder}: no volume of {task.name} matches '{task.files.volume}'.",
            remedy="Add cases, or correct files.volume in the task spec.",
        )
    return ids


def _with_volumes(task: TaskSpec, folder: Path) -> set[str]:
    return {case for each in task.all_inputs for case in _ids(folder, _volume(task.files, each))}


def _volume(files: Files, each: Input) -> str:
    return files.volume.replace("{input}", each.name)


def _case(task: TaskSpec, root: Path, case: str, known: Mapping[Path, Volume]) -> Case:
    present = {}
    for item in task.inputs:
        choices = item.one_of if isinstance(item, OneOf) else (item,)
        there = next((each for each in choices if _is_there(_path(task, root, case, each))), None)
        if there is not None:
            present[there.name] = _path(task, root, case, there)
        elif any(each.required for each in choices):
            raise _volume_missing(task, root, case, choices)
    volumes, first = {}, None
    for name, path in present.items():
        volumes[name], grid = _checked(path, root, known)
        if first is None:
            first = (path, grid)
        elif task.output.format == "mask" and grid is not None and first[1] is not None:
            _require_same_grid(path, grid, first[0], first[1])
    return Case(id=case, volumes=volumes)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as fault:
        raise _unreadable(path, fault) from fault


def _path(task: TaskSpec, root: Path, case: str, each: Input) -> Path:
    return root / task.files.folder / _volume(task.files, each).replace("{case}", case)


def _volume_missing(task: TaskSpec, root: Path, case: str, choices: tuple[Input, ...]) -> DatasetError:
    path = _path(task, root, case, choices[0])
    others = "".join(f" or {_path(task, root, case, each).name}" for each in choices[1:])
    return DatasetError(
        f"{path}{others}: the volume is not there, but the case has a reference.",
        remedy="Add the volume, or move the case's reference out of the data folder.",
    )


def _checked(path: Path, root: Path, known: Mapping[Path, Volume]) -> tuple[Volume, Grid | None]:
    """Describe a volume; read it to its end unless it is known and unchanged (its grid is then not needed again)."""
    relative = path.relative_to(root)
    before = known.get(relative)
    try:
        status = path.stat()
        if before is not None and (before.bytes, before.modified_ns) == (status.st_size, status.st_mtime_ns):
            return before, None
        header = images.read_header(path)
        images.require_whole(path, header)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except NotAnImage as fault:
        raise DatasetError(
            f"{path}: the volume is unusable: {fault}.", remedy="Replace it, or move the case out."
        ) from fault
    except OSError as fault:
        raise _unreadable(path, fault) from fault
    volume = Volume(path=relative, bytes=status.st_size, modified_ns=status.st_mtime_ns, sha256=digest)
    return volume, header.grid


def _unreadable(path: Path, fault: OSError) -> DatasetError:
    return DatasetError(f"{path}: cannot be read ({fault.strerror}).", remedy="Check its permissions.")


def _require_same_grid(path: Path, grid: Grid, first_path: Path, first: Grid) -> None:
    found = grids.reorientation(grid, first)
    if found is None or not found.changes_nothing:
        raise DatasetError(
            f"{path}: is not on the grid of {first_path.name} ({grids.difference(grid, first)}).",
            remedy="A segmentation case needs all its volumes on one grid: resample them.",
        )
