"""The driver: hands trials to an executor and has each recorded the moment it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from harness.engines.outcome import Ending
from harness.errors import EngineUnavailable, FomoEvalError, RunInterrupted
from harness.execution.bench import Bench
from harness.execution.plan import shuffled
from harness.execution.request import Trial
from harness.execution.trial import Attempt, run_trial
from harness.records.plan import Plan
from harness.records.record import Record
from harness.records.store import RunStore

HOPELESS = frozenset({Ending.ENGINE_DOWN, Ending.DISK_FULL})
"""Endings after which no other trial would fare better: the run stops, to be continued later."""


def missing_trials(plan: Plan, store: RunStore, wanted: Plan) -> Iterator[Trial]:
    """List the trials that have no final record yet, entry by entry, cases in the run's order.

    Parameters
    ----------
    plan
        The run directory's plan.
    store
        The run directory.
    wanted
        The entries that were asked for now.
    """
    asked = {entry.key for entry in wanted.entries}
    for entry in plan.entries:
        if entry.key not in asked:
            continue
        task, finished = plan.task(entry.task), store.finished(entry)
        for case in shuffled(task.cases, plan.seed, entry.task):
            if case.id not in finished:
                yield Trial(entry, task.spec, task.limits, case)


def carry_out(
    trials: Iterable[Trial],
    bench: Bench,
    store: RunStore,
    executor: Executor,
    *,
    window: int,
    on_record: Callable[[Record], None],
) -> None:
    """Run trials and record each as it ends.

    Parameters
    ----------
    trials
        What to run; read only as fast as trials end.
    bench, store, executor
        Where they run and where they are kept.
    window
        How many are handed out at a time.
    on_record
        Called with each record after it was kept.

    Raises
    ------
    RunInterrupted
        Ctrl-C or SIGTERM; running containers were ended, and what was recorded stays.
    EngineUnavailable
        The engine or its disk gave up; going on would only spoil more attempts.
    """
    waiting = iter(trials)
    running: set[Future[Attempt]] = set()
    try:
        while True:
            while len(running) < window and (trial := next(waiting, None)) is not None:
                running.add(executor.submit(run_trial, trial, bench, store.attempts(trial.key) + 1))
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                running.remove(future)
                _keep(future.result(), store, on_record)
    except KeyboardInterrupt as fault:
        bench.engine.stop_all()
        _keep_the_rest(running, store, on_record)
        raise RunInterrupted(
            "The run was interrupted; everything recorded so far is kept.",
            remedy="Run the same command again to go on.",
        ) from fault
    except FomoEvalError:
        bench.engine.stop_all()
        _keep_the_rest(running, store, on_record)
        raise


def _keep(attempt: Attempt, store: RunStore, on_record: Callable[[Record], None]) -> None:
    store.commit(attempt.record, prediction=attempt.prediction, log=attempt.log)
    on_record(attempt.record)
    outcome = attempt.record.outcome
    if outcome.ending in HOPELESS:
        raise EngineUnavailable(f"{attempt.record.trial}: {outcome.detail}", remedy=outcome.remedy)


def _keep_the_rest(running: set[Future[Attempt]], store: RunStore, on_record: Callable[[Record], None]) -> None:
    """Record what ended by itself while the run was being stopped; what was killed for it is run again."""
    for future in running:
        future.cancel()
    for future in wait(running).done:
        if future.cancelled() or future.exception() is not None:
            continue
        attempt = future.result()
        if attempt.record.is_final:
            store.commit(attempt.record, prediction=attempt.prediction, log=attempt.log)
            on_record(attempt.record)
