"""Checks that no image of a test's size can bring about: judged on evidence written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.datasets.case import Case
from harness.engines.engine import ImageFacts
from harness.engines.outcome import Ending
from harness.records.record import UsageRecord
from harness.specs.challenge import Challenge
from harness.specs.submission import SubmittedImage
from harness.validation.check import Finding, Status
from harness.validation.compare import difference
from harness.validation.evidence import Evidence, Seen
from harness.validation.hints import hint
from harness.validation.verdict import CHECKS, verdict
from tests.support.datasets import write_tiny_data
from tests.support.plans import MACHINE, all_cases, image_facts, make_plan, record, submission
from tests.support.volumes import mask, write_volume

GIGABYTE = 10**9


def seen(case: Case, *, seconds: float = 1.0, log: str = "", ending: Ending = Ending.OK, gpu_bytes: int = 0) -> Seen:
    written = record(ending=ending).model_copy(
        update={"spans": {"container": seconds}, "usage": UsageRecord(memory_bytes=1, gpu_memory_bytes=gpu_bytes)}
    )
    return Seen(case, "plain", written, log, prediction=None)


@pytest.fixture
def evidence(tmp_path: Path, fomo25: Challenge) -> Evidence:
    """Evidence of an image with which all is well."""
    cases = all_cases(fomo25, write_tiny_data(tmp_path, fomo25), "infarct")
    plan = make_plan(fomo25, cases, submission("alpha", "infarct"))
    facts: ImageFacts = replace(image_facts(SubmittedImage(image="alpha:1")), entrypoint=("python", "/app/predict.py"))
    return Evidence(
        entry=plan.entries[0],
        task=plan.tasks[0],
        image=facts,
        machine=MACHINE,
        contract=1,
        seen=tuple(seen(case) for case in cases["infarct"]),
        again=None,
        last=None,
        relaxed={},
    )


def judged(evidence: Evidence, name: str) -> Finding:
    return CHECKS[name][1](evidence)


def test_a_verdict_holds_every_check_in_order(evidence: Evidence) -> None:
    assert [check.name for check in verdict(evidence).checks] == list(CHECKS)
    assert verdict(evidence).count(Status.FAILED) == 0


@pytest.mark.parametrize(("size", "status"), [(10 * GIGABYTE, Status.PASSED), (11 * GIGABYTE, Status.WARNING)])
def test_a_large_image_is_warned_of(size: int, status: Status, evidence: Evidence) -> None:
    assert judged(replace(evidence, image=replace(evidence.image, size_bytes=size)), "size").status is status


def test_a_slow_start_shows_in_the_quickest_case(evidence: Evidence) -> None:
    slow = [replace(each, record=seen(each.case, seconds=20.0).record) for each in evidence.seen]
    assert judged(replace(evidence, seen=tuple(slow)), "slow_start").status is Status.WARNING
    assert judged(replace(evidence, seen=(*slow[:-1], evidence.seen[-1])), "slow_start").status is Status.PASSED


def test_little_time_to_spare_is_warned_of(evidence: Evidence) -> None:
    late = seen(evidence.seen[0].case, seconds=110.0)
    assert judged(replace(evidence, seen=(late, *evidence.seen[1:])), "time").status is Status.WARNING


def test_a_noisy_log_is_warned_of(evidence: Evidence) -> None:
    noisy = seen(evidence.seen[0].case, log="step\n" * 1000)
    assert judged(replace(evidence, seen=(noisy, *evidence.seen[1:])), "log_noise").status is Status.WARNING


@pytest.mark.parametrize(
    ("listing", "gpu_bytes", "status"),
    [
        (None, 0, Status.NOT_RUN),
        ("", 0, Status.FAILED),
        ("GPU 0: one", 4 << 20, Status.WARNING),
        ("GPU 0: one", 1 << 30, Status.PASSED),
    ],
)
def test_a_gpu_must_be_seen_and_used(listing: str | None, gpu_bytes: int, status: Status, evidence: Evidence) -> None:
    cases = tuple(seen(each.case, gpu_bytes=gpu_bytes) for each in evidence.seen)
    assert judged(replace(evidence, seen=cases, gpu_listing=listing), "gpu").status is status


def test_what_the_machine_spoiled_is_held_against_nobody(evidence: Evidence) -> None:
    spoiled = tuple(seen(each.case, ending=Ending.ENGINE_FAULT) for each in evidence.seen)
    checks = verdict(replace(evidence, seen=spoiled)).checks
    assert not [check for check in checks if check.status is Status.FAILED]
    assert {check.name for check in checks if check.status is Status.NOT_RUN} >= {"start", "flags", "time", "output"}


def test_two_numbers_that_are_rounded_apart_are_told_from_two_answers(fomo25: Challenge, tmp_path: Path) -> None:
    one, same, near, far = (tmp_path / name for name in ("one", "same", "near", "far"))
    for file, text in ((one, "0.5"), (same, "0.50\n"), (near, "0.50000001"), (far, "0.51")):
        file.write_text(text)
    task = fomo25.task("infarct")
    assert difference(task, one, same) is None
    rounded, apart = difference(task, one, near), difference(task, one, far)
    assert rounded is not None
    assert rounded.is_rounding
    assert apart is not None
    assert (apart.words, apart.is_rounding) == ("0.5 and 0.51", False)


def test_two_masks_are_compared_voxel_by_voxel(fomo25: Challenge, tmp_path: Path) -> None:
    smaller = mask()
    smaller[1, 2, 3] = 0  # of 2 · 3 · 3 voxels, one less: Dice is 2 · 17 / (18 + 17)
    files = [write_volume(tmp_path / f"{n}.nii.gz", content) for n, content in enumerate((mask(), smaller))]
    found = difference(fomo25.task("meningioma"), *files)
    assert found is not None
    assert (found.words, found.is_rounding) == ("1 voxels differ, Dice 0.9714", False)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("ModuleNotFoundError: No module named 'torch'", "Install torch"),
        ("predict.py: error: unrecognized arguments: --swi /input/swi.nii.gz", "--swi"),
        ("OSError: [Errno 30] Read-only file system: '/app/x'", "/app/x"),
        ("PermissionError: [Errno 13] Permission denied: '/app/w'", "/app/w"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "no network"),
        ("RuntimeError: Found no NVIDIA driver on your system.", "Fall back to the CPU"),
        ("AssertionError: {braces} are text", "{braces} are text"),
        ("all is well", ""),
    ],
)
def test_last_words_give_a_hint(log: str, words: str) -> None:
    assert words in hint(log)
    assert bool(hint(log)) == bool(words)
