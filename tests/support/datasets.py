"""Data folders of a few tiny volumes, in the layout of a challenge's specs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.case import Case
from harness.datasets.index import index_cases
from harness.specs.challenge import Challenge
from harness.specs.task import OneOf, TaskSpec
from tests.support.volumes import mask, voxels, write_volume

CASES = ("case_1", "case_2", "case_3")
NUMBERS = {"infarct": ("0", "1", "1"), "brain_age": ("31.5", "60", "78.25")}


def write_tiny_data(root: Path, challenge: Challenge, cases: tuple[str, ...] = CASES) -> Path:
    """Write every task's cases, each with the first of its choices of inputs; return the data folder."""
    for task in challenge.tasks:
        for place, case in enumerate(cases):
            write_inputs(root, task, case, seed=place)
            if task.reference.format == "mask":
                write_volume(reference_of(root, task, case), mask())
            else:
                write_text(reference_of(root, task, case), NUMBERS[task.name][place % 3] + "\n")
    return root


def write_inputs(root: Path, task: TaskSpec, case: str, seed: int = 0) -> None:
    """Write a case's volumes."""
    for place, item in enumerate(task.inputs):
        first = item.one_of[0] if isinstance(item, OneOf) else item
        write_volume(volume_of(root, task, case, first.name), voxels(10 * seed + place))


def volume_of(root: Path, task: TaskSpec, case: str, name: str) -> Path:
    """Return where a volume lies."""
    return root / task.files.folder / task.files.volume.replace("{case}", case).replace("{input}", name)


def reference_of(root: Path, task: TaskSpec, case: str) -> Path:
    """Return where a case's reference lies."""
    return root / task.files.folder / task.files.reference.replace("{case}", case)


def write_text(path: Path, text: str) -> Path:
    """Write a text file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def first_case(root: Path, task: TaskSpec) -> Case:
    """Return the first of a task's cases."""
    return index_cases(task, root)[0]


def shifted(affine: NDArray[np.float64], millimetres: float) -> NDArray[np.float64]:
    """Return an affine moved along the scanner's first axis."""
    moved = affine.copy()
    moved[0, 3] += millimetres
    return moved
