"""Scoring predictions that were made elsewhere gives what a run of the same predictions gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from harness.commands.score import score_predictions
from harness.datasets import references
from harness.errors import DatasetError, UsageError
from harness.scoring.score import score
from harness.scoring.scores import Unscored
from harness.specs.challenge import Challenge
from tests.support.commands import fomo_eval
from tests.support.datasets import reference_of, write_tiny_data
from tests.support.fake_runs import answering, carried_out
from tests.support.plans import all_cases, make_plan, submission
from tests.support.specs import one_line
from tests.support.volumes import mask, nifti_bytes, write_volume


def test_values_are_those_of_a_run(fomo25: Challenge, cohort: Path, tmp_path: Path) -> None:
    """Masks a few voxels away from the reference, so that values are between 0 and 1."""
    task = fomo25.task("meningioma")
    cases = all_cases(fomo25, cohort, "meningioma")
    answers = {}
    for place, case in enumerate(cases["meningioma"]):
        image: Any = nib.load(reference_of(cohort, task, case.id))
        answers[case.id] = nifti_bytes(np.roll(np.asarray(image.dataobj, np.uint8), place, axis=0), image.affine)
    plan = make_plan(fomo25, cases, submission("alpha", "meningioma"))
    store = carried_out(plan, cohort, tmp_path / "run", {"alpha:1": answering(cases, lambda _, case: answers[case])})
    (entry,) = score(plan, store, cohort).entries
    for case_id, content in answers.items():
        (tmp_path / "flat").mkdir(exist_ok=True)
        (tmp_path / "flat" / f"{case_id}.nii").write_bytes(content)
    flat = score_predictions(tmp_path / "flat", "meningioma", cohort, "fomo25")
    predictions = store.folder / "predictions" / "method" / "alpha" / "meningioma"
    nested = score_predictions(predictions, "meningioma", cohort, "fomo25")
    assert flat.metrics == nested.metrics == entry.metrics
    assert flat.case_scores == entry.case_scores
    assert (flat.valid, flat.cases, flat.missing, flat.refused) == (3, 3, (), {})
    assert all(ends.low <= ends.high for ends in flat.intervals.values())


def test_what_is_missing_or_refused_costs_what_the_spec_says(fomo25: Challenge, tmp_path: Path) -> None:
    root = write_tiny_data(tmp_path / "data", fomo25)
    folder = tmp_path / "made"
    folder.mkdir()
    write_volume(folder / "case_1.nii.gz", mask())
    (folder / "case_2.nii").write_bytes(nifti_bytes(mask()[1:]))
    scores = score_predictions(folder, "meningioma", root, "fomo25")
    assert [case.values["dice"] for case in scores.case_scores] == [1, 0, 0]
    assert [case.ending for case in scores.case_scores] == ["ok", "invalid_output", "no_output"]
    assert scores.missing == ("case_3",)
    assert scores.refused == {"case_2": "case_2.nii has shape 5 × 7 × 8 where the input has 6 × 7 × 8"}


def test_references_are_enough(fomo25: Challenge, tmp_path: Path) -> None:
    root = write_tiny_data(tmp_path / "data", fomo25)
    folder = tmp_path / "ages"
    folder.mkdir()
    for case in ("case_1", "case_2", "case_3"):
        for volume in (root / "fomo-task3-val" / "preprocessed" / case / "ses_1").iterdir():
            volume.unlink()
        (folder / f"{case}.txt").write_text(repr(references.load_scalar(fomo25.task("brain_age"), root, case)))
    scores = score_predictions(folder, "brain_age", root, "fomo25")
    assert scores.metrics["mae"].model_dump() == {"status": "scored", "value": 0}


def test_one_answer_for_all_has_no_correlation(fomo25: Challenge, tmp_path: Path) -> None:
    root = write_tiny_data(tmp_path / "data", fomo25)
    (tmp_path / "ages").mkdir()
    for case in ("case_1", "case_2", "case_3"):
        (tmp_path / "ages" / f"{case}.txt").write_text("50")
    scores = score_predictions(tmp_path / "ages", "brain_age", root, "fomo25")
    found = scores.metrics["pearson_r"]
    assert isinstance(found, Unscored)
    assert "constant" in found.reason
    assert "pearson_r" not in scores.intervals


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("case_9.nii.gz", "Did you mean 'case_"),
        ("notes.txt", "Known names: case_1, case_2, case_3."),
        ("case_1.txt", "Did you mean 'case_"),
    ],
)
def test_a_file_that_is_no_case_s_prediction_is_named(fomo25: Challenge, tmp_path: Path, name: str, said: str) -> None:
    root = write_tiny_data(tmp_path / "data", fomo25)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / name).write_bytes(b"x")
    with pytest.raises(DatasetError) as caught:
        score_predictions(tmp_path / "made", "meningioma", root, "fomo25")
    wrong = f"{tmp_path}/made/{name}: is no prediction of a case of meningioma. Name it <case>.nii.gz, or remove it. "
    assert one_line(caught.value).startswith(wrong + said)


def test_two_predictions_of_one_case_are_one_too_many(fomo25: Challenge, tmp_path: Path) -> None:
    root = write_tiny_data(tmp_path / "data", fomo25)
    for name in ("case_1.nii", "case_1.nii.gz"):
        write_volume(tmp_path / "made" / name, mask())
    with pytest.raises(DatasetError, match=r"case_1.nii.gz: is a second prediction of case_1, beside .*case_1.nii\."):
        score_predictions(tmp_path / "made", "meningioma", root, "fomo25")


def test_the_command(fomo25: Challenge, tmp_path: Path) -> None:
    root = write_tiny_data(tmp_path / "data", fomo25)
    write_volume(tmp_path / "made" / "case_1.nii.gz", mask())
    asked = ("score", "--predictions", tmp_path / "made", "--task", "meningioma", "--data", root)
    ended = fomo_eval(*asked)
    assert (ended.code, ended.err) == (0, "")
    assert "fomo25/meningioma: 1 of 3 cases have a valid prediction" in ended.out
    assert "case_2: no prediction" in ended.out
    assert json.loads(fomo_eval(*asked, "--format", "json").out)["metrics"]["dice"]["value"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "words",
    [(), ("run", "--predictions", "made"), ("--predictions", "made"), ("--predictions", "made", "--task", "infarct")],
)
def test_half_a_request_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = fomo_eval("score", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1


def test_a_task_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--task names 'infract', which is not there\. Did you mean 'infarct'\?"):
        score_predictions(tmp_path, "infract", tmp_path, "fomo25")
