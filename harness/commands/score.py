"""``fomo-eval score`` and ``fomo-eval leaderboard``: all numbers anew from the records, without running anything."""

from __future__ import annotations

from pathlib import Path

from harness.commands.challenges import checked_challenge, chosen
from harness.commands.interrupts import interruptible
from harness.datasets.groups import load_groups
from harness.engines.outcome import Ending
from harness.errors import RunDirectoryError, UsageError
from harness.execution.verify import verify_on
from harness.records.files import to_json
from harness.records.plan import Entry, Plan
from harness.records.record import Record
from harness.records.store import RunStore
from harness.reports.files import (
    PROFILE_FILE,
    SUBGROUPS_FILE,
    write_leaderboard,
    write_scores,
    write_stability,
    write_subgroups,
)
from harness.reports.profile import profile
from harness.scoring.drawn import draw
from harness.scoring.folder import FolderScores, score_folder
from harness.scoring.leaderboard import Leaderboard, leaderboard
from harness.scoring.score import Records, all_records, score
from harness.scoring.score_table import rank_scores
from harness.scoring.stability import stability
from harness.scoring.subgroups import subgroups
from harness.specs.task import TaskSpec


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
        return score_and_rank(store, planned(store), data or store.facts.data)


def rank_table(path: Path, challenge: str) -> Leaderboard:
    """Rank a CSV of scores by a challenge's rule."""
    return rank_scores(path, checked_challenge(challenge))


def score_predictions(folder: Path, task: str, data: Path, challenge: str) -> FolderScores:
    """Score a folder of predictions that were made elsewhere.

    Parameters
    ----------
    folder
        The predictions.
    task, challenge
        What they predict.
    data
        The data folder, with the references.
    """
    loaded = checked_challenge(challenge)
    (name,) = chosen((task,), loaded.spec.tasks, option="--task")
    with interruptible():
        return score_folder(loaded.task(name), loaded.spec.name, loaded.spec.ranking, folder, data, _refusal)


def _refusal(task: TaskSpec, volume: Path, prediction: Path) -> str:
    outcome = verify_on(task, volume, prediction)
    return "" if outcome.ending is Ending.OK else outcome.detail


def score_and_rank(store: RunStore, plan: Plan, data: Path) -> Leaderboard:
    """Score and rank a run, and write every derived file."""
    if not data.is_dir():
        raise UsageError(f"{data}: the data folder of this run is not there.", remedy="Pass where it is as --data.")
    records = all_records(plan, store)
    scores = score(plan, store, data, records)
    drawn = draw(plan, scores)
    trust = stability(drawn)
    board = leaderboard(plan, scores, drawn, trust)
    write_scores(store, scores)
    write_stability(store, trust)
    write_leaderboard(store, board)
    groups = {task.spec.name: load_groups(task.spec, data, [case.id for case in task.cases]) for task in plan.tasks}
    if any(groups.values()):
        write_subgroups(store, subgroups(plan, scores, groups))
    else:
        (store.folder / SUBGROUPS_FILE).unlink(missing_ok=True)
    store.write(PROFILE_FILE, to_json(profile(_finished(plan, records))))
    return board


def _finished(plan: Plan, records: Records) -> list[tuple[Entry, list[Record]]]:
    return [(entry, [each for each in records[entry.key].values() if each is not None]) for entry in plan.entries]


def planned(store: RunStore) -> Plan:
    """Return a run's plan; refuse a run directory that has none."""
    plan = store.plan()
    if plan is None:
        raise RunDirectoryError(f"{store.folder}: has no plan.json.", remedy="Run 'fomo-eval run' into it first.")
    return plan
