"""``fomo-eval validate``: one submission, tried as a run would, on cases made up for it."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.commands.challenges import checked_challenge
from harness.commands.interrupts import interruptible
from harness.datasets.case import Case
from harness.datasets.index import index_cases
from harness.engines import by_hand, sandbox
from harness.engines.docker import DockerEngine
from harness.engines.engine import Engine, EngineFacts, ImageFacts
from harness.errors import DeviceUnavailable, ImageUnavailable, RunInterrupted, UsageError, nearest
from harness.execution import preflight
from harness.execution.bench import Bench, Devices
from harness.execution.bounds import release
from harness.execution.plan import plan_entries, plan_tasks
from harness.execution.request import Trial, trial_request
from harness.execution.stage import stage
from harness.executors.local import open_local
from harness.records.files import remove_tree, writing
from harness.records.lock import locked
from harness.records.plan import Plan
from harness.records.store import RunStore
from harness.reports import console
from harness.reports.progress import run_progress
from harness.specs.challenge import Challenge
from harness.specs.loading import load_submissions
from harness.specs.submission import SubmissionSpec, SubmittedImage
from harness.validation import synthetic, trials
from harness.validation.check import Status, Verdict
from harness.validation.evidence import Evidence
from harness.validation.verdict import verdict, verdict_without_image

AUTO = "auto"
TEAM = "validated"


@dataclass(frozen=True)
class ValidateOptions:
    """What ``fomo-eval validate`` was asked.

    Attributes
    ----------
    image
        A tag, a digest, or a ``docker save`` archive; None with ``submission``.
    task
        The task that ``image`` is for; with ``submission``, only this one of its tasks.
    data
        Cases to use instead of made-up ones; they need no references.
    case
        Only the case of this number, counted from 1.
    keep
        Whether the work folder is left, and one case ready to be run by hand.
    gpus
        As for a run; or ``auto``: all that there are, and none on a machine without.
    seconds, runtime
        As for a run.
    """

    challenge: str
    image: str | None = None
    submission: Path | None = None
    task: str | None = None
    data: Path | None = None
    case: int | None = None
    keep: bool = False
    gpus: str = AUTO
    seconds: float | None = None
    runtime: str | None = None

    def __post_init__(self) -> None:
        if (self.image is None) == (self.submission is None):
            raise UsageError("validate takes either an image or --submission.", remedy="Give one of the two.")
        if self.image == "":
            raise UsageError("The image's name is empty.", remedy="Name one: a tag, a digest or an archive.")
        if self.image is not None and self.task is None:
            raise UsageError("--task is missing: it says what the image is for.", remedy="Give it, as in --task NAME.")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise UsageError(f"--timeout is {self.seconds}.", remedy="Give a finite number of seconds above 0.")
        if self.data is not None and not self.data.is_dir():
            raise UsageError(f"{self.data}: the data folder is not there.", remedy="Pass another as --data.")


@dataclass(frozen=True)
class Validation:
    """What came of it.

    Attributes
    ----------
    verdicts
        One for each task.
    unresolved
        How many trials the machine spoiled.
    kept
        The work folder, where it was to be kept.
    """

    verdicts: tuple[Verdict, ...]
    unresolved: int
    kept: Path | None

    @property
    def failures(self) -> int:
        """How many checks failed."""
        return sum(each.count(Status.FAILED) for each in self.verdicts)


def validate(options: ValidateOptions) -> Validation:
    """Try a submission on each of its tasks, and judge it.

    Raises
    ------
    FomoEvalError
        With a sentence and an exit code; a submission that fails is none.
    """
    try:
        with interruptible():
            challenge = checked_challenge(options.challenge)
            submission = submission_of(options, challenge)
            with _work_folder(keep=options.keep) as work, DockerEngine() as engine:
                machine = engine.facts()
                preflight.require_engine(machine, options.runtime)
                return _validate(options, challenge, submission, work, engine, machine)
    except RunInterrupted as fault:
        raise RunInterrupted("The validation was interrupted; nothing of it is left.", remedy=fault.remedy) from fault


def submission_of(options: ValidateOptions, challenge: Challenge) -> SubmissionSpec:
    """Load the submission, or make one of a single image, without what was not asked for."""
    known = challenge.spec.tasks
    if options.task is not None and options.task not in known:
        raise UsageError(
            f"--task is '{options.task}', which {challenge.spec.name} has not.", remedy=nearest(options.task, known)
        )
    if options.submission is None:
        image = options.image or ""
        source = {"archive": Path(image)} if os.path.isfile(image) else {"image": image}  # noqa: PTH113 - of any length
        images = {options.task or "": SubmittedImage.model_validate(source)}
        return SubmissionSpec(team=TEAM, track=next(iter(challenge.spec.tracks)), images=images)
    loaded = load_submissions([options.submission], challenge)
    if len(loaded) != 1:
        raise UsageError(f"{options.submission}: holds {len(loaded)} submissions.", remedy="Give one file.")
    if options.task is None:
        return loaded[0]
    if options.task not in loaded[0].images:
        raise UsageError(f"{options.submission}: does not enter {options.task}.", remedy="Choose another --task.")
    return loaded[0].model_copy(update={"images": {options.task: loaded[0].images[options.task]}})


def _validate(
    options: ValidateOptions,
    challenge: Challenge,
    submission: SubmissionSpec,
    work: Path,
    engine: Engine,
    machine: EngineFacts,
) -> Validation:
    found, absent = _find_images(submission, engine)
    missing = [
        verdict_without_image(submission, task, _reference(submission.images[task]), machine, fault)
        for task, fault in absent.items()
    ]
    if not found:
        return Validation(tuple(missing), unresolved=0, kept=work if options.keep else None)
    present = submission.model_copy(update={"images": {task: submission.images[task] for task in found}})
    root = (options.data or work / "data").resolve()
    cases, titles = checked_cases(options, challenge, tuple(found), root)
    plan = plan_of(options, challenge, present, cases, found, machine)
    devices = preflight.find_devices("all" if options.gpus == AUTO else options.gpus, wanted=plan.wants_gpu)
    workers = len(devices) or machine.cpus
    preflight.require_space(work, plan, workers)
    preflight.require_engine_space(machine)
    staging = work / "cases"
    staging.mkdir(mode=0o711)
    with locked(work / "run"):
        store = RunStore.open_or_create(work / "run", root)
        store.write_plan(plan)
        bench = Bench(store.facts.id, engine, machine, Devices(devices), root, staging.resolve())
        if devices:
            preflight.probe(plan, engine, machine, devices, run=bench.run, work=bench.work)
        with run_progress(console.stderr(), plan.trials) as on_record, open_local(workers) as executor:
            site = trials.Site(plan, store, bench, executor, workers, found, titles, on_record)
            seen = trials.try_all(site, challenge.spec.contract)
    judged = [_by_hand(verdict(each), each, bench) if options.keep else verdict(each) for each in seen]
    order = {task: place for place, task in enumerate(challenge.spec.tasks)}
    return Validation(
        tuple(sorted((*judged, *missing), key=lambda each: order[each.task])),
        unresolved=sum(case.is_the_machines for each in seen for case in each.seen),
        kept=work if options.keep else None,
    )


def _find_images(
    submission: SubmissionSpec, engine: Engine
) -> tuple[dict[str, ImageFacts], dict[str, ImageUnavailable]]:
    """Find each task's image; one that is not there keeps nobody from trying the others."""
    found, absent = {}, {}
    for task, image in submission.images.items():
        try:
            found[task] = engine.load_archive(image.archive) if image.archive else engine.find_image(image.image or "")
        except ImageUnavailable as fault:
            absent[task] = fault
    return found, absent


def _reference(image: SubmittedImage) -> str:
    return image.image or str(image.archive)


def checked_cases(
    options: ValidateOptions, challenge: Challenge, tasks: tuple[str, ...], root: Path
) -> tuple[dict[str, tuple[Case, ...]], dict[tuple[str, str], str]]:
    """Make cases up, or find those of ``--data``; return them by task, and what is peculiar about each."""
    cases, titles = {}, {}
    for name in tasks:
        task = challenge.task(name)
        if options.data is None:
            for made in synthetic.write_cases(task, root):
                titles[name, made.id] = made.title
        indexed = index_cases(task, root, with_references=False)
        if options.case is None:
            cases[name] = trials.with_repeats(indexed)
        elif 1 <= options.case <= len(indexed):
            cases[name] = (indexed[options.case - 1],)
        else:
            raise UsageError(
                f"--case is {options.case}; {name} has {len(indexed)} cases.",
                remedy=f"Give a number from 1 to {len(indexed)}.",
            )
    return cases, titles


def plan_of(
    options: ValidateOptions,
    challenge: Challenge,
    submission: SubmissionSpec,
    cases: dict[str, tuple[Case, ...]],
    found: dict[str, ImageFacts],
    machine: EngineFacts,
) -> Plan:
    """Plan as a run does."""
    facts = {submission.images[task]: each for task, each in found.items()}
    tasks = plan_tasks(challenge, cases, machine, seconds=options.seconds, gpu=_wants_gpu(options.gpus))
    entries = plan_entries([submission], tasks, facts.__getitem__, runtime=options.runtime)
    return Plan(challenge=challenge.spec, tasks=tasks, entries=entries, seed=0)


def _wants_gpu(asked: str) -> bool:
    if asked != AUTO:
        return asked != "none"
    try:
        return bool(preflight.ask_driver("uuid"))
    except DeviceUnavailable:
        return False


@contextmanager
def _work_folder(*, keep: bool) -> Iterator[Path]:
    """Have a folder for everything that is written, removed in the end unless it is to be kept."""
    with writing(Path(tempfile.gettempdir())):
        work = Path(tempfile.mkdtemp(prefix="fomo-eval-"))
    try:
        yield work
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            release(work)
            remove_tree(work)


def _by_hand(judged: Verdict, evidence: Evidence, bench: Bench) -> Verdict:
    """Leave one case ready to be run by hand, the first that failed or else the first, and say how."""
    chosen = next((each for each in evidence.seen if not each.is_ok), evidence.seen[0])
    trial = Trial(evidence.entry, evidence.task.spec, evidence.task.limits, chosen.case)
    staged = stage(trial.task, trial.case, root=bench.root, work=bench.work)
    device = bench.devices.ids[0] if bench.devices.ids and trial.limits.gpu else None
    asked = sandbox.container(trial_request(trial, staged, bench, device))
    return judged.model_copy(update={"by_hand": by_hand.docker_run(asked)})
