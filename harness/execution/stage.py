"""Staging: a folder with one case's volumes under neutral names, and an empty one for the prediction."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.datasets.case import Case, Volume
from harness.engines.engine import INPUT_FOLDER, OUTPUT_FOLDER, ContainerLimits
from harness.engines.sandbox import container_user
from harness.errors import DatasetError
from harness.execution.bounds import bound, release
from harness.records.files import remove_tree, writing
from harness.specs.task import OUTPUT_FLAG, TaskSpec

EPOCH_NS = (0, 0)


@dataclass(frozen=True)
class Staged:
    """A case as a container gets to see it.

    Attributes
    ----------
    folder
        Holds the next two; its name is random, because a container can read it in ``/proc/self/mountinfo``.
    input_folder, output_folder
        Mounted at ``/input`` and ``/output``.
    bounded
        Whether ``output_folder`` is a file system of its own, of limited size.
    taken
        A folder (not there yet) that no container sees, for what is taken out of ``output_folder``.
    arguments
        The flags that follow the image's command.
    """

    folder: Path
    input_folder: Path
    output_folder: Path
    bounded: bool
    taken: Path
    arguments: tuple[str, ...]


def stage(task: TaskSpec, case: Case, *, root: Path, work: Path, bounds: ContainerLimits | None = None) -> Staged:
    """Stage one case.

    Parameters
    ----------
    task, case
        What is staged.
    root
        The data folder.
    work
        The run's work folder.
    bounds
        With them, the output folder is a file system of that size; None leaves bounding it to the engine.

    Returns
    -------
    Staged
        To be given to :func:`clear` once its container has ended.

    Raises
    ------
    DatasetError
        A volume has changed since it was planned.
    """
    token = secrets.token_hex(8)
    folder = work / token
    case_folder = Staged(
        folder=folder,
        input_folder=folder / "in",
        output_folder=folder / "out",
        bounded=bounds is not None,
        taken=work / f"{token}-taken",
        arguments=arguments(task, case),
    )
    try:
        with writing(folder):
            # 0711: the container's user passes through to its two folders, and lists nothing.
            folder.mkdir(mode=0o711)
            case_folder.input_folder.mkdir(mode=0o755)
            case_folder.output_folder.mkdir(mode=0o700)
            if os.getuid() == 0:
                os.chown(case_folder.output_folder, *container_user())
        if bounds is not None:
            bound(case_folder.output_folder, bounds)
        for name, volume in case.volumes.items():
            _place(root / volume.path, volume, case_folder.input_folder / _neutral_name(task, name))
    except BaseException:
        clear(case_folder)
        raise
    return case_folder


def clear(case: Staged) -> None:
    """Remove what was staged and what a container left beside it; ``taken`` stays until it is recorded."""
    if case.bounded:
        release(case.output_folder)
    remove_tree(case.folder)


def arguments(task: TaskSpec, case: Case) -> tuple[str, ...]:
    """Return the flags of one case: one per available input in the spec's order, and the output."""
    words = [
        word
        for each in task.all_inputs
        if each.name in case.volumes
        for word in (each.flag, f"{INPUT_FOLDER}/{_neutral_name(task, each.name)}")
    ]
    return (*words, OUTPUT_FLAG, f"{OUTPUT_FOLDER}/{task.output.file}")


def _neutral_name(task: TaskSpec, name: str) -> str:
    return name + (".nii.gz" if task.files.volume.endswith(".nii.gz") else ".nii")


def _place(source: Path, volume: Volume, target: Path) -> None:
    """Copy a volume, with its content and nothing else of it.

    A link would show when the original was written, in which order and under how many names; organisers tend to write
    their cases class by class.
    """
    try:
        status = source.stat()
    except OSError as fault:
        raise DatasetError(f"{source}: is gone since it was planned.", remedy="Bring it back and run again.") from fault
    if (status.st_size, status.st_mtime_ns) != (volume.bytes, volume.modified_ns):
        raise DatasetError(f"{source}: has changed since it was planned.", remedy="Run again: the plan is made anew.")
    with writing(target):
        shutil.copyfile(source, target)
        os.utime(target, ns=EPOCH_NS)
        target.chmod(0o444)
