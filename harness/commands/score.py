"""``fomo-eval score`` and ``fomo-eval leaderboard``: all numbers anew from the records, without running anything."""

from __future__ import annotations

from pathlib import Path

from harness.commands.challenges import checked_challenge
from harness.commands.interrupts import interruptible
from harness.datasets.groups import load_groups
from harness.errors import RunDirectoryError, UsageError
from harness.records.files import to_json
from harness.records.plan import Plan
from harness.records.store import RunStore
from harness.reports.files import PROFILE_FILE, write_leaderboard, write_scores, write_stability, write_subgroups
from harness.reports.profile import profile
from harness.scoring.drawn import draw
from harness.scoring.leaderboard import Leaderboard, leaderboard
from harness.scoring.score import score
from harness.scoring.score_table import rank_scores
from harness.scoring.stability import stability
from harness.scoring.subgroups import subgroups


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


def score_and_rank(store: RunStore, plan: Plan, data: Path) -> Leaderboard:
    """Score and rank a run, and write every derived file."""
    if not data.is_dir():
        raise UsageError(f"{data}: the data folder of this run is not there.", remedy="Pass where it is as --data.")
    scores = score(plan, store, data)
    drawn = draw(plan, scores)
    trust = stability(drawn)
    board = leaderboard(plan, scores, drawn, trust)
    write_scores(store, scores)
    write_stability(store, trust)
    write_leaderboard(store, board)
    groups = {task.spec.name: load_groups(task.spec, data, [case.id for case in task.cases]) for task in plan.tasks}
    if any(groups.values()):
        write_subgroups(store, subgroups(plan, scores, groups))
    store.write(PROFILE_FILE, to_json(profile(store.finished_records(plan))))
    return board


def planned(store: RunStore) -> Plan:
    """Return a run's plan; refuse a run directory that has none."""
    plan = store.plan()
    if plan is None:
        raise RunDirectoryError(f"{store.folder}: has no plan.json.", remedy="Run 'fomo-eval run' into it first.")
    return plan
