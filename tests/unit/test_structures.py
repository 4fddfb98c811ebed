"""Masks of several structures: what is accepted, and what each structure and their mean are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.commands.challenges import checked_challenge
from harness.datasets import references
from harness.engines.engine import RunResult
from harness.engines.outcome import Ending, Refusal
from harness.errors import DatasetError
from harness.execution.verify import verify
from harness.metrics.overlap import dice
from harness.metrics.parameters import MetricParameters, NsdParameters
from harness.metrics.surface import nsd
from harness.scoring.score import score
from harness.scoring.scores import EntryScore, Scored
from harness.specs.challenge import Challenge
from harness.specs.task import TaskSpec
from tests.support.datasets import first_case, reference_of, write_inputs
from tests.support.fake_runs import Answer, answering, carried_out
from tests.support.plans import all_cases, make_plan, submission
from tests.support.specs import edited_challenge, one_line, refusal_of
from tests.support.volumes import SHAPE, nifti_bytes, oblique, write_volume

NERVE, VESSELS = 1, 2
Codes = NDArray[np.uint8]


def codes(*blocks: tuple[int, slice]) -> Codes:
    content = np.zeros(SHAPE, np.uint8)
    for code, where in blocks:
        content[where, 2:5, 3:6] = code
    return content


TRUTH = codes((NERVE, slice(1, 3)), (VESSELS, slice(4, 6)))


@pytest.fixture(scope="module")
def fomo26() -> Challenge:
    return checked_challenge("fomo26")


@pytest.fixture
def task(fomo26: Challenge) -> TaskSpec:
    return fomo26.task("trigeminal_neuralgia")


@pytest.fixture
def root(task: TaskSpec, tmp_path: Path) -> Path:
    for place, case in enumerate(("case_1", "case_2")):
        write_inputs(tmp_path, task, case, seed=place)
        write_volume(reference_of(tmp_path, task, case), TRUTH)
    return tmp_path


def scored(challenge: Challenge, root: Path, answers: dict[str, Answer]) -> EntryScore:
    cases = all_cases(challenge, root, "trigeminal_neuralgia")
    plan = make_plan(challenge, cases, submission("alpha", "trigeminal_neuralgia"))
    store = carried_out(plan, root, root / "run", {"alpha:1": answering(cases, lambda _, case: answers[case])})
    (entry,) = score(plan, store, root).entries
    return entry


def test_each_structure_has_its_values_and_the_case_their_mean(fomo26: Challenge, root: Path) -> None:
    predicted = codes((NERVE, slice(1, 3)), (VESSELS, slice(3, 5)))
    entry = scored(fomo26, root, {"case_1": nifti_bytes(predicted), "case_2": nifti_bytes(TRUTH)})
    first, second = entry.case_scores
    spacing = (0.9, 1.1, 2.5)
    half = dice(TRUTH == VESSELS, predicted == VESSELS, spacing, MetricParameters())
    near = nsd(TRUTH == VESSELS, predicted == VESSELS, spacing, NsdParameters(tolerance_mm=1.0))
    assert half == 0.5
    assert first.structures == {
        "trigeminal_nerve": {"dice": 1.0, "nsd": 1.0},
        "vessels": {"dice": 0.5, "nsd": pytest.approx(near)},
    }
    assert first.values == {"dice": 0.75, "nsd": pytest.approx((1 + near) / 2)}
    assert second.values == {"dice": 1.0, "nsd": 1.0}
    assert entry.metrics["dice"] == Scored(value=0.875)


def test_swapped_structures_are_worth_nothing(fomo26: Challenge, root: Path) -> None:
    swapped = nifti_bytes(codes((VESSELS, slice(1, 3)), (NERVE, slice(4, 6))))
    entry = scored(fomo26, root, {"case_1": swapped, "case_2": RunResult(exit_code=1)})
    assert [each.values["dice"] for each in entry.case_scores] == [0, 0]
    assert "structures" not in entry.case_scores[1].model_dump(mode="json")


def test_a_structure_that_is_nowhere_follows_the_policy_of_empty_masks(
    fomo26: Challenge, task: TaskSpec, root: Path
) -> None:
    nerve_alone = codes((NERVE, slice(1, 3)))
    write_volume(reference_of(root, task, "case_1"), nerve_alone)
    entry = scored(fomo26, root, {"case_1": nifti_bytes(nerve_alone), "case_2": nifti_bytes(nerve_alone)})
    # FOMO26: two empty masks are worth 1 by Dice and 0 by NSD.
    assert entry.case_scores[0].structures["vessels"] == {"dice": 1.0, "nsd": 0.0}
    assert entry.case_scores[1].structures["vessels"] == {"dice": 0.0, "nsd": 0.0}


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (nifti_bytes(TRUTH), ()),
        (nifti_bytes(np.zeros(SHAPE, np.uint8)), ()),
        (nifti_bytes(codes((VESSELS, slice(0, 2)))), ()),
        (nifti_bytes(TRUTH.astype("f4")), ("the mask is stored as floating-point numbers",)),
    ],
)
def test_codes_of_structures_are_accepted(
    task: TaskSpec, root: Path, tmp_path: Path, content: bytes, notes: tuple[str, ...]
) -> None:
    (tmp_path / "output.nii").write_bytes(content)
    outcome = verify(task, first_case(root, task), tmp_path / "output.nii", root=root)
    assert (outcome.ending, outcome.notes) == (Ending.OK, notes)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (nifti_bytes(codes((3, slice(0, 2)))), "0, 3"),
        (nifti_bytes(TRUTH * np.uint8(100)), "0, 100, 200"),
        (nifti_bytes(TRUTH * np.float32(0.5)), "0, 0.5, 1"),
        (nifti_bytes(TRUTH.astype("i2") * -1), "-2, -1, 0"),
    ],
)
def test_other_values_are_no_structure(task: TaskSpec, root: Path, tmp_path: Path, content: bytes, shown: str) -> None:
    (tmp_path / "output.nii").write_bytes(content)
    outcome = verify(task, first_case(root, task), tmp_path / "output.nii", root=root)
    assert (outcome.ending, outcome.refusal) == (Ending.INVALID_OUTPUT, Refusal.UNKNOWN_STRUCTURE)
    assert outcome.detail == f"output.nii holds the values {shown}, not 0, 1 and 2"


def test_a_reference_with_another_code_is_refused(task: TaskSpec, root: Path) -> None:
    path = write_volume(reference_of(root, task, "case_1"), TRUTH * np.uint8(2), oblique())
    with pytest.raises(DatasetError) as caught:
        references.load_mask(task, root, "case_1")
    assert one_line(caught.value).startswith(
        f"{path}: the reference is unusable: its values are 0, 2, 4, not 0, 1 and 2"
    )


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("structures: {a: 1, b: 1}", "has the code 1 twice in 'structures'; each must have its own."),
        ("structures: {a: 0}", "the field 'output.structures.a' is 0; it must be at least 1"),
        ("structures: {a: 255}", "the field 'output.structures.a' is 255; it must be at most 254"),
        ("structures: {a: 1.5}", "the field 'output.structures.a' is 1.5; it must be a whole number"),
    ],
)
def test_codes_that_cannot_be(tmp_path: Path, new: str, said: str) -> None:
    old = "meaning: voxels of a meningioma}"
    challenge = edited_challenge(tmp_path, "meningioma.yaml", old, f"meaning: voxels of a meningioma, {new}}}")
    assert said in refusal_of(challenge)


def test_fomo26_is_a_challenge_of_five_tasks_with_its_own_weights(fomo26: Challenge) -> None:
    tasks: dict[str, Any] = {task.name: [each.flag for each in task.all_inputs] for task in fomo26.tasks}
    assert tasks == {
        "infarct": ["--flair", "--dwi", "--adc", "--t2s", "--swi"],
        "meningioma": ["--flair", "--dwi", "--t2s", "--swi"],
        "brain_age": ["--t1"],
        "trigeminal_neuralgia": ["--t2"],
        "polymicrogyria": ["--t1"],
    }
    weights = [fomo26.task_weight(name) for name in tasks]
    assert weights == [0.10, 0.25, 0.10, 0.25, 0.10]
    assert (fomo26.spec.ranking.task_rule, fomo26.spec.ranking.absent_task) == ("ranked_again", "last")
