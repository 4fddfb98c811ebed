"""Judging a prediction by itself: right kind, right range, right grid. No reference is needed, and none is seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets import grids, images, masks
from harness.datasets.case import Case
from harness.datasets.images import Header, NotAnImage, NotPlainNumbers
from harness.datasets.scalars import LARGEST_TEXT, NotFinite, NotOneNumber, parse_number
from harness.engines.outcome import Ending, Outcome, Refusal
from harness.specs.task import ScalarOutput, TaskSpec

VALUES_SHOWN = 6


def verify(task: TaskSpec, case: Case, prediction: Path, *, root: Path) -> Outcome:
    """Judge a collected prediction.

    Parameters
    ----------
    task, case
        What was asked for.
    prediction
        The collected file.
    root
        The data folder, for the grid of the case's inputs.

    Returns
    -------
    Outcome
        ``ok`` with notes, or ``invalid_output`` with a refusal code and the difference.
    """
    return verify_on(task, root / next(iter(case.volumes.values())).path, prediction)


def verify_on(task: TaskSpec, volume: Path, prediction: Path) -> Outcome:
    """Judge a prediction whose mask, if it is one, must be on the grid of this volume.

    Parameters
    ----------
    task
        What was asked for.
    volume
        A NIfTI file; not looked at for a prediction that is a number.
    prediction
        The file.

    Returns
    -------
    Outcome
        As :func:`verify` returns it.
    """
    if isinstance(task.output, ScalarOutput):
        return _verify_scalar(task.output, prediction)
    return _verify_mask(volume, prediction, task.structures)


def _verify_scalar(output: ScalarOutput, prediction: Path) -> Outcome:
    with prediction.open("rb") as stream:
        content = stream.read(LARGEST_TEXT + 1)
    try:
        value = parse_number(content)
    except NotFinite as fault:
        return _refused(
            Refusal.NOT_FINITE, f"{prediction.name} must hold one finite number ({output.meaning}); {fault}"
        )
    except NotOneNumber as fault:
        return _refused(Refusal.NOT_ONE_NUMBER, f"{prediction.name} must hold one number ({output.meaning}); {fault}")
    if output.minimum is not None and value < output.minimum:
        return _refused(Refusal.OUT_OF_RANGE, f"{value:g} is below {output.minimum:g} ({output.meaning})")
    if output.maximum is not None and value > output.maximum:
        return _refused(Refusal.OUT_OF_RANGE, f"{value:g} is above {output.maximum:g} ({output.meaning})")
    return Outcome(Ending.OK)


def _verify_mask(volume: Path, prediction: Path, structures: Mapping[str, int]) -> Outcome:
    try:
        header = images.read_header(prediction)
    except NotAnImage as fault:
        refusal = Refusal.WRONG_TYPE if isinstance(fault, NotPlainNumbers) else Refusal.NOT_NIFTI
        return _refused(refusal, f"{prediction.name}: {fault}")
    expected = images.read_header(volume).grid
    turn = grids.reorientation(header.grid, expected)
    if turn is None:
        return _refused(Refusal.WRONG_GRID, f"{prediction.name} has {grids.difference(header.grid, expected)}")
    try:
        mask = masks.read_mask(prediction, header)
    except NotAnImage as fault:
        return _refused(Refusal.NOT_NIFTI, f"{prediction.name}: {fault}")
    if not mask.finite:
        return _refused(Refusal.NOT_FINITE, f"{prediction.name} holds voxels that are not finite")
    codes = (0, *(structures.values() or (1,)))
    known = np.isin(mask.values, codes).all() if structures else _is_binary(mask.foreground_values)
    if not known:
        more = ", …" if mask.values.size > VALUES_SHOWN else ""
        shown = ", ".join(f"{value:g}" for value in mask.values[:VALUES_SHOWN]) + more
        refusal = Refusal.UNKNOWN_STRUCTURE if structures else Refusal.NOT_BINARY
        return _refused(refusal, f"{prediction.name} holds the values {shown}, not {masks.listed(codes)}")
    return Outcome(Ending.OK, notes=_notes(header, None if structures else mask.foreground_values, turn))


def _is_binary(foreground: NDArray[Any]) -> bool:
    """Say whether there is at most one value besides zero, a whole number above it."""
    return bool(foreground.size <= 1 and (foreground > 0).all() and (foreground == np.rint(foreground)).all())


def _notes(header: Header, foreground: NDArray[Any] | None, turn: grids.Reorientation) -> tuple[str, ...]:
    notes = []
    if len(header.stored_shape) > 3:
        notes.append("the mask is stored with a trailing axis of length one")
    if header.dtype.kind == "f":
        notes.append("the mask is stored as floating-point numbers")
    if foreground is not None and foreground.size and foreground[0] != 1:
        notes.append(f"foreground is {foreground[0]:g}, not 1")
    if not turn.changes_nothing:
        notes.append("the mask is stored in another orientation than the input; the points are the same")
    return tuple(notes)


def _refused(refusal: Refusal, detail: str) -> Outcome:
    return Outcome(Ending.INVALID_OUTPUT, detail, refusal=refusal)
