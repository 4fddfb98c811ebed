"""The layout on disk, and files that come out byte for byte the same."""

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from examples.cohort.anatomy import TEMPLATE_DIR
from examples.cohort.scanner import Stored

TEMPLATE_NOTICE = TEMPLATE_DIR / "COPYING"

nifti_image: Any = nib.Nifti1Image  # nibabel leaves it untyped
FOLDERS = {"validation": "fomo-task{task}-val", "finetuning": "fomo-task{task}"}


def task_dir(root: Path, split: str, task: int) -> Path:
    """Return the folder of one task of one split."""
    return root / split / FOLDERS[split].format(task=task)


def volume_path(root: Path, split: str, task: int, case: str, sequence: str) -> Path:
    """Return where a volume goes."""
    return task_dir(root, split, task) / "preprocessed" / case / "ses_1" / f"{sequence}.nii.gz"


def reference_path(root: Path, split: str, task: int, case: str) -> Path:
    """Return where a case's reference goes."""
    name = "seg.nii.gz" if task == 2 else "label.txt"
    return task_dir(root, split, task) / "labels" / case / name


def write_volume(path: Path, stored: Stored) -> None:
    """Write a NIfTI-1 file, gzip-compressed without the time or name that would make two runs differ."""
    image: Any = nifti_image(stored.array, stored.affine, dtype=stored.array.dtype)
    image.set_sform(stored.affine, code=1)
    image.set_qform(stored.affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Noise hardly compresses: level 1 is nearly as small as 9 and several times faster.
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def write_text(path: Path, text: str) -> None:
    """Write a small text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def mask_volume(mask: NDArray[np.bool_], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a uint8 volume that is 1 where a mask over the brain voxels is true."""
    volume = np.zeros(inside.shape, dtype=np.uint8)
    volume[inside] = mask
    return volume
