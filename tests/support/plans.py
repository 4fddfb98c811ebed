"""Plans, records and run directories for tests, made by the same functions as real ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.datasets.case import Case
from harness.datasets.index import index_cases
from harness.engines.engine import EngineFacts, ImageFacts
from harness.engines.fake import FakeEngine
from harness.engines.outcome import Ending, Outcome
from harness.execution.plan import plan_entries, plan_tasks
from harness.records.plan import Plan, TrialKey
from harness.records.record import Machine, OutcomeRecord, PredictionRecord, Record
from harness.specs.challenge import Challenge
from harness.specs.submission import SubmissionSpec, SubmittedImage

MACHINE = FakeEngine({}).facts()
TRIAL = TrialKey(track="method", team="alpha", task="infarct", case="case_1")


def submission(team: str, *tasks: str, track: str = "method", **more: Any) -> SubmissionSpec:
    """Enter a team with the image ``<team>:1`` for each of these tasks."""
    images = {task: SubmittedImage(image=f"{team}:1") for task in tasks}
    return SubmissionSpec(team=team, track=track, images=images, **more)


def image_facts(image: SubmittedImage) -> ImageFacts:
    """Stand for the engine: an image's id follows from its reference."""
    return ImageFacts(f"fake:{image.image}", digest="", platform=MACHINE.platform, size_bytes=0, has_entrypoint=True)


def all_cases(challenge: Challenge, root: Path, *tasks: str) -> dict[str, tuple[Case, ...]]:
    """Find the cases of these tasks."""
    return {name: index_cases(challenge.task(name), root) for name in tasks}


def make_plan(
    challenge: Challenge,
    cases: Mapping[str, tuple[Case, ...]],
    *submissions: SubmissionSpec,
    machine: EngineFacts = MACHINE,
    seconds: float | None = None,
    gpu: bool = False,
    seed: int = 0,
) -> Plan:
    """Plan as ``fomo-eval run`` does, without an engine."""
    tasks = plan_tasks(challenge, cases, machine, seconds=seconds, gpu=gpu)
    entries = plan_entries(submissions, tasks, image_facts)
    return Plan(challenge=challenge.spec, tasks=tasks, entries=entries, seed=seed)


def record(
    trial: TrialKey = TRIAL,
    ending: Ending = Ending.CRASHED,
    *,
    attempt: int = 1,
    prediction: PredictionRecord | None = None,
    detail: str = "",
) -> Record:
    """Write a record by hand."""
    return Record(
        run="test",
        trial=trial,
        attempt=attempt,
        outcome=OutcomeRecord.of(Outcome(ending, detail)),
        prediction=prediction,
        image="fake:alpha:1",
        exit_code=0,
        began="2025-01-01T00:00:00+00:00",
        spans={"stage": 0.5},
        machine=Machine(host="here", platform="linux/amd64", engine="fake 1", cpus=4, fomo_eval="0"),
        container={},
    )
