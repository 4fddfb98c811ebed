"""``fomo-eval score`` and ``fomo-eval leaderboard``: numbers from records, without running anything."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.errors import RunDirectoryError, UsageError
from harness.records.files import to_json
from harness.records.plan import Plan
from harness.records.store import RunStore
from harness.reports.files import PROFILE_FILE, SCORES_FILE, write_leaderboard, write_scores
from harness.reports.profile import profile
from harness.scoring.leaderboard import Leaderboard, leaderboard
from harness.scoring.score import evidence, rules, score
from harness.scoring.scores import Scores


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
    return score_and_rank(store, _plan(store), data or store.facts.data)


def rank_run(folder: Path, data: Path | None) -> Leaderboard:
    """Rank a run from its scores; they are computed anew where records were added since.

    Parameters
    ----------
    folder, data
        As in :func:`score_run`.
    """
    store = RunStore.open(folder)
    plan = _plan(store)
    scores = _kept_scores(store)
    if scores is None or (scores.rules, scores.evidence) != (rules(plan), evidence(plan, store)):
        return score_and_rank(store, plan, data or store.facts.data)
    board = leaderboard(plan, scores)
    write_leaderboard(store, board)
    return board


def score_and_rank(store: RunStore, plan: Plan, data: Path) -> Leaderboard:
    """Score and rank a run, and write every derived file."""
    if not data.is_dir():
        raise UsageError(f"{data}: the data folder of this run is not there.", remedy="Pass where it is as --data.")
    scores = score(plan, store, data)
    board = leaderboard(plan, scores)
    write_scores(store, scores)
    write_leaderboard(store, board)
    store.write(PROFILE_FILE, to_json(profile(store.finished_records(plan))))
    return board


def _plan(store: RunStore) -> Plan:
    plan = store.plan()
    if plan is None:
        raise RunDirectoryError(f"{store.folder}: has no plan.json.", remedy="Run 'fomo-eval run' into it first.")
    return plan


def _kept_scores(store: RunStore) -> Scores | None:
    path = store.folder / SCORES_FILE
    try:
        return Scores.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
