"""``fomo-eval run``: the whole pipeline, from left to right."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.commands.challenges import checked_challenge
from harness.commands.clean import remove_leftovers
from harness.commands.interrupts import interruptible
from harness.commands.planning import RunOptions, checked_cases, plan_of, wanted_submissions
from harness.commands.report import write_report
from harness.commands.score import score_and_rank
from harness.engines.docker import DockerEngine
from harness.engines.engine import Engine, EngineFacts
from harness.errors import FomoEvalError
from harness.execution import preflight
from harness.execution.bench import Bench, Devices
from harness.execution.drive import carry_out, missing_trials
from harness.execution.patience import FailFast, Retries
from harness.execution.plan import extend
from harness.executors.local import open_local
from harness.records.lock import locked
from harness.records.plan import Plan
from harness.records.store import RunStore
from harness.reports import console
from harness.reports.progress import run_progress
from harness.scoring.leaderboard import Leaderboard


@dataclass(frozen=True)
class RunSummary:
    """What came of a run; no leaderboard after a dry run.

    Attributes
    ----------
    unresolved
        How many of the trials that were asked for have no result.
    report
        Its folder, where one was written.
    """

    plan: Plan
    leaderboard: Leaderboard | None
    unresolved: int
    report: Path | None = None


def run(options: RunOptions) -> RunSummary:
    """Plan, run what is missing, score and rank.

    Raises
    ------
    FomoEvalError
        With a sentence and an exit code.
    """
    with interruptible():
        challenge = checked_challenge(options.challenge)
        submissions = wanted_submissions(options, challenge)
        store = RunStore.open(options.out) if RunStore.exists(options.out) else None
        kept = store.plan() if store else None
        cases = checked_cases(options, challenge, submissions, kept)
        with DockerEngine() as engine:
            machine = engine.facts()
            preflight.require_engine(machine, options.runtime)
            wanted = plan_of(options, challenge, submissions, cases, engine, machine)
            site = _Site(engine, machine, preflight.find_devices(options.gpus, wanted=wanted.wants_gpu), options)
            missing = _missing(extend(kept, wanted), store, wanted)
            screen = console.stderr()
            screen.print(console.plan_summary(wanted, missing=missing, workers=site.workers, devices=site.devices))
            if options.dry_run:
                screen.print(console.container_options(wanted))
                return RunSummary(wanted, None, missing)
            if missing:
                for folder in (options.out, Path(tempfile.gettempdir())):
                    preflight.require_space(folder, wanted, site.workers)
                preflight.require_engine_space(machine)
            with locked(options.out):
                return _run(RunStore.open_or_create(options.out, options.data), wanted, site, screen)


@dataclass(frozen=True)
class _Site:
    """Where the trials of this call run."""

    engine: Engine
    machine: EngineFacts
    devices: tuple[str, ...]
    options: RunOptions

    @property
    def workers(self) -> int:
        return self.options.workers or len(self.devices) or self.machine.cpus


def _run(store: RunStore, wanted: Plan, site: _Site, screen: Console) -> RunSummary:
    # Read again: another run may have added teams before the lock was ours.
    plan = extend(store.plan(), wanted)
    remove_leftovers(store, site.engine)
    missing = _missing(plan, store, wanted)
    if missing:
        work = store.make_work()
        _probe(wanted, store, site, work)
        store.write_plan(plan)
        _carry_out(plan, wanted, store, site, screen, missing=missing, work=work)
        remove_leftovers(store, site.engine)
    else:
        store.write_plan(plan)
        screen.print("Every trial is recorded already.")
    board = score_and_rank(store, plan, site.options.data)
    written = write_report(store, site.options.data, ("html",)) if site.options.report else None
    return RunSummary(plan, board, _missing(plan, store, wanted), written)


def _missing(plan: Plan, store: RunStore | None, wanted: Plan) -> int:
    return wanted.trials if store is None else sum(1 for _ in missing_trials(plan, store, wanted))


def _probe(wanted: Plan, store: RunStore, site: _Site, work: Path) -> None:
    try:
        preflight.probe(wanted, site.engine, site.machine, site.devices, run=store.facts.id, work=work)
    except FomoEvalError:
        if store.plan() is None:
            store.discard()  # nothing was ever planned in it: it is to be as if it had not been made
        raise


def _carry_out(
    plan: Plan, wanted: Plan, store: RunStore, site: _Site, screen: Console, *, missing: int, work: Path
) -> None:
    bench = Bench(
        run=store.facts.id,
        engine=site.engine,
        machine=site.machine,
        devices=Devices(site.devices),
        root=site.options.data.resolve(),
        work=work,
    )
    trials = missing_trials(plan, store, wanted)
    recorded = (record for _, records in store.finished_records(plan) for record in records)
    patience = (Retries(), FailFast.having_seen(recorded, after=plan.fail_fast_after))
    # Two more than the workers: the next trial is there when one ends, and nothing is handed out long before.
    window = site.workers + 2
    with run_progress(screen, missing) as on_record, open_local(site.workers) as executor:
        carry_out(trials, bench, store, executor, window=window, on_record=on_record, patience=patience)
