"""``fomo-eval score`` and ``fomo-eval leaderboard``: all numbers anew from the records, without running anything."""

from __future__ import annotations

from pathlib import Path

from harness.commands.interrupts import interruptible
from harness.errors import RunDirectoryError, UsageError
from harness.records.files import to_json
from harness.records.plan import Entry, Plan
from harness.records.record import Record
from harness.records.store import RunStore
from harness.reports.files import PROFILE_FILE, write_leaderboard, write_scores
from harness.reports.profile import profile
from harness.scoring.leaderboard import Leaderboard, leaderboard
from harness.scoring.score import Records, all_records, score


def score_run(folder: Path, data: Path | None) -> Leaderboard:
    """Score a run again from its records and predictions, and rank it.

    Parameters
    ----------
    folder
        The run directory.
    data
        The data folder; None for the one the run used.
    """
    store = RunStore.open(folder)
    with interruptible():
        return score_and_rank(store, _plan(store), data or store.facts.data)


def score_and_rank(store: RunStore, plan: Plan, data: Path) -> Leaderboard:
    """Score and rank a run, and write every derived file."""
    if not data.is_dir():
        raise UsageError(f"{data}: the data folder of this run is not there.", remedy="Pass where it is as --data.")
    records = all_records(plan, store)
    scores = score(plan, store, data, records)
    board = leaderboard(plan, scores)
    write_scores(store, scores)
    write_leaderboard(store, board)
    store.write(PROFILE_FILE, to_json(profile(_finished(plan, records))))
    return board


def _finished(plan: Plan, records: Records) -> list[tuple[Entry, list[Record]]]:
    return [(entry, [each for each in records[entry.key].values() if each is not None]) for entry in plan.entries]


def _plan(store: RunStore) -> Plan:
    plan = store.plan()
    if plan is None:
        raise RunDirectoryError(f"{store.folder}: has no plan.json.", remedy="Run 'fomo-eval run' into it first.")
    return plan
