"""From what ``fomo-eval run`` was asked to a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.commands.challenges import chosen
from harness.datasets import references
from harness.datasets.case import Case, Volume
from harness.datasets.index import index_cases, notice
from harness.engines.engine import Engine, EngineFacts, ImageFacts
from harness.errors import UsageError
from harness.execution.plan import plan_entries, plan_tasks
from harness.records.plan import Plan
from harness.specs.challenge import Challenge
from harness.specs.loading import load_submissions
from harness.specs.submission import SubmissionSpec, SubmittedImage

FAIL_FAST_AFTER = 20


@dataclass(frozen=True)
class RunOptions:
    """What ``fomo-eval run`` was asked.

    Attributes
    ----------
    gpus
        ``all``, ``none``, or device indices and UUIDs separated by commas.
    workers
        Trials side by side; None for one per GPU, or per processor without GPUs.
    seconds
        Replaces the specs' time limit per case.
    fail_fast_after
        After so many cases of an entry that all failed alike, its others are recorded so without being run; 0: never.
    runtime
        The OCI runtime of the containers, None for the engine's default.
    report
        Whether report pages are written at the end.
    """

    challenge: str
    data: Path
    submissions: tuple[Path, ...]
    out: Path
    tasks: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    gpus: str = "all"
    workers: int | None = None
    seconds: float | None = None
    seed: int = 0
    fail_fast_after: int = FAIL_FAST_AFTER
    runtime: str | None = None
    dry_run: bool = False
    report: bool = False

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise UsageError(f"--timeout is {self.seconds}.", remedy="Give a finite number of seconds above 0.")


def wanted_submissions(options: RunOptions, challenge: Challenge) -> tuple[SubmissionSpec, ...]:
    """Load the submissions of the teams that were asked for."""
    everyone = load_submissions(options.submissions, challenge)
    teams = chosen(options.teams, sorted({each.team for each in everyone}), option="--teams")
    return tuple(each for each in everyone if each.team in teams)


def checked_cases(
    options: RunOptions, challenge: Challenge, submissions: tuple[SubmissionSpec, ...], kept: Plan | None
) -> dict[str, tuple[Case, ...]]:
    """Find and check the cases of every task that somebody enters."""
    tasks = chosen(options.tasks, challenge.spec.tasks, option="--tasks")
    entered = [task for task in tasks if any(task in each.images for each in submissions)]
    if not entered:
        raise UsageError(
            f"No submission enters {' or '.join(tasks)}.",
            remedy="Choose other --tasks or --teams, or add a submission.",
        )
    if not options.data.is_dir():
        raise UsageError(f"{options.data}: the data folder is not there.", remedy="Pass it as --data.")
    known = _known_volumes(kept)
    cases = {}
    for name in entered:
        task = challenge.task(name)
        cases[name] = index_cases(task, options.data, known=known)
        if kept is None or name not in {each.spec.name for each in kept.tasks}:
            references.check(task, options.data, cases[name])
    return cases


def _known_volumes(kept: Plan | None) -> Mapping[Path, Volume]:
    if kept is None:
        return {}
    return {volume.path: volume for task in kept.tasks for case in task.cases for volume in case.volumes.values()}


def plan_of(
    options: RunOptions,
    challenge: Challenge,
    submissions: tuple[SubmissionSpec, ...],
    cases: Mapping[str, tuple[Case, ...]],
    engine: Engine,
    machine: EngineFacts,
) -> Plan:
    """Resolve images and limits on the engine."""

    def find_image(image: SubmittedImage) -> ImageFacts:
        return engine.load_archive(image.archive) if image.archive else engine.find_image(image.image or "")

    tasks = plan_tasks(challenge, cases, machine, seconds=options.seconds, gpu=options.gpus != "none")
    entries = plan_entries(submissions, tasks, find_image, runtime=options.runtime)
    return Plan(
        challenge=challenge.spec,
        tasks=tasks,
        entries=entries,
        seed=options.seed,
        fail_fast_after=options.fail_fast_after,
        notice=notice(options.data),
    )
