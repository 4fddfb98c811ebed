"""The derived files of a run: scores and leaderboard, written together."""

from __future__ import annotations

from harness.records.files import to_json
from harness.records.store import RunStore
from harness.reports.csv import to_csv
from harness.reports.markdown import markdown
from harness.scoring.leaderboard import Leaderboard
from harness.scoring.scores import Scores
from harness.scoring.spreads import Stability
from harness.scoring.subgroups import Subgroups

SCORES_FILE = "scores.json"
LEADERBOARD_FILE = "leaderboard.json"
STABILITY_FILE = "stability.json"
SUBGROUPS_FILE = "subgroups.json"
PROFILE_FILE = "profile.json"


def write_scores(store: RunStore, scores: Scores) -> None:
    """Write ``scores.json``."""
    store.write(SCORES_FILE, to_json(scores.model_dump(mode="json")))


def write_stability(store: RunStore, trust: Stability) -> None:
    """Write ``stability.json``."""
    store.write(STABILITY_FILE, to_json(trust.model_dump(mode="json")))


def write_subgroups(store: RunStore, groups: Subgroups) -> None:
    """Write ``subgroups.json``."""
    store.write(SUBGROUPS_FILE, to_json(groups.model_dump(mode="json")))


def write_leaderboard(store: RunStore, board: Leaderboard) -> None:
    """Write the leaderboard as JSON, CSV and Markdown."""
    store.write(LEADERBOARD_FILE, to_json(board.model_dump(mode="json")))
    store.write("leaderboard.csv", to_csv(board).encode())
    store.write("leaderboard.md", markdown(board).encode())
