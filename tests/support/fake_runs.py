"""Whole runs without containers: the real driver, recording and scoring around functions that stand for images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.datasets.case import Case
from harness.engines.engine import RunRequest, RunResult
from harness.engines.fake import Behaviour, FakeEngine
from harness.errors import InfrastructureError
from harness.execution.bench import Bench, Devices
from harness.execution.drive import carry_out, missing_trials
from harness.execution.patience import FailFast, Retries
from harness.executors.local import open_local
from harness.records.lock import locked
from harness.records.plan import Plan
from harness.records.record import Record
from harness.records.store import RunStore

Answer = bytes | RunResult | InfrastructureError
"""What an image does with a case: it writes this file, ends in this way, or the machine fails."""


def answering(cases: Mapping[str, tuple[Case, ...]], answer: Callable[[str, str], Answer]) -> Behaviour:
    """Make an image that recognises each case by its voxels and answers with what ``answer(task, case)`` says."""
    known = {
        volume.sha256: (task, case.id)
        for task, of_task in cases.items()
        for case in of_task
        for volume in case.volumes.values()
    }

    def behave(request: RunRequest) -> RunResult:
        first = request.input_folder / Path(request.arguments[1]).name
        what = answer(*known[hashlib.sha256(first.read_bytes()).hexdigest()])
        if isinstance(what, InfrastructureError):
            raise what
        if isinstance(what, RunResult):
            return what
        (request.output_folder / Path(request.arguments[-1]).name).write_bytes(what)
        return RunResult(exit_code=0, seconds=0.1)

    return behave


def carried_out(
    plan: Plan,
    root: Path,
    folder: Path,
    behaviours: Mapping[str, Behaviour],
    *,
    workers: int = 2,
    waits_s: tuple[float, ...] = (),
) -> RunStore:
    """Run what a run directory (new or not) has no record of yet; a spoiled trial is tried again after these waits."""
    recorded: list[Record] = []
    with locked(folder), FakeEngine(behaviours) as engine, open_local(workers) as executor:
        store = RunStore.open_or_create(folder, root)
        store.write_plan(plan)
        store.remove_leftovers()
        work = store.make_work()
        bench = Bench(store.facts.id, engine, engine.facts(), Devices(()), root.resolve(), work)
        trials = missing_trials(plan, store, plan)
        before = (record for _, records in store.finished_records(plan) for record in records)
        patience = (Retries(waits_s), FailFast.having_seen(before, after=plan.fail_fast_after))
        try:
            carry_out(trials, bench, store, executor, window=workers + 2, on_record=recorded.append, patience=patience)
            assert list(work.iterdir()) == []
        finally:
            store.remove_leftovers()
    return store
