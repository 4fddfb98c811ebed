"""The demo cohort: what is on disk is what `cohort.json` says, and the same whoever makes it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from examples.cohort.cases import roster
from examples.cohort.cohort import FULL_VALIDATION, NOTICE, CohortError, Request, make_cohort

aff2axcodes: Any = nib.aff2axcodes  # nibabel leaves these functions untyped
apply_affine: Any = nib.affines.apply_affine

ROOT = Path(__file__).resolve().parents[2]
REQUEST = Request(seed=7, validation=(10, 2, 1), finetuning=(1, 1, 9))
FOLDERS = {"validation": "fomo-task{}-val", "finetuning": "fomo-task{}"}


@dataclass(frozen=True)
class Case:
    """One case of the cohort as read back from disk."""

    truth: dict[str, Any]
    images: dict[str, Any]
    reference: Path

    def array(self, sequence: str) -> NDArray[np.float64]:
        """Return a volume as stored."""
        return np.asarray(self.images[sequence].dataobj, dtype=np.float64)

    @property
    def affine(self) -> NDArray[np.float64]:
        """Return the voxel-to-world matrix of the first volume."""
        return np.asarray(next(iter(self.images.values())).affine)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "cohort"
    make_cohort(root, REQUEST, processes=1)
    return root


@pytest.fixture(scope="module")
def cases(cohort: Path) -> list[Case]:
    load: Any = nib.load
    found = []
    for truth in json.loads((cohort / "cohort.json").read_text())["cases"]:
        task = cohort / truth["split"] / FOLDERS[truth["split"]].format(truth["task"])
        folder = task / "preprocessed" / truth["case"] / "ses_1"
        images = {path.name.removesuffix(".nii.gz"): load(path) for path in sorted(folder.iterdir())}
        (reference,) = (task / "labels" / truth["case"]).iterdir()
        found.append(Case(truth, images, reference))
    return found


def of_task(cases: list[Case], task: int) -> list[Case]:
    return [case for case in cases if case.truth["task"] == task]


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.cohort", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_each_task_has_its_sequences_and_reference(cases: list[Case]) -> None:
    fixed = {1: {"flair", "dwi_b1000", "adc"}, 2: {"flair", "dwi_b1000"}, 3: {"t1", "t2"}}
    for case in cases:
        task = case.truth["task"]
        susceptibility = set(case.images) - fixed[task]
        assert fixed[task] <= set(case.images)
        assert len(susceptibility & {"t2s", "swi"}) == len(susceptibility) == (0 if task == 3 else 1)
        assert case.reference.name == ("seg.nii.gz" if task == 2 else "label.txt")
    for task in (1, 2):
        assert {name for case in of_task(cases, task) for name in case.images} >= {"t2s", "swi"}


def test_counts_are_those_asked_for(cohort: Path, cases: list[Case]) -> None:
    for split, counts in {"validation": REQUEST.validation, "finetuning": REQUEST.finetuning}.items():
        for task, count in enumerate(counts, start=1):
            folder = cohort / split / FOLDERS[split].format(task)
            names = [f"sub_{i:03d}" for i in range(1, count + 1)]
            assert sorted(path.name for path in (folder / "preprocessed").iterdir()) == names
            assert sorted(path.name for path in (folder / "labels").iterdir()) == names
    assert sum(case.truth["reference"] == "1" for case in of_task(cases, 1)[:10]) == 5


def test_full_size_has_the_numbers_and_voxels_of_fomo25() -> None:
    request = Request(full=True, validation=FULL_VALIDATION)
    orders = request.orders()
    assert [sum(o.task == task and o.split == "validation" for o in orders) for task in (1, 2, 3)] == [320, 107, 800]
    assert [sum(o.task == task and o.split == "finetuning" for o in orders) for task in (1, 2, 3)] == [21, 23, 200]
    assert sum(order.spacing == (1.0, 1.0, 1.0) for order in orders) > len(orders) / 3


def test_files_do_not_depend_on_the_number_of_processes(cohort: Path, tmp_path: Path) -> None:
    make_cohort(tmp_path / "again", REQUEST, processes=2)
    first, second = files(cohort), files(tmp_path / "again")
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_another_seed_gives_other_files_and_no_two_volumes_are_alike(cohort: Path, tmp_path: Path) -> None:
    make_cohort(tmp_path / "other", Request(seed=8, validation=(0, 0, 1), finetuning=(0, 0, 0)))
    name = "validation/fomo-task3-val/preprocessed/sub_001/ses_1/t1.nii.gz"
    assert (tmp_path / "other" / name).read_bytes() != (cohort / name).read_bytes()
    volumes = [content for path, content in files(cohort).items() if path.endswith(".nii.gz")]
    assert len(set(volumes)) == len(volumes)


def test_gzip_headers_hold_neither_time_nor_name(cohort: Path) -> None:
    for path in cohort.rglob("*.nii.gz"):
        header = path.read_bytes()[:10]
        assert header[3] == 0, "flags: no file name, no comment"
        assert header[4:8] == bytes(4), "time"


def test_volumes_of_a_case_share_one_grid_and_one_brain(cases: list[Case]) -> None:
    for case in cases:
        brains = [case.array(sequence) > 0 for sequence in case.images]
        assert all(image.get_data_dtype() == np.int16 for image in case.images.values())
        assert all(np.array_equal(image.affine, case.affine) for image in case.images.values())
        assert all(np.array_equal(brain, brains[0]) for brain in brains)
        edges = [brains[0].take(end, axis=axis).any() for axis in range(3) for end in (0, -1)]
        assert not any(edges), "the field of view cuts the brain"


def test_headers_tell_spacing_and_orientation_and_the_brain_stays_in_place(cases: list[Case]) -> None:
    for case in cases:
        assert "".join(aff2axcodes(case.affine)) == case.truth["orientation"]
        np.testing.assert_allclose(np.linalg.norm(case.affine[:3, :3], axis=0), case.truth["spacing"])
        brain = next(iter(case.images.values()))
        middle = apply_affine(case.affine, np.argwhere(np.asarray(brain.dataobj) > 0).mean(axis=0))
        np.testing.assert_allclose(middle, [0, -18, 8], atol=12)


def test_default_cohort_has_thick_slices_and_stored_orders_other_than_ras() -> None:
    for split, task, count in [("validation", 1, 24), ("validation", 2, 12), ("validation", 3, 30)]:
        orders = roster(25, split, task, count, full=False)
        assert {"RAS", "LPS", "PIR", "LAS"} == {order.orientation for order in orders}
        assert (2.0, 2.0, 2.0) in {order.spacing for order in orders}
        assert max(max(order.spacing) for order in orders) == 5.0


def test_tumour_masks_are_the_truth_on_the_volumes_own_grid(cases: list[Case]) -> None:
    load: Any = nib.load
    for case in of_task(cases, 2):
        image = load(case.reference)
        mask = np.asarray(image.dataobj)
        assert image.get_data_dtype() == np.uint8
        assert np.array_equal(image.affine, case.affine)
        assert mask.shape == case.array("flair").shape
        assert set(np.unique(mask)) == {0, 1}
        volume_ml = mask.sum() * abs(np.linalg.det(case.affine[:3, :3])) / 1000
        assert volume_ml == pytest.approx(case.truth["lesion_ml"], abs=1e-3)
        assert ndimage.label(mask)[1] == 1
        brain = case.array("flair") > 0
        assert not (mask.astype(bool) & ~brain).any()
        around = ndimage.binary_dilation(mask, iterations=1) & ~mask.astype(bool) & brain
        assert np.median(case.array("flair")[mask == 1]) > np.median(case.array("flair")[around])


def near(case: Case, centre: tuple[float, float, float], radius: float) -> NDArray[np.bool_]:
    """Return which voxels of brain tissue lie within ``radius`` mm of a world position."""
    adc = case.array("adc")
    world = apply_affine(case.affine, np.indices(adc.shape).reshape(3, -1).T)
    distance = np.linalg.norm(world - np.asarray(centre), axis=1).reshape(adc.shape)
    return np.asarray((distance <= radius) & (adc > 0) & (adc < 1100))


def test_infarcts_are_bright_on_dwi_and_dark_on_adc_beside_the_other_hemisphere(cases: list[Case]) -> None:
    checked = 0
    for case in of_task(cases, 1):
        if case.truth["reference"] == "0":
            assert case.truth["finding"] == "none"
            assert case.truth["lesion_ml"] == 0
            continue
        x, y, z = case.truth["lesion_centre"]
        radius = max(4.0, 0.6 * (case.truth["lesion_ml"] * 1000 / 4.19) ** (1 / 3))
        if case.truth["finding"] == "scattered" or abs(x) < radius:
            continue  # the two places would overlap, or the lesion is of several parts
        lesion, other = near(case, (x, y, z), radius), near(case, (-x, y, z), radius)
        dwi, adc = case.array("dwi_b1000"), case.array("adc")
        assert np.median(dwi[lesion]) > 1.08 * np.median(dwi[other]), case.truth
        assert np.median(adc[lesion]) < 0.95 * np.median(adc[other]), case.truth
        checked += 1
    assert checked >= 3


def test_age_can_be_read_from_the_fluid(cases: list[Case]) -> None:
    ages, fluid = [], []
    for case in of_task(cases, 3):
        t1, t2 = case.array("t1"), case.array("t2")
        brain = t1 > 0
        is_fluid = (t2 > 1.4 * np.median(t2[brain])) & (t1 < 0.8 * np.median(t1[brain]))
        fluid.append(is_fluid.sum() / brain.sum())
        ages.append(float(case.reference.read_text()))
        assert 20 <= ages[-1] <= 90
    correlation = np.corrcoef(ages, fluid)[0, 1]
    assert 0.6 < correlation < 0.98


def test_nothing_but_the_references_and_cohort_json_gives_the_answer(cohort: Path, cases: list[Case]) -> None:
    allowed = {f"{name}.nii.gz" for name in ("t1", "t2", "flair", "dwi_b1000", "adc", "t2s", "swi")}
    assert {path.name for path in cohort.rglob("ses_1/*")} == allowed
    for case in cases:
        for image in case.images.values():
            assert image.header["descrip"].item() == image.header["aux_file"].item() == b""
            assert not image.header.extensions


def test_readme_and_truth_say_that_pathology_is_simulated(cohort: Path) -> None:
    assert "ALL pathology and ALL ages are simulated" in NOTICE
    readme = (cohort / "README.md").read_text()
    assert NOTICE in readme
    assert "Copyright (C) 1993-2004 Louis Collins" in readme
    assert json.loads((cohort / "cohort.json").read_text())["notice"] == NOTICE


def test_a_cohort_that_is_there_is_left_alone(cohort: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in cohort.rglob("*")}
    made = make_cohort(cohort, REQUEST)
    assert made.already_there
    assert before == {path: path.stat().st_mtime_ns for path in cohort.rglob("*")}


@pytest.mark.parametrize("foreign", ["notes.txt", "cohort.json"])
def test_a_foreign_folder_is_refused_in_one_sentence_and_not_touched(tmp_path: Path, foreign: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / foreign).write_text('["mine"]')
    result = run("--out", str(folder), "--cases", "1,0,0", "--finetuning", "0,0,0")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert files(folder) == {foreign: b'["mine"]'}
    assert list(tmp_path.iterdir()) == [folder]


def test_a_cohort_of_another_seed_or_lacking_a_file_is_refused(tmp_path: Path) -> None:
    small = Request(validation=(1, 0, 0), finetuning=(0, 0, 0))
    make_cohort(tmp_path / "cohort", small)
    with pytest.raises(CohortError, match="something other"):
        make_cohort(tmp_path / "cohort", Request(seed=26, validation=(1, 0, 0), finetuning=(0, 0, 0)))
    (tmp_path / "cohort/validation/fomo-task1-val/labels/sub_001/label.txt").unlink()
    with pytest.raises(CohortError, match=r"lacks validation/fomo-task1-val/labels/sub_001/label\.txt"):
        make_cohort(tmp_path / "cohort", small)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_stopped_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "examples.cohort", "--out", str(tmp_path / "cohort")]
    # A session of its own, as at a terminal: Ctrl-C reaches the workers too.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell has what it starts with '&' ignore SIGINT, and these tests may be started so.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not any(tmp_path.rglob("*.nii.gz")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert "nothing was left behind" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_wrong_counts_are_explained() -> None:
    result = run("--out", "unused", "--cases", "1,2")
    assert result.returncode == 2
    assert "three whole numbers such as 20,10,24" in result.stderr
