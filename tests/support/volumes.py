"""NIfTI files for tests, good and bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

SHAPE = (6, 7, 8)
HEADER_BYTES = 352
"""A NIfTI-1 header with its extension flag."""


def oblique(spacing: tuple[float, float, float] = (0.9, 1.1, 2.5)) -> NDArray[np.float64]:
    """Return an affine of a tilted head: no axis of the array is parallel to one of the scanner's."""
    affine = np.eye(4)
    for first, second, angle in ((0, 1, 0.3), (1, 2, -0.2), (0, 2, 0.15)):
        turn = np.eye(4)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        affine = affine @ turn
    affine = affine @ np.diag([*spacing, 1.0])
    affine[:3, 3] = (-71.5, -88.25, -40.125)
    return affine


def voxels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> NDArray[np.float32]:
    """Return noise."""
    return np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)


def mask(shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    """Return a small block of ones."""
    content = np.zeros(shape, np.uint8)
    content[1:3, 2:5, 3:6] = 1
    return content


def write_volume(path: Path, content: NDArray[Any], affine: NDArray[np.float64] | None = None) -> Path:
    """Write an array as NIfTI, compressed where the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(content, oblique() if affine is None else affine), path)  # type: ignore[no-untyped-call]
    return path


def nifti_bytes(content: NDArray[Any], affine: NDArray[np.float64] | None = None) -> bytes:
    """Return an uncompressed NIfTI file."""
    written: bytes = nib.Nifti1Image(content, oblique() if affine is None else affine).to_bytes()  # type: ignore[no-untyped-call]
    return written


def with_header_field(content: bytes, field: str, value: Any) -> bytes:
    """Return a NIfTI file with one field of its header set, however little sense it makes."""
    header: Any = nib.Nifti1Header(content[: HEADER_BYTES - 4], check=False)  # type: ignore[no-untyped-call]
    header.structarr[field] = value
    return bytes(header.binaryblock) + content[HEADER_BYTES - 4 :]
