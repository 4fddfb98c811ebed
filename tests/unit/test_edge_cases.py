"""One policy for each edge case that tools disagree about. Here are the tests that no other module holds.

Elsewhere: zooms against affine in ``test_references``; orientation, a fourth axis, float, NaN and 255 masks and
``scl_slope`` in ``test_verify`` and ``test_score``; AUROC of one class and with a missing prediction, constant
predictions and missing ages in ``test_score``, ``test_metrics_classification`` and ``test_metrics_regression``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.engines.engine import RunResult
from harness.metrics.checking import check_metrics
from harness.metrics.diagonal import diagonal_mm
from harness.metrics.registry import METRICS
from harness.records.plan import Plan
from harness.scoring.rank import Contender, RankedTask, rank
from harness.scoring.score import score
from harness.scoring.scores import EntryScore, Scored, Unscored
from harness.specs.challenge import Challenge, Ranking
from harness.specs.task import MetricSpec
from tests.support.datasets import reference_of, write_tiny_data
from tests.support.fake_runs import Answer, answering, carried_out
from tests.support.plans import all_cases, make_plan, submission
from tests.support.volumes import SHAPE, nifti_bytes, write_volume

CRASH = RunResult(exit_code=1)
DISTANCES = ["hd95", "assd", "hd95_medpy", "assd_medpy"]
RATIOS = ["dice", "nsd", "lesion_f1"]
NOTHING = np.zeros(SHAPE, np.uint8)


def of_masks(name: str, reference: NDArray[Any], prediction: NDArray[Any], size: float = 1.0) -> float:
    metric = METRICS[name]
    value = metric.resolve()(reference.astype(bool), prediction.astype(bool), (size, size, size), metric.parameters())
    assert value is not None
    return value


def scored_with(
    challenge: Challenge, folder: Path, task: str, metrics: list[dict[str, Any]], answers: dict[str, Answer]
) -> EntryScore:
    """Score one team's answers to a task that has other metrics; the reference of mask case_1 is empty."""
    root = write_tiny_data(folder / "data", challenge)
    spec = challenge.task(task)
    if task == "meningioma":
        write_volume(reference_of(root, spec, "case_1"), NOTHING)
    changed = spec.model_copy(update={"metrics": tuple(MetricSpec.model_validate(each) for each in metrics)})
    check_metrics(changed)
    tasks = tuple(changed if each.name == task else each for each in challenge.tasks)
    challenge = Challenge(challenge.spec, tasks, challenge.folder)
    cases = all_cases(challenge, root, task)
    plan: Plan = make_plan(challenge, cases, submission("alpha", task))
    behaviour = answering(cases, lambda _, case: answers[case])
    (entry,) = score(plan, carried_out(plan, root, folder / "run", {"alpha:1": behaviour}), root).entries
    return entry


@pytest.mark.parametrize(("name", "worth"), [*((name, 1.0) for name in RATIOS), *((name, 0.0) for name in DISTANCES)])
def test_both_masks_empty(name: str, worth: float) -> None:
    assert of_masks(name, NOTHING, NOTHING) == worth


def test_both_masks_empty_and_one_mask_empty_as_the_spec_sets_them(fomo25: Challenge, tmp_path: Path) -> None:
    metrics: list[dict[str, Any]] = [
        {"name": "dice", "direction": "higher", "empty": {"both": 0.75, "one": 0.25}},
        {"name": "nsd", "direction": "higher"},
    ]
    nothing = nifti_bytes(NOTHING)
    entry = scored_with(fomo25, tmp_path, "meningioma", metrics, dict.fromkeys(("case_1", "case_2", "case_3"), nothing))
    assert [case.values["dice"] for case in entry.case_scores] == [0.75, 0.25, 0.25]
    assert [case.values["nsd"] for case in entry.case_scores] == [1, 0, 0]


@pytest.mark.parametrize("name", RATIOS + DISTANCES)
def test_one_mask_empty(name: str) -> None:
    something = NOTHING.copy()
    something[1, 2, 3] = 1
    worth = diagonal_mm(SHAPE, (1.0, 1.0, 1.0)) if name in DISTANCES else 0.0
    assert of_masks(name, NOTHING, something) == of_masks(name, something, NOTHING) == worth


@pytest.mark.parametrize("name", RATIOS + DISTANCES)
def test_a_mask_that_touches_the_border_has_background_beyond(name: str) -> None:
    reference, prediction = np.random.default_rng(3).random((2, 4, 5, 6)) < 0.3
    assert reference[0].any()
    assert prediction[0].any()
    assert of_masks(name, reference, prediction) == of_masks(name, np.pad(reference, 3), np.pad(prediction, 3))


@pytest.mark.parametrize("name", ["nsd", *DISTANCES])
def test_spacing_noise_changes_nothing(name: str) -> None:
    reference = np.zeros((9, 9, 9), bool)
    reference[2:5, 2:5, 2:5] = True
    prediction = np.roll(reference, 1, axis=0)
    assert of_masks(name, reference, prediction, 1.0000001) == of_masks(name, reference, prediction)


def test_a_missing_mask_is_left_out_or_costs_the_diagonal(fomo25: Challenge, tmp_path: Path) -> None:
    metrics: list[dict[str, Any]] = [
        {"name": "hd95", "direction": "lower"},
        {"name": "predicted_volume", "direction": "none", "ranked": False, "missing": "omit"},
    ]
    voxel = NOTHING.copy()
    voxel[1, 2, 3] = 1
    answers: dict[str, Answer] = {"case_1": nifti_bytes(voxel), "case_2": CRASH, "case_3": CRASH}
    entry = scored_with(fomo25, tmp_path, "meningioma", metrics, answers)
    worst = [case.values["hd95"] for case in entry.case_scores]
    assert len(set(worst)) == 1  # a missing mask is worth what an empty one is
    assert [list(case.values) for case in entry.case_scores] == [["hd95", "predicted_volume"], ["hd95"], ["hd95"]]
    value = entry.metrics["predicted_volume"]
    assert isinstance(value, Scored)
    assert value.value == pytest.approx(0.9 * 1.1 * 2.5 / 1000, rel=1e-4)


def test_a_missing_number_is_left_out_or_imputed(fomo25: Challenge, tmp_path: Path) -> None:
    metrics: list[dict[str, Any]] = [
        {"name": "mae", "direction": "lower"},
        {"name": "bias", "direction": "zero", "ranked": False, "missing": "omit"},
    ]
    answers: dict[str, Answer] = {"case_1": CRASH, "case_2": CRASH, "case_3": b"80.25"}  # it is 78.25
    entry = scored_with(fomo25, tmp_path, "brain_age", metrics, answers)
    assert entry.metrics["bias"] == Scored(value=2.0)
    assert isinstance(entry.metrics["mae"], Scored)
    assert entry.metrics["mae"].value > 2


def test_a_metric_with_no_case_left_says_so(fomo25: Challenge, tmp_path: Path) -> None:
    metrics: list[dict[str, Any]] = [
        {"name": "mae", "direction": "lower"},
        {"name": "bias", "direction": "zero", "ranked": False, "missing": "omit"},
    ]
    entry = scored_with(fomo25, tmp_path, "brain_age", metrics, dict.fromkeys(("case_1", "case_2", "case_3"), CRASH))
    value = entry.metrics["bias"]
    assert isinstance(value, Unscored)
    assert (value.status, value.reason) == (
        "undefined",
        "no case has a valid prediction, and cases without one are left out",
    )


def test_a_missing_probability_is_the_wrong_class(fomo25: Challenge, tmp_path: Path) -> None:
    metrics: list[dict[str, Any]] = [{"name": "brier_score", "direction": "lower"}]
    answers: dict[str, Answer] = dict.fromkeys(("case_1", "case_2", "case_3"), CRASH)
    entry = scored_with(fomo25, tmp_path, "infarct", metrics, answers)
    assert entry.metrics["brier_score"] == Scored(value=1.0)


def test_a_bias_of_either_sign_is_ranked_by_its_size() -> None:
    metric = MetricSpec(name="bias", direction="zero", decimals=1)
    biases = {"low": -3.0, "near": -0.5, "high": 2.0, "level": 0.5, "none": None}
    teams = [Contender(team, {"ages": {"bias": value}}) for team, value in biases.items()]
    standings = rank(teams, [RankedTask("ages", (metric,), 1.0)], Ranking())
    assert {each.team: each.placement for each in standings} == {"near": 1, "level": 1, "high": 3, "low": 4, "none": 5}
