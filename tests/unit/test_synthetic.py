"""The cases that validate makes up from a task spec."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from harness.datasets import grids, images
from harness.datasets.index import index_cases
from harness.specs import task as specs
from harness.specs.challenge import Challenge
from harness.specs.task import Input, TaskSpec
from harness.validation.synthetic import KINDS, affine, nifti, synthetic_cases, voxels, write_cases

TASKS = ("infarct", "meningioma", "brain_age")
MOST_BYTES = 16 << 20


@pytest.fixture(scope="module")
def written(fomo25: Challenge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tasks' cases in one folder."""
    folder = tmp_path_factory.mktemp("synthetic")
    for task in fomo25.tasks:
        write_cases(task, folder)
    return folder


def with_inputs(task: TaskSpec, *inputs: Input | specs.OneOf) -> TaskSpec:
    return task.model_copy(update={"inputs": inputs})


def made_of(number: int, prefix: str) -> specs.OneOf:
    return specs.OneOf(one_of=tuple(Input(name=f"{prefix}{n}", flag=f"--{prefix}{n}") for n in range(number)))


@pytest.mark.parametrize("name", TASKS)
def test_the_projects_own_index_accepts_them_without_references(name: str, written: Path, fomo25: Challenge) -> None:
    task = fomo25.task(name)
    found = index_cases(task, written, with_references=False)
    made = synthetic_cases(task)
    assert [case.id for case in found] == [case.id for case in made]
    assert [tuple(case.volumes) for case in found] == [tuple(each.name for each in case.inputs) for case in made]
    assert sum(volume.bytes for case in found for volume in case.volumes.values()) < MOST_BYTES


@pytest.mark.parametrize("number", [2, 3, 5, 9])
def test_every_branch_of_every_choice_comes_up(number: int, fomo25: Challenge) -> None:
    task = with_inputs(fomo25.task("infarct"), made_of(number, "a"), made_of(2, "b"))
    cases = synthetic_cases(task)
    assert {each.name for case in cases for each in case.inputs} == {each.name for each in task.all_inputs}
    assert all(len(case.inputs) == 2 for case in cases)


def test_an_input_that_may_be_missing_is_there_and_is_not_with_each_branch(fomo25: Challenge) -> None:
    optional = Input(name="extra", flag="--extra", required=False)
    cases = synthetic_cases(with_inputs(fomo25.task("infarct"), made_of(2, "a"), optional))
    seen = {(case.inputs[0].name, optional in case.inputs) for case in cases}
    assert seen == {("a0", True), ("a0", False), ("a1", True), ("a1", False)}


def test_they_hold_what_a_model_must_put_up_with(written: Path, fomo25: Challenge) -> None:
    task = fomo25.task("meningioma")
    headers, dark = [], []
    for case in index_cases(task, written, with_references=False):
        path = written / next(iter(case.volumes.values())).path
        headers.append(images.read_header(path))
        dark.append(not images.read_voxels(path, headers[-1]).any())
    assert any(all(side % 2 for side in header.grid.shape) for header in headers)
    assert any(max(header.grid.spacing_mm) > 3 * min(header.grid.spacing_mm) for header in headers)
    codes = [nib.orientations.aff2axcodes(header.grid.affine) for header in headers]  # type: ignore[no-untyped-call]
    assert len({tuple(sorted(code)) for code in codes}) > 1
    assert any(code != ("R", "A", "S") for code in codes)
    assert any(np.count_nonzero(header.grid.affine[:3, :3]) > 3 for header in headers)
    assert max(np.prod(header.grid.shape) for header in headers) > 9e6
    assert sum(dark) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_no_grid_is_its_own_mirror_image(kind: object) -> None:
    [same] = [each for each in KINDS if each is kind]
    placed = affine(same)
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0]) @ placed
    one, other = (grids.Grid(same.shape, each) for each in (placed, mirrored))
    assert grids.reorientation(one, other) is None


def test_the_same_seed_gives_the_same_bytes(written: Path, fomo25: Challenge, tmp_path: Path) -> None:
    task = fomo25.task("brain_age")
    for seed, folder in ((0, "same"), (1, "another")):
        write_cases(task, tmp_path / folder, seed)
    before, same, another = (
        [volume.sha256 for case in index_cases(task, root, with_references=False) for volume in case.volumes.values()]
        for root in (written, tmp_path / "same", tmp_path / "another")
    )
    assert before == same
    assert before != another


def test_inputs_of_a_case_differ() -> None:
    stream = np.random.default_rng(0)
    first, second = (nifti(voxels(KINDS[0], stream), affine(KINDS[0])) for _ in range(2))
    assert first != second
