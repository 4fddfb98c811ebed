"""``fomo-eval run``: the whole pipeline, from left to right."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from harness.commands.challenges import checked_challenge, chosen
from harness.commands.score import score_and_rank
from harness.datasets import references
from harness.datasets.case import Case, Volume
from harness.datasets.index import index_cases
from harness.engines.docker import DockerEngine
from harness.engines.engine import Engine, EngineFacts, ImageFacts
from harness.errors import UsageError
from harness.execution import preflight
from harness.execution.bench import Bench, Devices
from harness.execution.drive import carry_out, missing_trials
from harness.execution.plan import extend, plan_entries, plan_tasks
from harness.executors.local import open_local
from harness.records.plan import Plan
from harness.records.store import RunStore
from harness.reports import console
from harness.reports.progress import run_progress
from harness.scoring.leaderboard import Leaderboard
from harness.specs.challenge import Challenge
from harness.specs.loading import load_submissions
from harness.specs.submission import SubmissionSpec, SubmittedImage


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
    dry_run: bool = False


@dataclass(frozen=True)
class RunSummary:
    """What came of a run; no leaderboard after a dry run.

    Attributes
    ----------
    unresolved
        Trials that have no result for reasons that are not a team's.
    """

    leaderboard: Leaderboard | None
    folder: Path
    unresolved: int


def run(options: RunOptions) -> RunSummary:
    """Plan, run what is missing, score and rank.

    Raises
    ------
    FomoEvalError
        With a sentence and an exit code.
    """
    if options.seconds is not None and not 0 < options.seconds < math.inf:
        raise UsageError(f"--timeout is {options.seconds}.", remedy="Give a finite number of seconds above 0.")
    screen = console.stderr()
    challenge = checked_challenge(options.challenge)
    submissions = _submissions(options, challenge)
    store = RunStore.open(options.out) if RunStore.exists(options.out) else None
    kept = store.plan() if store else None
    cases = _cases(options, challenge, submissions, kept)
    with _terminable(), DockerEngine() as engine:
        machine = engine.facts()
        wanted = _plan(options, challenge, submissions, cases, engine, machine)
        plan = extend(kept, wanted)
        devices = preflight.find_devices(options.gpus, wanted=any(task.limits.gpu for task in wanted.tasks))
        workers = options.workers or len(devices) or machine.cpus
        missing = sum(1 for _ in missing_trials(plan, store, wanted)) if store else wanted.trials
        screen.print(console.plan_summary(wanted, missing=missing, workers=workers, devices=devices))
        if options.dry_run:
            return RunSummary(None, options.out, missing)
        store = store or RunStore.create(options.out, options.data)
        with store.locked():
            store.write_plan(plan)
            bench = _bench(options, store, engine, machine, Devices(devices))
            _carry_out(plan, wanted, bench, store, workers=workers, missing=missing, screen=screen)
            return RunSummary(score_and_rank(store, plan, options.data), options.out, _unresolved(plan, store, wanted))


def _submissions(options: RunOptions, challenge: Challenge) -> tuple[SubmissionSpec, ...]:
    everyone = load_submissions(options.submissions, challenge)
    teams = chosen(options.teams, sorted({each.team for each in everyone}), option="--teams")
    return tuple(each for each in everyone if each.team in teams)


def _cases(
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


def _plan(
    options: RunOptions,
    challenge: Challenge,
    submissions: tuple[SubmissionSpec, ...],
    cases: Mapping[str, tuple[Case, ...]],
    engine: Engine,
    machine: EngineFacts,
) -> Plan:
    def find_image(image: SubmittedImage) -> ImageFacts:
        return engine.load_archive(image.archive) if image.archive else engine.find_image(image.image or "")

    tasks = plan_tasks(challenge, cases, machine, seconds=options.seconds, gpu=options.gpus != "none")
    entries = plan_entries(submissions, [task.spec for task in tasks], find_image)
    return Plan(challenge=challenge.spec, tasks=tasks, entries=entries, seed=options.seed)


def _bench(options: RunOptions, store: RunStore, engine: Engine, machine: EngineFacts, devices: Devices) -> Bench:
    store.clear_work()
    engine.remove_leftovers(store.facts.id)
    return Bench(
        run=store.facts.id,
        engine=engine,
        machine=machine,
        devices=devices,
        root=options.data.resolve(),
        work=store.work.resolve(),
    )


def _carry_out(
    plan: Plan, wanted: Plan, bench: Bench, store: RunStore, *, workers: int, missing: int, screen: Console
) -> None:
    if not missing:
        screen.print("Every trial is recorded already.")
        return
    preflight.probe_devices(wanted, bench)
    # Two more than the workers: the next trial is there when one ends, and nothing is handed out long before.
    window = workers + 2
    with run_progress(screen, missing) as on_record, open_local(workers) as executor:
        carry_out(missing_trials(plan, store, wanted), bench, store, executor, window=window, on_record=on_record)
    store.work.rmdir()


def _unresolved(plan: Plan, store: RunStore, wanted: Plan) -> int:
    return sum(1 for _ in missing_trials(plan, store, wanted))


@contextmanager
def _terminable() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that a stopped service ends its containers too."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
