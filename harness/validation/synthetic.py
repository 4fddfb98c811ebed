"""Cases made up from a task spec alone: nobody's brain, and everything about a volume that a model must put up with."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from harness.records.files import writing
from harness.specs.task import Input, OneOf, TaskSpec

WRITING_THREADS = 4
AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
"""What an axis of an array runs towards: the scanner's axis (RAS+) and the direction along it."""

OFF_CENTRE_MM = (3.5, -12.25, 8.75)
"""Where heads lie: a grid that were its own mirror image could not show a flipped affine."""


@dataclass(frozen=True)
class Kind:
    """What is peculiar about the volumes of a case.

    Attributes
    ----------
    title
        In words.
    shape
        Voxels along each axis.
    spacing_mm
        Sides of a voxel along each axis.
    towards
        What each axis runs towards, as in ``RAS``.
    dtype
        How voxels are stored.
    tilt
        By how much the head is turned about two axes, in radians.
    dark
        Whether every voxel is zero.
    """

    title: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    towards: str = "RAS"
    dtype: type[np.generic] = np.int16
    tilt: float = 0.0
    dark: bool = False


KINDS = (
    Kind("plain", (64, 72, 60), (2.5, 2.5, 2.5)),
    Kind("odd shape", (61, 83, 47), (2.1, 2.3, 2.9), dtype=np.float32),
    Kind("thick slices", (96, 104, 19), (1.8, 1.8, 7.0)),
    Kind("axes turned and tilted", (46, 70, 58), (3.0, 2.5, 2.75), towards="PSR", dtype=np.float32, tilt=0.2),
    Kind("large", (208, 256, 176), (0.8, 0.8, 0.9), towards="LAS"),
    Kind("dark", (64, 72, 60), (2.5, 2.5, 2.5), dark=True),
)


@dataclass(frozen=True)
class SyntheticCase:
    """A case that is yet to be written.

    Attributes
    ----------
    id
        Its name in the data folder.
    title
        What is peculiar about it.
    inputs
        Those that it has: one of each choice.
    kind
        What its volumes are like.
    """

    id: str
    title: str
    inputs: tuple[Input, ...]
    kind: Kind


def synthetic_cases(task: TaskSpec) -> tuple[SyntheticCase, ...]:
    """Make up the cases of a task: every kind of volume, every branch of every choice, inputs that may be missing.

    Returns
    -------
    tuple of SyntheticCase
        The same for the same spec.
    """
    choices = [item for item in task.inputs if isinstance(item, OneOf)]
    number = max(len(KINDS), *(len(choice.one_of) for choice in choices), 1)
    return tuple(_case(task, place) for place in range(number))


def _case(task: TaskSpec, place: int) -> SyntheticCase:
    kind = KINDS[place % len(KINDS)]
    inputs = tuple(_inputs(task, place))
    branches = [each.name for item in task.inputs if isinstance(item, OneOf) for each in item.one_of if each in inputs]
    return SyntheticCase(f"case-{place + 1}", ", ".join([kind.title, *branches]), inputs, kind)


def _inputs(task: TaskSpec, place: int) -> Iterator[Input]:
    for item in task.inputs:
        each = item.one_of[place % len(item.one_of)] if isinstance(item, OneOf) else item
        # Not in step with the choices, of which most have two branches: else an input would come with one of them only.
        if each.required or place // 2 % 2 == 0:
            yield each


def write_cases(task: TaskSpec, root: Path, seed: int = 0) -> tuple[SyntheticCase, ...]:
    """Write a task's synthetic cases, without references, in the layout of its spec.

    Parameters
    ----------
    task
        The task spec.
    root
        The data folder.
    seed
        Of the noise; the same seed gives the same bytes.

    Raises
    ------
    RunDirectoryError, DiskFull
        The folder cannot be written to.
    """
    cases = synthetic_cases(task)
    with ThreadPoolExecutor(WRITING_THREADS) as pool:
        for done in [pool.submit(_write, task, root, case, each, seed) for case in cases for each in case.inputs]:
            done.result()
    return cases


def _write(task: TaskSpec, root: Path, case: SyntheticCase, each: Input, seed: int) -> None:
    place = root / task.files.folder / task.files.volume.replace("{case}", case.id).replace("{input}", each.name)
    stream = np.random.default_rng([seed, *case.id.encode(), *each.name.encode()])
    content = nifti(voxels(case.kind, stream), affine(case.kind))
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(gzip.compress(content, compresslevel=1, mtime=0) if place.name.endswith(".gz") else content)


def voxels(kind: Kind, stream: np.random.Generator) -> NDArray[np.generic]:
    """Return something like a head: an ellipsoid of waves with some noise, in no particular unit, on nothing.

    Returns
    -------
    ndarray
        Of the kind's shape and dtype.
    """
    if kind.dark:
        return np.zeros(kind.shape, kind.dtype)
    x, y, z = np.ix_(*(np.linspace(-1.2, 1.2, side, dtype=np.float32) for side in kind.shape))
    frequencies = stream.uniform(2, 5, 3).astype(np.float32)
    waves = np.cos(frequencies[0] * x) * np.cos(frequencies[1] * y + 1) * np.cos(frequencies[2] * z + 2)
    # Noise of whole steps: it costs a third to compress, and is as hard for a model.
    noise = stream.integers(-2, 3, kind.shape, dtype=np.int8)
    bright = np.float32(stream.uniform(200, 900)) * (1 + np.float32(0.3) * waves) + 8 * noise
    return np.where(x * x + y * y + z * z < 1, bright, np.float32(0)).astype(kind.dtype)


def affine(kind: Kind) -> NDArray[np.float64]:
    """Return where a kind's voxels lie: voxel indices to mm (RAS+), 4 × 4; the middle of the head is off centre."""
    turned = np.zeros((3, 3))
    for axis, (letter, side) in enumerate(zip(kind.towards, kind.spacing_mm, strict=True)):
        world, direction = AXES[letter]
        turned[world, axis] = direction * side
    cos, sin = np.cos(kind.tilt), np.sin(kind.tilt)
    tilt = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    placed = np.eye(4)
    placed[:3, :3] = tilt @ turned
    placed[:3, 3] = np.array(OFF_CENTRE_MM) - placed[:3, :3] @ ((np.array(kind.shape) - 1) / 2)
    return placed


def nifti(content: NDArray[np.generic], placed: NDArray[np.float64]) -> bytes:
    """Return a NIfTI-1 file, uncompressed."""
    written: bytes = nib.Nifti1Image(content, placed).to_bytes()  # type: ignore[no-untyped-call]
    return written
