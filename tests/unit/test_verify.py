"""Judging predictions: every refusal code is reachable, and what is unusual but right is accepted with a note."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.engines.outcome import Ending, Outcome, Refusal
from harness.execution.verify import verify
from harness.specs.challenge import Challenge
from tests.support.datasets import first_case, shifted, write_tiny_data
from tests.support.volumes import SHAPE, mask, nifti_bytes, oblique, voxels, with_header_field, write_volume


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("data"), fomo25, ("case_1",))


Judge = Callable[[str, Path], Outcome]


@pytest.fixture
def judge(root: Path, fomo25: Challenge) -> Judge:
    def judged(name: str, prediction: Path) -> Outcome:
        task = fomo25.task(name)
        return verify(task, first_case(root, task), prediction, root=root)

    return judged


NUMBERS: list[tuple[str, bytes, Refusal | None, str]] = [
    ("infarct", b"0.25\n", None, ""),
    ("infarct", b"0", None, ""),
    ("infarct", b"1", None, ""),
    ("infarct", b"-0.0", None, ""),
    ("infarct", b"1.0000001", Refusal.OUT_OF_RANGE, "1 is above 1 (probability of an infarct)"),
    ("infarct", b"87.5", Refusal.OUT_OF_RANGE, "87.5 is above 1 (probability of an infarct)"),
    ("infarct", b"-0.25", Refusal.OUT_OF_RANGE, "-0.25 is below 0 (probability of an infarct)"),
    ("infarct", b"nan", Refusal.NOT_FINITE, "must hold one finite number (probability of an infarct); it is 'nan'"),
    ("infarct", b"1e999", Refusal.NOT_FINITE, "it is too large for a float"),
    (
        "infarct",
        b"",
        Refusal.NOT_ONE_NUMBER,
        "prediction.txt must hold one number (probability of an infarct); it is empty",
    ),
    ("infarct", b"0.1 0.9", Refusal.NOT_ONE_NUMBER, "it holds 2 words"),
    ("infarct", b"\xff\xfe0", Refusal.NOT_ONE_NUMBER, "it is not UTF-8 text"),
    ("infarct", b"0" * 10_000, Refusal.NOT_ONE_NUMBER, "it is longer than 4096 bytes"),
    ("brain_age", b"-12.5", None, ""),
    ("brain_age", b"1e6", None, ""),
    ("brain_age", b"inf", Refusal.NOT_FINITE, "it is 'inf'"),
]


@pytest.mark.parametrize(("name", "content", "refusal", "detail"), NUMBERS, ids=range(len(NUMBERS)))
def test_a_number(
    tmp_path: Path, judge: Judge, name: str, content: bytes, refusal: Refusal | None, detail: str
) -> None:
    (tmp_path / "prediction.txt").write_bytes(content)
    outcome = judge(name, tmp_path / "prediction.txt")
    assert outcome.ending is (Ending.OK if refusal is None else Ending.INVALID_OUTPUT)
    assert outcome.refusal is refusal
    assert detail in outcome.detail


def scaled(slope: float) -> bytes:
    return with_header_field(nifti_bytes(mask() * 51), "scl_slope", slope)


def under_integer_header() -> bytes:
    """A float mask saved with the header of an int16 input: nibabel then stores it scaled."""
    header: Any = nib.Nifti1Header()  # type: ignore[no-untyped-call]
    header.set_data_dtype("i2")
    content = nib.Nifti1Image(mask().astype("f8"), oblique(), header).to_bytes()  # type: ignore[no-untyped-call]
    assert nib.Nifti1Header(content[:348]).get_slope_inter() != (1.0, 0.0)  # type: ignore[no-untyped-call]
    return bytes(content)


def reoriented(codes: str) -> bytes:
    image = nib.Nifti1Image(mask(), oblique())  # type: ignore[no-untyped-call]
    turned: Any = image.as_reoriented(nib.orientations.axcodes2ornt(codes))  # type: ignore[no-untyped-call]
    return bytes(turned.to_bytes())


ACCEPTED: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "a mask": (lambda: nifti_bytes(mask()), ()),
    "an empty mask": (lambda: nifti_bytes(np.zeros(SHAPE, np.uint8)), ()),
    "a full mask": (lambda: nifti_bytes(np.ones(SHAPE, np.uint8)), ()),
    "signed integers": (lambda: nifti_bytes(mask().astype("i2")), ()),
    "floats": (lambda: nifti_bytes(mask().astype("f4")), ("the mask is stored as floating-point numbers",)),
    "0 and 255": (lambda: nifti_bytes(mask() * 255), ("foreground is 255, not 1",)),
    "scaled to 0 and 1": (lambda: scaled(1 / 51), ()),
    "probabilities of 0 and 1 under an integer header": (under_integer_header, ()),
    "a fourth axis": (
        lambda: nifti_bytes(mask()[..., None]),
        ("the mask is stored with a trailing axis of length one",),
    ),
    "another orientation": (
        lambda: reoriented("LPS"),
        ("the mask is stored in another orientation than the input; the points are the same",),
    ),
    "everything at once": (
        lambda: nifti_bytes(mask()[::-1, ..., None] * np.float32(255), flipped()),
        (
            "the mask is stored with a trailing axis of length one",
            "the mask is stored as floating-point numbers",
            "foreground is 255, not 1",
            "the mask is stored in another orientation than the input; the points are the same",
        ),
    ),
}


def flipped() -> NDArray[np.float64]:
    """The affine of an array stored against its first axis."""
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = SHAPE[0] - 1
    return np.asarray(oblique() @ flip)


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_mask_that_is_accepted_and_its_notes(tmp_path: Path, judge: Judge, name: str, compressed: bool) -> None:
    make, notes = ACCEPTED[name]
    path = tmp_path / "prediction.nii.gz"
    path.write_bytes(gzip.compress(make()) if compressed else make())
    outcome = judge("meningioma", path)
    assert (outcome.ending, outcome.detail) == (Ending.OK, "")
    assert outcome.notes == notes


def probabilities() -> bytes:
    return nifti_bytes(np.linspace(0, 1, mask().size, dtype="f4").reshape(SHAPE))


def with_nan() -> bytes:
    content = mask().astype("f4")
    content[0, 0, 0] = np.nan
    return nifti_bytes(content)


REFUSED: dict[str, tuple[Callable[[], bytes], Refusal, str]] = {
    "text": (lambda: b"no image " * 99, Refusal.NOT_NIFTI, "prediction.nii.gz: it has no readable NIfTI header"),
    "empty": (lambda: b"", Refusal.NOT_NIFTI, "prediction.nii.gz: the file is empty"),
    "cut": (lambda: nifti_bytes(mask())[:-10], Refusal.NOT_NIFTI, "its voxel data end after"),
    "cut, compressed": (lambda: gzip.compress(nifti_bytes(mask()))[:-4], Refusal.NOT_NIFTI, "damaged or end early"),
    "2-D": (lambda: nifti_bytes(mask()[0]), Refusal.NOT_NIFTI, "it has 2 dimensions, not three"),
    "affine nan": (
        lambda: with_header_field(nifti_bytes(mask()), "srow_x", (np.nan, 0, 0, 0)),
        Refusal.NOT_NIFTI,
        "its affine is not finite",
    ),
    "complex": (lambda: nifti_bytes(mask().astype("c8")), Refusal.WRONG_TYPE, "of type complex64, not plain numbers"),
    "cropped": (
        lambda: nifti_bytes(mask()[1:]),
        Refusal.WRONG_GRID,
        "prediction.nii.gz has shape 5 × 7 × 8 where the input has 6 × 7 × 8",
    ),
    "shifted": (
        lambda: nifti_bytes(mask(), shifted(oblique(), 4.5)),
        Refusal.WRONG_GRID,
        "has the shape of the input, but an affine that puts its corners up to 4.5 mm elsewhere",
    ),
    "no affine": (lambda: nifti_bytes(mask(), np.eye(4)), Refusal.WRONG_GRID, "mm elsewhere"),
    "nan": (with_nan, Refusal.NOT_FINITE, "holds voxels that are not finite"),
    "overflow": (
        lambda: with_header_field(nifti_bytes(mask() * 1e300), "scl_slope", 1e38),
        Refusal.NOT_FINITE,
        "holds voxels that are not finite",
    ),
    "probabilities": (probabilities, Refusal.NOT_BINARY, "holds the values 0, "),
    "three classes": (
        lambda: nifti_bytes(mask() + mask(SHAPE) * (voxels() > 100).astype("u1")),
        Refusal.NOT_BINARY,
        "prediction.nii.gz holds the values 0, 1, 2, not 0 and 1",
    ),
    "negative": (lambda: nifti_bytes(mask().astype("i2") * -1), Refusal.NOT_BINARY, "the values -1, 0, not"),
    "one half": (lambda: nifti_bytes(mask() * np.float32(0.5)), Refusal.NOT_BINARY, "the values 0, 0.5, not 0 and 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mask_that_is_refused_and_why(tmp_path: Path, judge: Judge, name: str) -> None:
    make, refusal, detail = REFUSED[name]
    path = tmp_path / "prediction.nii.gz"
    path.write_bytes(make())
    outcome = judge("meningioma", path)
    assert (outcome.ending, outcome.refusal) == (Ending.INVALID_OUTPUT, refusal)
    assert detail in outcome.detail
    assert outcome.detail.isprintable()


def test_many_values_are_told_by_the_first_few(tmp_path: Path, judge: Judge) -> None:
    path = tmp_path / "prediction.nii.gz"
    path.write_bytes(probabilities())
    said = judge("meningioma", path).detail
    assert said.endswith(", …, not 0 and 1")
    assert said.count(",") == 7


def test_every_refusal_that_verifying_can_give_is_shown_here() -> None:
    shown = {refusal for _, refusal, _ in REFUSED.values()} | {refusal for _, _, refusal, _ in NUMBERS}
    of_collecting = {Refusal.NOT_A_FILE, Refusal.TOO_LARGE, Refusal.UNREADABLE}
    of_several_structures = {Refusal.UNKNOWN_STRUCTURE}  # see test_structures.py
    assert shown - {None} == set(Refusal) - of_collecting - of_several_structures


def test_a_mask_on_a_written_volume_is_on_its_grid(tmp_path: Path, judge: Judge) -> None:
    """The affine of an input as nibabel gives it back, with its rounding, is the input's grid."""
    affine: Any = nib.load(write_volume(tmp_path / "again.nii.gz", voxels())).affine  # type: ignore[attr-defined]
    assert judge("meningioma", write_volume(tmp_path / "prediction.nii.gz", mask(), affine)).ending is Ending.OK
