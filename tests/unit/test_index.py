"""Finding cases on disk: complete cases are found, and every fault of a data folder is told before anything runs."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.datasets.case import Case, Volume
from harness.datasets.index import index_cases
from harness.errors import DatasetError
from harness.specs.challenge import Challenge
from harness.specs.task import TaskSpec
from tests.support.cohorts import REPOSITORY
from tests.support.datasets import (
    CASES,
    reference_of,
    shifted,
    volume_of,
    write_inputs,
    write_text,
    write_tiny_data,
)
from tests.support.specs import one_line
from tests.support.volumes import SHAPE, oblique, voxels, write_volume


@pytest.fixture
def infarct(fomo25: Challenge) -> TaskSpec:
    return fomo25.task("infarct")


@pytest.fixture
def meningioma(fomo25: Challenge) -> TaskSpec:
    return fomo25.task("meningioma")


@pytest.fixture
def root(tmp_path: Path, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path / "data", fomo25)


def refusal(task: TaskSpec, root: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        index_cases(task, root)
    return one_line(caught.value)


def test_every_case_with_a_reference_is_found_in_order(root: Path, infarct: TaskSpec) -> None:
    cases = index_cases(infarct, root)
    assert [case.id for case in cases] == list(CASES)
    assert list(cases[0].volumes) == ["flair", "dwi_b1000", "adc", "t2s"]
    volume = cases[0].volumes["adc"]
    assert root / volume.path == volume_of(root, infarct, "case_1", "adc")
    assert volume.bytes == (root / volume.path).stat().st_size


def test_the_second_choice_of_an_input_will_do(root: Path, infarct: TaskSpec) -> None:
    first = volume_of(root, infarct, "case_1", "t2s")
    first.rename(volume_of(root, infarct, "case_1", "swi"))
    assert "swi" in index_cases(infarct, root)[0].volumes


def test_where_both_choices_are_there_the_first_is_passed(root: Path, infarct: TaskSpec) -> None:
    write_volume(volume_of(root, infarct, "case_1", "swi"), voxels(9))
    assert list(index_cases(infarct, root)[0].volumes) == ["flair", "dwi_b1000", "adc", "t2s"]


def test_where_neither_choice_is_there_both_are_named(root: Path, infarct: TaskSpec) -> None:
    path = volume_of(root, infarct, "case_2", "t2s")
    path.unlink()
    assert refusal(infarct, root) == (
        f"{path} or swi.nii.gz: the volume is not there, but the case has a reference. "
        "Add the volume, or move the case's reference out of the data folder."
    )


def test_a_task_folder_that_is_missing(tmp_path: Path, infarct: TaskSpec) -> None:
    said = refusal(infarct, tmp_path)
    assert said.startswith(f"{tmp_path / 'fomo-task1-val'}: the data folder of infarct is not there.")
    assert "--data" in said


def test_volumes_without_any_reference(root: Path, infarct: TaskSpec) -> None:
    shutil.rmtree(root / infarct.files.folder / "labels")
    said = refusal(infarct, root)
    assert said.startswith(
        f"{root / infarct.files.folder}: no reference of infarct matches 'labels/{{case}}/label.txt'."
    )
    assert "add them, or correct files.reference in the task spec" in said


def test_a_case_with_volumes_and_no_reference(root: Path, infarct: TaskSpec) -> None:
    path = reference_of(root, infarct, "case_2")
    path.unlink()
    assert refusal(infarct, root) == (
        f"{path}: the case has volumes and no reference. Add the reference or move the case out."
    )


def test_many_cases_without_reference_are_counted(root: Path, infarct: TaskSpec) -> None:
    for case in CASES[1:]:
        reference_of(root, infarct, case).unlink()
    assert "(2 cases of infarct have none)" in refusal(infarct, root)


def test_a_case_with_a_reference_and_no_volumes(root: Path, infarct: TaskSpec) -> None:
    write_text(reference_of(root, infarct, "case_9"), "1")
    said = refusal(infarct, root)
    assert said.startswith(f"{volume_of(root, infarct, 'case_9', 'flair')}: the volume is not there, but the case has")


def test_a_volume_that_is_a_folder_is_not_there(root: Path, infarct: TaskSpec) -> None:
    path = volume_of(root, infarct, "case_1", "adc")
    path.unlink()
    path.mkdir()
    assert f"{path}: the volume is not there" in refusal(infarct, root)


def a_nan(path: Path) -> None:
    content = voxels()
    content[0, 0, 0] = np.nan
    write_volume(path, content)


def a_wrong_byte(path: Path) -> None:
    stored = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), 0))
    stored[-200] ^= 1
    path.write_bytes(stored)


def a_broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "the volume is unusable: the file is empty"),
    "text": (lambda path: path.write_text("not an image"), "unusable: it is shorter than a NIfTI header"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-300]), "unusable: its"),
    "a wrong byte": (a_wrong_byte, "unusable: its"),
    "not finite": (a_nan, "unusable: it holds voxels that are not finite"),
    "four-dimensional": (lambda path: write_volume(path, np.zeros((4, 4, 4, 3))), "unusable: it has 4 dimensions"),
    "complex": (lambda path: write_volume(path, voxels().astype(np.complex64)), "not plain numbers"),
    "a broken link": (a_broken_link, "the volume is not there"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_volume_that_cannot_be_used(root: Path, infarct: TaskSpec, name: str) -> None:
    spoil, why = FAULTS[name]
    path = volume_of(root, infarct, "case_3", "dwi_b1000")
    spoil(path)
    said = refusal(infarct, root)
    assert said.startswith(f"{path}: ")
    assert why in said
    assert "move the case" in said


def test_a_segmentation_case_needs_one_grid(root: Path, meningioma: TaskSpec) -> None:
    path = volume_of(root, meningioma, "case_2", "dwi_b1000")
    write_volume(path, voxels(), shifted(oblique(), 3.0))
    said = refusal(meningioma, root)
    assert said.startswith(
        f"{path}: is not on the grid of flair.nii.gz (the shape of the input, but an affine that puts"
    )
    assert "up to 3 mm elsewhere" in said
    assert "resample" in said


def test_a_segmentation_case_needs_one_order_of_axes(root: Path, meningioma: TaskSpec) -> None:
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = SHAPE[0] - 1
    write_volume(volume_of(root, meningioma, "case_2", "t2s"), voxels()[::-1], oblique() @ flip)
    assert "is not on the grid of flair.nii.gz" in refusal(meningioma, root)


def test_a_classification_case_may_have_many_grids(root: Path, infarct: TaskSpec) -> None:
    write_volume(volume_of(root, infarct, "case_2", "dwi_b1000"), voxels(shape=(3, 4, 5)), np.eye(4))
    assert len(index_cases(infarct, root)) == 3


@pytest.mark.parametrize("case", ["a b", "-x", "é", "x" * 65, "line\nbreak", "trailing\n", "a'b"])
def test_a_folder_that_cannot_be_a_case_id(root: Path, infarct: TaskSpec, case: str) -> None:
    write_inputs(root, infarct, case)
    write_text(reference_of(root, infarct, case), "1")
    assert "cannot be a case id. Use letters, digits" in refusal(infarct, root)


def test_hidden_folders_are_no_cases(root: Path, infarct: TaskSpec) -> None:
    write_text(reference_of(root, infarct, ".trash"), "1")
    assert [case.id for case in index_cases(infarct, root)] == list(CASES)


def volumes_by_path(cases: tuple[Case, ...]) -> dict[Path, Volume]:
    return {volume.path: volume for case in cases for volume in case.volumes.values()}


def test_a_known_volume_is_read_again_only_when_its_size_or_time_changed(root: Path, infarct: TaskSpec) -> None:
    path = volume_of(root, infarct, "case_1", "adc")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 0))
    known = volumes_by_path(index_cases(infarct, root))
    before = path.stat()
    # Other voxels, the same size and time: only a reader of the content could tell.
    other = write_volume(path.with_name("other.nii"), voxels(99))
    path.write_bytes(gzip.compress(other.read_bytes(), 0))
    other.unlink()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert volumes_by_path(index_cases(infarct, root, known=known)) == known
    os.utime(path)
    again = volumes_by_path(index_cases(infarct, root, known=known))
    changed = [each for each in known if again[each].sha256 != known[each].sha256]
    assert changed == [path.relative_to(root)]
    assert again == volumes_by_path(index_cases(infarct, root))


def test_a_known_volume_that_was_touched_is_checked_again(root: Path, infarct: TaskSpec) -> None:
    known = volumes_by_path(index_cases(infarct, root))
    path = volume_of(root, infarct, "case_1", "adc")
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match="the file is empty"):
        index_cases(infarct, root, known=known)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from harness.datasets.index import index_cases
from harness.errors import DatasetError
from harness.specs.loading import load_challenge
task = load_challenge("fomo25").task("infarct")
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    index_cases(task, Path(sys.argv[1]))
except DatasetError as fault:
    print(fault)
"""


@pytest.mark.parametrize("closed", ["volume", "folder"])
def test_what_may_not_be_read_is_told_to_a_harness_that_is_not_root(fomo25: Challenge, closed: str) -> None:
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)  # tmp_path lies below folders that only its owner may enter
        root = write_tiny_data(Path(above) / "data", fomo25)
        path = volume_of(root, fomo25.task("infarct"), "case_2", "flair")
        (path if closed == "volume" else path.parent).chmod(0o000)
        command = [sys.executable, "-c", UNPRIVILEGED, str(root)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
        path.parent.chmod(0o755)
    assert ended.stderr == ""
    assert ended.stdout.startswith(f"{path}: ")
    assert "cannot be read (Permission denied)" in ended.stdout


def test_cases_can_be_found_without_references(root: Path, infarct: TaskSpec) -> None:
    with_references = index_cases(infarct, root)
    for case in CASES:
        reference_of(root, infarct, case).unlink()
    assert index_cases(infarct, root, with_references=False) == with_references
