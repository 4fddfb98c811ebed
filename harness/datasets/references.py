"""References: the truth that predictions are scored against. No container and no executor ever sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets import grids, images, index, masks
from harness.datasets.case import Case
from harness.datasets.grids import Grid
from harness.datasets.groups import load_groups
from harness.datasets.images import Header, NotAnImage
from harness.datasets.scalars import LARGEST_TEXT, NotOneNumber, parse_number
from harness.errors import DatasetError
from harness.specs.task import MaskReference, ScalarReference, TaskSpec

ZOOMS_AGREE_MM = 1e-3


@dataclass(frozen=True, eq=False)
class ReferenceMask:
    """A reference mask on its grid.

    Attributes
    ----------
    regions
        By structure, True where it is; of a binary mask one region without a name.
    grid
        Its voxel grid; distances use the affine's spacing.
    """

    regions: Mapping[str, NDArray[np.bool_]]
    grid: Grid


def check(task: TaskSpec, root: Path, cases: tuple[Case, ...]) -> None:
    """Check the references of a task in full, and its table of groups, before anything runs.

    Raises
    ------
    DatasetError
        Naming the file and what is wrong with it.
    """
    load_groups(task, root, [case.id for case in cases])
    if isinstance(task.reference, ScalarReference):
        _check_scalars(task, task.reference, root, cases)
        return
    for case in cases:
        path = index.reference_path(task, root, case.id)
        volume = root / next(iter(case.volumes.values())).path
        _require_on_grid(path, load_mask(task, root, case.id).grid, volume)


def _check_scalars(task: TaskSpec, spec: ScalarReference, root: Path, cases: tuple[Case, ...]) -> None:
    seen = {_scalar(index.reference_path(task, root, case.id), spec) for case in cases}
    if spec.values is not None and len(spec.values) > 1 and len(seen) == 1:
        raise DatasetError(
            f"{root / task.files.folder}: all {len(cases)} references of {task.name} are {seen.pop():g}; "
            "no model could be told from another.",
            remedy="Add cases of the other class, or leave the task out with --tasks.",
        )


def load_scalar(task: TaskSpec, root: Path, case: str) -> float:
    """Load a case's number.

    Raises
    ------
    DatasetError
        It is missing, not one finite number, or outside what the spec allows.
    """
    if not isinstance(task.reference, ScalarReference):
        raise TypeError(f"the reference of {task.name} is not a number")
    return _scalar(index.reference_path(task, root, case), task.reference)


def load_mask(task: TaskSpec, root: Path, case: str) -> ReferenceMask:
    """Load a case's mask.

    Raises
    ------
    DatasetError
        It is missing, damaged, or holds other values than the task's.
    """
    if not isinstance(task.reference, MaskReference):
        raise TypeError(f"the reference of {task.name} is not a mask")
    path = index.reference_path(task, root, case)
    header = _mask_header(path)
    try:
        mask = masks.read_mask(path, header)
    except NotAnImage as fault:
        raise _unusable(path, str(fault)) from fault
    codes = (0, *(task.structures.values() or (1,)))
    if not np.isin(mask.values, codes).all():
        values = ", ".join(f"{value:g}" for value in mask.values[:6])
        raise _unusable(path, f"its values are {values}, not {masks.listed(codes)}")
    return ReferenceMask(mask.regions(task.structures), header.grid)


def _scalar(path: Path, spec: ScalarReference) -> float:
    try:
        with path.open("rb") as stream:
            value = parse_number(stream.read(LARGEST_TEXT + 1))
    except NotOneNumber as fault:
        raise _unusable(path, str(fault)) from fault
    except OSError as fault:
        raise _unusable(path, f"it cannot be read ({fault.strerror})") from fault
    if spec.values is not None and value not in spec.values:
        raise _unusable(path, f"it holds {value:g}, not one of {', '.join(f'{each:g}' for each in spec.values)}")
    if spec.minimum is not None and spec.maximum is not None and not spec.minimum <= value <= spec.maximum:
        raise _unusable(path, f"it holds {value:g}, outside {spec.minimum:g} to {spec.maximum:g}")
    return value


def _mask_header(path: Path) -> Header:
    try:
        header = images.read_header(path)
    except NotAnImage as fault:
        raise _unusable(path, str(fault)) from fault
    apart = max(abs(zoom - side) for zoom, side in zip(header.zooms_mm, header.grid.spacing_mm, strict=True))
    if apart > ZOOMS_AGREE_MM:
        raise _unusable(path, f"its header gives voxel sizes {apart:.3g} mm away from those of its affine")
    return header


def _require_on_grid(path: Path, grid: Grid, volume: Path) -> None:
    expected = images.read_header(volume).grid
    if grids.reorientation(grid, expected) is None:
        raise _unusable(path, f"it is not on the grid of {volume.name}: it has {grids.difference(grid, expected)}")


def _unusable(path: Path, why: str) -> DatasetError:
    return DatasetError(f"{path}: the reference is unusable: {why}.", remedy="Correct it, or move the case out.")
