"""From containers to scores: what each kind of ending does to a score, worked out by hand."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from harness.datasets import references
from harness.engines.engine import RunResult
from harness.errors import ImageUnavailable, RunDirectoryError
from harness.scoring.score import score
from harness.scoring.scores import EntryScore, Scored, Unscored
from harness.specs.challenge import Challenge
from tests.support.datasets import reference_of, write_text, write_tiny_data
from tests.support.fake_runs import Answer, answering, carried_out
from tests.support.plans import all_cases, make_plan, submission
from tests.support.specs import one_line
from tests.support.volumes import SHAPE, nifti_bytes, with_header_field, write_volume

CRASH = RunResult(exit_code=1)
GONE = ImageUnavailable("The image is gone.")


class Bench:
    """Runs one task of a cohort with one team."""

    def __init__(self, challenge: Challenge, root: Path, out: Path) -> None:
        self.challenge, self.root, self.out = challenge, root, out

    def truths(self, task: str) -> dict[str, float]:
        spec = self.challenge.task(task)
        cases = all_cases(self.challenge, self.root, task)[task]
        return {case.id: references.load_scalar(spec, self.root, case.id) for case in cases}

    def reference(self, task: str, case: str) -> bytes:
        return reference_of(self.root, self.challenge.task(task), case).read_bytes()

    def entry(self, task: str, answer: Callable[[str], Answer]) -> EntryScore:
        cases = all_cases(self.challenge, self.root, task)
        plan = make_plan(self.challenge, cases, submission("alpha", task))
        behaviour = answering(cases, lambda _, case: answer(case))
        store = carried_out(plan, self.root, self.out, {"alpha:1": behaviour})
        (entry,) = score(plan, store, self.root).entries
        return entry


@pytest.fixture
def bench(fomo25: Challenge, cohort: Path, tmp_path: Path) -> Bench:
    return Bench(fomo25, cohort, tmp_path / "run")


@pytest.fixture
def tiny(fomo25: Challenge, tmp_path: Path) -> Bench:
    return Bench(fomo25, write_tiny_data(tmp_path / "data", fomo25), tmp_path / "run")


def value(entry: EntryScore, name: str) -> float:
    found = entry.metrics[name]
    assert isinstance(found, Scored), found
    return found.value


def number(of: float) -> bytes:
    return repr(of).encode()


def test_perfect_predictions_reach_the_top(bench: Bench) -> None:
    infarcts, ages = bench.truths("infarct"), bench.truths("brain_age")
    entry = bench.entry("infarct", lambda case: number(infarcts[case]))
    assert (value(entry, "auroc"), value(entry, "average_precision")) == (1, 1)
    assert (entry.valid, entry.cases, entry.endings, entry.provisional) == (4, 4, {"ok": 4}, False)
    bench.out = bench.out.with_name("ages")
    entry = bench.entry("brain_age", lambda case: number(ages[case]))
    assert value(entry, "mae") == 0
    assert value(entry, "pearson_r") == pytest.approx(1)
    bench.out = bench.out.with_name("masks")
    entry = bench.entry("meningioma", lambda case: bench.reference("meningioma", case))
    assert (value(entry, "dice"), value(entry, "nsd")) == (1, 1)


@pytest.mark.parametrize("missing_class", [0, 1])
def test_a_missing_probability_is_ordered_as_the_worst(bench: Bench, missing_class: int) -> None:
    truths = bench.truths("infarct")
    of_class = [case for case, truth in truths.items() if truth == missing_class]
    entry = bench.entry("infarct", lambda case: CRASH if case == of_class[0] else number(truths[case]))
    # All pairs with the missing case are lost, all others won.
    assert value(entry, "auroc") == (len(of_class) - 1) / len(of_class)
    assert entry.endings == {"crashed": 1, "ok": 3}
    assert entry.valid == 3


def test_a_team_that_predicts_nothing_has_the_worst_of_everything(bench: Bench) -> None:
    entry = bench.entry("infarct", lambda _: CRASH)
    assert value(entry, "auroc") == 0
    assert entry.valid == 0


def test_an_invalid_probability_counts_as_missing(bench: Bench) -> None:
    truths = bench.truths("infarct")
    positive = next(case for case, truth in truths.items() if truth == 1)
    entry = bench.entry("infarct", lambda case: b"1.5" if case == positive else number(truths[case]))
    positives = sum(truths.values())
    assert value(entry, "auroc") == (positives - 1) / positives
    assert entry.endings == {"invalid_output": 1, "ok": 3}


def test_a_missing_age_is_the_far_end(bench: Bench) -> None:
    truths = bench.truths("brain_age")
    missing = next(iter(truths))
    entry = bench.entry("brain_age", lambda case: CRASH if case == missing else number(truths[case]))
    far = 0.0 if truths[missing] > 50 else 100.0
    assert value(entry, "mae") == pytest.approx(abs(truths[missing] - far) / len(truths))
    taken = [far if case == missing else truth for case, truth in truths.items()]
    assert value(entry, "pearson_r") == pytest.approx(np.corrcoef(list(truths.values()), taken)[0, 1])


def test_a_missing_mask_is_worth_nothing(bench: Bench) -> None:
    cases = [case.id for case in all_cases(bench.challenge, bench.root, "meningioma")["meningioma"]]
    entry = bench.entry("meningioma", lambda case: CRASH if case == cases[0] else bench.reference("meningioma", case))
    assert value(entry, "dice") == pytest.approx(2 / 3)
    assert value(entry, "nsd") == pytest.approx(2 / 3)
    assert [each.values["dice"] for each in entry.case_scores] == [0, 1, 1]


def test_empty_masks(tiny: Bench) -> None:
    """The reference of case_1 is empty; case_1: predicted empty, case_2: empty, case_3: right."""
    task = tiny.challenge.task("meningioma")
    write_volume(reference_of(tiny.root, task, "case_1"), np.zeros(SHAPE, np.uint8))
    nothing = tiny.reference("meningioma", "case_1")
    entry = tiny.entry("meningioma", lambda c: tiny.reference("meningioma", "case_3") if c == "case_3" else nothing)
    for name in ("dice", "nsd"):
        assert [each.values[name] for each in entry.case_scores] == [1, 0, 1]


def test_something_predicted_where_there_is_nothing(tiny: Bench) -> None:
    task = tiny.challenge.task("meningioma")
    something = tiny.reference("meningioma", "case_1")
    write_volume(reference_of(tiny.root, task, "case_1"), np.zeros(SHAPE, np.uint8))
    entry = tiny.entry("meningioma", lambda _: something)
    assert [each.values["dice"] for each in entry.case_scores] == [0, 1, 1]


def test_a_mask_is_scored_alike_however_it_is_stored(tiny: Bench) -> None:
    """Scaled to 32 bits' precision (where background is -7e-9), as 0 and 255, and turned to other axes."""
    right = gzip.decompress(tiny.reference("meningioma", "case_1"))
    image: Any = nib.Nifti1Image.from_bytes(right)
    tenths = nifti_bytes(np.asarray(image.dataobj, np.uint8) * np.uint8(10) + np.uint8(3), image.affine)
    tenths = with_header_field(with_header_field(tenths, "scl_slope", 0.1), "scl_inter", -0.3)
    assert np.unique(nib.Nifti1Image.from_bytes(tenths).get_fdata())[0] != 0
    stored = {
        "case_1": tenths,
        "case_2": nib.Nifti1Image(np.uint8(255) * image.dataobj, image.affine).to_bytes(),  # type: ignore[no-untyped-call]
        "case_3": image.as_reoriented(nib.orientations.axcodes2ornt("SAL")).to_bytes(),  # type: ignore[no-untyped-call]
    }
    entry = tiny.entry("meningioma", lambda case: stored[case])
    assert entry.endings == {"ok": 3}
    assert [each.values["dice"] for each in entry.case_scores] == [1, 1, 1]
    assert [each.values["nsd"] for each in entry.case_scores] == [1, 1, 1]


def test_one_class_alone_has_no_auroc(tiny: Bench) -> None:
    for case in ("case_1", "case_2", "case_3"):
        write_text(reference_of(tiny.root, tiny.challenge.task("infarct"), case), "1")
    entry = tiny.entry("infarct", lambda _: b"0.5")
    assert entry.metrics["auroc"] == Unscored(status="undefined", reason="the references are of one class only")
    assert not entry.provisional


def test_constant_ages_have_no_correlation(tiny: Bench) -> None:
    entry = tiny.entry("brain_age", lambda _: b"50")
    found = entry.metrics["pearson_r"]
    assert isinstance(found, Unscored)
    assert found.status == "undefined"
    assert found.reason
    assert isinstance(entry.metrics["mae"], Scored)


def test_a_fault_of_the_machine_makes_a_row_provisional_and_costs_nothing(tiny: Bench) -> None:
    truths = tiny.truths("brain_age")
    entry = tiny.entry("brain_age", lambda case: GONE if case == "case_2" else number(truths[case]))
    assert (entry.provisional, entry.valid, entry.endings) == (True, 2, {"ok": 2, "pending": 1})
    assert value(entry, "mae") == 0


def test_nothing_run_is_pending(tiny: Bench) -> None:
    entry = tiny.entry("brain_age", lambda _: GONE)
    assert entry.provisional
    assert entry.metrics["mae"] == Unscored(status="pending", reason="no case has run yet")


@pytest.mark.parametrize("harm", ["changed", "removed", "swapped"])
def test_a_prediction_that_is_not_the_recorded_one_stops_scoring(tiny: Bench, harm: str) -> None:
    truths = tiny.truths("brain_age")
    cases = all_cases(tiny.challenge, tiny.root, "brain_age")
    plan = make_plan(tiny.challenge, cases, submission("alpha", "brain_age"))
    behaviour = answering(cases, lambda _, case: number(truths[case]))
    store = carried_out(plan, tiny.root, tiny.out, {"alpha:1": behaviour})
    folder = store.folder / "predictions" / "method" / "alpha" / "brain_age"
    path = folder / "case_1" / "prediction.txt"
    if harm == "changed":
        path.write_bytes(b"12.0")
    elif harm == "removed":
        path.unlink()
    else:
        path.write_bytes((folder / "case_2" / "prediction.txt").read_bytes())
    with pytest.raises(RunDirectoryError) as caught:
        score(plan, store, tiny.root)
    assert one_line(caught.value) == (
        f"{path}: is not the prediction that was recorded. Restore it from a copy, or run the trial anew."
    )
