"""References: each one that cannot be scored against is told, with its file, before anything runs."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from harness.datasets import references
from harness.datasets.index import index_cases
from harness.errors import DatasetError
from harness.specs.challenge import Challenge
from harness.specs.task import TaskSpec
from tests.support.datasets import reference_of, shifted, write_tiny_data
from tests.support.specs import one_line
from tests.support.volumes import SHAPE, mask, nifti_bytes, oblique, with_header_field, write_volume


@pytest.fixture
def root(tmp_path: Path, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path / "data", fomo25)


def refusal(task: TaskSpec, root: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        references.check(task, root, index_cases(task, root))
    said = one_line(caught.value)
    assert said.startswith(f"{reference_of(root, task, 'case_2')}: the reference is unusable: ")
    assert said.endswith("Correct it, or move the case out.")
    return said


def test_good_references_pass(root: Path, fomo25: Challenge) -> None:
    for task in fomo25.tasks:
        references.check(task, root, index_cases(task, root))


BAD_NUMBERS = [
    ("infarct", b"", "it is empty"),
    ("infarct", b"0 1", "it holds 2 words"),
    ("infarct", b"yes", "something else than a number"),
    ("infarct", b"nan", "it is 'nan'"),
    ("infarct", b"inf", "it is 'inf'"),
    ("infarct", b"2", "it holds 2, not one of 0, 1"),
    ("infarct", b"0.5", "it holds 0.5, not one of 0, 1"),
    ("infarct", b"-1", "it holds -1, not one of 0, 1"),
    ("infarct", "1".encode("utf-16"), "it is not UTF-8 text"),
    ("brain_age", b"-3", "it holds -3, outside 0 to 100"),
    ("brain_age", b"412", "it holds 412, outside 0 to 100"),
    ("brain_age", b"45 years", "it holds 2 words"),
    ("brain_age", b"1" * 5000, "it is longer than 4096 bytes"),
]


@pytest.mark.parametrize(("name", "content", "why"), BAD_NUMBERS, ids=range(len(BAD_NUMBERS)))
def test_a_number_that_cannot_be_a_reference(
    root: Path, fomo25: Challenge, name: str, content: bytes, why: str
) -> None:
    task = fomo25.task(name)
    reference_of(root, task, "case_2").write_bytes(content)
    assert why in refusal(task, root)


def test_a_reference_that_is_a_folder(root: Path, fomo25: Challenge) -> None:
    path = reference_of(root, fomo25.task("infarct"), "case_2")
    path.unlink()
    path.mkdir()
    assert "it cannot be read (Is a directory)" in refusal(fomo25.task("infarct"), root)


def test_numbers_are_loaded_exactly(root: Path, fomo25: Challenge) -> None:
    assert references.load_scalar(fomo25.task("brain_age"), root, "case_3") == 78.25


def values(*of: float, kind: str = "f4") -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        content = np.zeros(SHAPE, kind)
        content.ravel()[: len(of)] = of
        write_volume(path, content)

    return spoil


def zooms_of_three_mm(path: Path) -> None:
    content = with_header_field(nifti_bytes(mask()), "pixdim", (1, 3, 3, 3, 0, 0, 0, 0))
    path.write_bytes(gzip.compress(content))


BAD_MASKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "two": (values(2, kind="u1"), "its values are 0, 2, not 0 and 1"),
    "many": (values(1, 2, 3, 4, 5, 6, 7, 8, kind="u1"), "its values are 0, 1, 2, 3, 4, 5"),
    "negative": (values(-1, kind="i2"), "its values are -1, 0, not 0 and 1"),
    "soft": (values(0.5, 1), "its values are 0, 0.5, 1, not 0 and 1"),
    "nan": (values(np.nan), "its values are 0, nan, not 0 and 1"),
    "empty file": (lambda path: path.write_bytes(b""), "the file is empty"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-20]), "damaged"),
    "four-dimensional": (lambda path: write_volume(path, np.zeros((*SHAPE, 2))), "it has 4 dimensions, not three"),
    "cropped": (
        lambda path: write_volume(path, mask()[:-1]),
        "it is not on the grid of flair.nii.gz: it has shape 5 × 7 × 8 where the input has 6 × 7 × 8",
    ),
    "shifted": (
        lambda path: write_volume(path, mask(), shifted(oblique(), 2.0)),
        "it is not on the grid of flair.nii.gz: it has the shape of the input, but an affine that puts its corners "
        "up to 2 mm elsewhere",
    ),
    "zooms": (zooms_of_three_mm, "its header gives voxel sizes 2.1 mm away from those of its affine"),
}


@pytest.mark.parametrize("name", BAD_MASKS)
def test_a_mask_that_cannot_be_a_reference(root: Path, fomo25: Challenge, name: str) -> None:
    task = fomo25.task("meningioma")
    spoil, why = BAD_MASKS[name]
    spoil(reference_of(root, task, "case_2"))
    assert why in refusal(task, root)


def test_an_empty_mask_is_a_reference(root: Path, fomo25: Challenge) -> None:
    task = fomo25.task("meningioma")
    write_volume(reference_of(root, task, "case_2"), np.zeros(SHAPE, np.uint8))
    references.check(task, root, index_cases(task, root))
    (region,) = references.load_mask(task, root, "case_2").regions.values()
    assert not region.any()


def test_a_mask_stored_in_another_orientation_is_on_the_grid(root: Path, fomo25: Challenge) -> None:
    task = fomo25.task("meningioma")
    path = reference_of(root, task, "case_2")
    image = nib.Nifti1Image(mask(), oblique())  # type: ignore[no-untyped-call]
    turn = nib.orientations.axcodes2ornt("LPS")  # type: ignore[no-untyped-call]
    nib.save(image.as_reoriented(turn), path)  # type: ignore[no-untyped-call]
    references.check(task, root, index_cases(task, root))
