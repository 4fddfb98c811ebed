"""The driver: hands trials to an executor and has each recorded the moment it ends."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import replace

from harness.engines.outcome import Ended, Ending, classify_repeated
from harness.errors import EngineUnavailable, FomoEvalError, RunInterrupted
from harness.execution.bench import Bench
from harness.execution.patience import EntryKey, FailFast, Retries
from harness.execution.plan import shuffled
from harness.execution.request import Trial
from harness.execution.trial import Attempt, not_run, run_trial
from harness.records.plan import Plan, TrialKey
from harness.records.record import Outcome, OutcomeRecord, Record
from harness.records.store import RunStore

HOPELESS = frozenset({Ending.ENGINE_DOWN, Ending.DISK_FULL})
"""Endings after which no other trial would fare better: everything waits, and then the run stops."""

MOMENT_S = 0.05


def missing_trials(plan: Plan, store: RunStore, wanted: Plan) -> Iterator[Trial]:
    """List the trials that have no final record yet: one case of each entry first, then entry by entry.

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
    entries = [entry for entry in plan.entries if entry.key in asked]
    open_trials = []
    for entry in entries:
        task, finished = plan.task(entry.task), store.finished(entry)
        cases = [case for case in shuffled(task.cases, plan.seed, entry.task) if case.id not in finished]
        open_trials.append([Trial(entry, task.spec, task.limits, case) for case in cases])
    # A fault that all of a team's cases share shows within the first minutes, not on the third day.
    yield from (trials[0] for trials in open_trials if trials)
    for trials in open_trials:
        yield from trials[1:]


def carry_out(
    trials: Iterable[Trial],
    bench: Bench,
    store: RunStore,
    executor: Executor,
    *,
    window: int,
    on_record: Callable[[Record], None],
    patience: tuple[Retries, FailFast] | None = None,
) -> None:
    """Run trials and record each as it ends.

    Parameters
    ----------
    trials
        What to run. The first of each entry is its canary: the entry's others are held back until that one is over.
    bench, store, executor
        Where they run and where they are kept.
    window
        How many are handed out at a time.
    on_record
        Called with each record after it was kept.
    patience
        How often to try again, and when to stop trying; by default three times, and never.

    Raises
    ------
    RunInterrupted
        Ctrl-C or SIGTERM; running containers were ended, and what was recorded stays.
    EngineUnavailable
        The engine or its disk gave up, and did not come back.
    """
    retries, fail_fast = patience or (Retries(), FailFast(0))
    run = _Run(iter(trials), bench, store, executor, window, on_record, retries, fail_fast)
    try:
        run.to_the_end()
    except KeyboardInterrupt as fault:
        bench.engine.stop_all()
        run.keep_the_rest()
        raise RunInterrupted(
            "The run was interrupted; everything recorded so far is kept.",
            remedy="Run the same command again to go on.",
        ) from fault
    except FomoEvalError:
        bench.engine.stop_all()
        run.keep_the_rest()
        raise


class _Run:
    """The trials of one call that are waiting, running, and waiting to be tried again."""

    def __init__(
        self,
        trials: Iterator[Trial],
        bench: Bench,
        store: RunStore,
        executor: Executor,
        window: int,
        on_record: Callable[[Record], None],
        retries: Retries,
        fail_fast: FailFast,
    ) -> None:
        self._waiting, self._bench, self._store, self._executor = trials, bench, store, executor
        self._window, self._on_record, self._retries, self._fail_fast = window, on_record, retries, fail_fast
        self._running: dict[Future[Attempt], Trial] = {}
        self._again: list[tuple[float, Trial]] = []
        self._tries: Counter[TrialKey] = Counter()
        self._not_before = 0.0
        self._held: dict[EntryKey, list[Trial]] = {}
        self._tried: set[EntryKey] = set()
        self._released: deque[Trial] = deque()

    def to_the_end(self) -> None:
        while True:
            self._hand_out()
            if not self._running and not self._again:
                return
            if not self._running:
                time.sleep(MOMENT_S)
                continue
            moment = MOMENT_S if self._again else None
            for future in wait(self._running, timeout=moment, return_when=FIRST_COMPLETED).done:
                self._take(future.result(), self._running[future])
                del self._running[future]

    def keep_the_rest(self) -> None:
        """Record what ended by itself while the run was being stopped; what was killed for it is run again."""
        for future in self._running:
            future.cancel()
        for future in wait(self._running).done:
            if not future.cancelled() and future.exception() is None and future.result().record.is_final:
                with suppress(FomoEvalError):  # what cannot be recorded now is run again too
                    self._keep(future.result())

    def _hand_out(self) -> None:
        while len(self._running) < self._window and (trial := self._next()) is not None:
            verdict = self._fail_fast.verdict(trial.entry)
            if verdict is not None and any(each.entry == trial.entry for each in self._running.values()):
                # One that is running now may still end well, and then there is hope for the others.
                self._again.append((0.0, trial))
                return
            if verdict is not None:
                self._end(not_run(trial, self._bench, verdict), trial)
                continue
            number = len(self._store.spoiled(trial.key)) + 1
            self._running[self._executor.submit(run_trial, trial, self._bench, number)] = trial

    def _next(self) -> Trial | None:
        now = time.monotonic()
        if now < self._not_before:
            return None
        due = next((each for each in self._again if each[0] <= now), None)
        if due is not None:
            self._again.remove(due)
            return due[1]
        return self._released.popleft() if self._released else self._next_waiting()

    def _next_waiting(self) -> Trial | None:
        for trial in self._waiting:
            key = trial.entry.key
            if key in self._tried:
                return trial
            if key not in self._held:
                self._held[key] = []
                return trial
            self._held[key].append(trial)
        return None

    def _take(self, attempt: Attempt, trial: Trial) -> None:
        attempt = self._judged_again(attempt)
        record = attempt.record
        if record.is_final:
            self._fail_fast.see(record)
            self._end(attempt, trial)
            return
        self._tries[trial.key] += 1
        if self._tries[trial.key] < self._retries.attempts:
            self._keep(attempt)
            self._try_again(trial, record.outcome, self._retries.waits_s[self._tries[trial.key] - 1])
            return
        self._end(attempt, trial)
        if record.outcome.ending in HOPELESS:
            raise EngineUnavailable(f"{record.trial}: {record.outcome.detail}", remedy=record.outcome.remedy)

    def _judged_again(self, attempt: Attempt) -> Attempt:
        """Judge what the machine is held to have spoiled in the light of all earlier attempts at the trial."""
        record, outcome = attempt.record, attempt.record.outcome
        if record.is_final:
            return attempt
        tries = [*self._store.spoiled(record.trial), record]
        judged = classify_repeated(
            Outcome(outcome.ending, outcome.detail), [Ended(each.outcome.ending, each.exit_code) for each in tries]
        )
        return replace(attempt, record=record.model_copy(update={"outcome": OutcomeRecord.of(judged)}))

    def _try_again(self, trial: Trial, outcome: OutcomeRecord, wait_s: float) -> None:
        due = time.monotonic() + wait_s
        self._again.append((due, trial))
        if outcome.ending in HOPELESS:
            self._not_before = max(self._not_before, due)

    def _end(self, attempt: Attempt, trial: Trial) -> None:
        """Keep the last attempt of this run at a trial; where it was a canary, others of its entry may follow."""
        self._keep(attempt)
        self._tried.add(trial.entry.key)
        self._released.extend(self._held.pop(trial.entry.key, ()))

    def _keep(self, attempt: Attempt) -> None:
        self._store.commit(attempt.record, prediction=attempt.prediction, log=attempt.log)
        self._on_record(attempt.record)
