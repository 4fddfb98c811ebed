"""Reading recorded predictions back, and refusing those that have changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets import grids, images, masks
from harness.datasets.images import NotAnImage
from harness.datasets.references import ReferenceMask
from harness.datasets.scalars import NotOneNumber, parse_number
from harness.errors import DatasetError, RunDirectoryError
from harness.records.record import Record


def is_valid(record: Record) -> bool:
    """Say whether a trial ended with a prediction that counts."""
    return record.outcome.ending == "ok"


def load_scalar(run: Path, record: Record) -> float:
    """Read a recorded number.

    Raises
    ------
    RunDirectoryError
        The file is not the one that was recorded.
    """
    try:
        return parse_number(_recorded(run, record).read_bytes())
    except NotOneNumber as fault:
        raise _changed(run, record) from fault


def load_mask(
    run: Path, record: Record, reference: ReferenceMask, structures: Mapping[str, int]
) -> dict[str, NDArray[np.bool_]]:
    """Read a recorded mask's regions by structure, turned onto the reference's axes.

    Raises
    ------
    RunDirectoryError
        The file is not the one that was recorded.
    DatasetError
        The reference is not on the grid of the case's inputs.
    """
    path = _recorded(run, record)
    try:
        return read_regions(path, reference, structures)
    except NotAnImage as fault:
        raise _changed(run, record) from fault


def read_regions(path: Path, reference: ReferenceMask, structures: Mapping[str, int]) -> dict[str, NDArray[np.bool_]]:
    """Read a mask's regions by structure, turned onto the reference's axes.

    Raises
    ------
    NotAnImage
        It cannot be read.
    DatasetError
        It is not on the reference's grid.
    """
    header = images.read_header(path)
    mask = masks.read_mask(path, header, judged=True)
    turn = grids.reorientation(header.grid, reference.grid)
    if turn is None:
        raise DatasetError(f"{path}: is not on the grid of its reference.", remedy="Resample the reference.")
    regions = mask.regions(structures)
    if turn.changes_nothing:
        return regions
    return {name: np.asfortranarray(turn.apply(region), dtype=np.bool_) for name, region in regions.items()}


def _recorded(run: Path, record: Record) -> Path:
    if record.prediction is None:
        raise _changed(run, record)
    path = run / record.prediction.file
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as fault:
        raise _changed(run, record) from fault
    if digest != record.prediction.sha256:
        raise _changed(run, record)
    return path


def _changed(run: Path, record: Record) -> RunDirectoryError:
    where = run / record.prediction.file if record.prediction else record.trial
    return RunDirectoryError(
        f"{where}: is not the prediction that was recorded.", remedy="Restore it from a copy, or run the trial anew."
    )
