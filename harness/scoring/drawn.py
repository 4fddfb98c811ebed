"""Everything that is drawn for one run, once: what leaderboard and stability are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.records.plan import Plan
from harness.scoring.draws import generator, resample
from harness.scoring.evidence import Evidence, EvidenceKey, collect
from harness.scoring.rank import RankedTask, ranked_tasks
from harness.scoring.schemes import TrackEvidence
from harness.scoring.scores import EntryScore, Scores
from harness.scoring.significance import Tested, compare
from harness.specs.challenge import Ranking

Draws = Mapping[EvidenceKey, NDArray[np.float64]]
"""Values in every draw, shape (draws,), NaN where undefined."""
Tests = Mapping[tuple[str, str], Tested]
"""By task and ranked metric, over the teams that entered the task, in order."""


@dataclass(frozen=True, eq=False)
class DrawnTrack:
    """One track's ranked teams.

    Attributes
    ----------
    orders
        What orders the teams in each draw: ranks within cases, where that is the scheme; their values elsewhere.
    """

    evidence: TrackEvidence
    orders: Draws
    tests: Tests


@dataclass(frozen=True, eq=False)
class DrawnRun:
    """A run's evidence and draws.

    Attributes
    ----------
    draws
        Every metric of every entry.
    redrawn
        By task, how many draws held one class only and were drawn again.
    """

    ranking: Ranking
    seed: int
    entries: tuple[EntryScore, ...]
    draws: Draws
    redrawn: Mapping[str, int]
    tracks: tuple[DrawnTrack, ...]


def draw(plan: Plan, scores: Scores) -> DrawnRun:
    """Draw cases anew, the same for all teams, and compute every metric in each draw.

    Parameters
    ----------
    plan
        The run's plan, for the ranking rule, the metrics and the seed.
    scores
        What the teams reached, case by case, in any order.
    """
    ranking = plan.challenge.ranking
    entries = tuple(sorted(scores.entries, key=lambda entry: (entry.track, entry.team, entry.task)))
    evidence = collect([task.spec for task in plan.tasks], entries, scores.references)
    classes = classes_of(evidence)
    draws, redrawn = _draw(evidence, classes, ranking, plan.seed)
    tasks = ranked_tasks(plan)
    tracks = tuple(
        _track(name, tasks, entries, evidence, draws, classes, ranking, plan.seed)
        for name in plan.challenge.tracks
        if any(entry.track == name for entry in entries)
    )
    return DrawnRun(ranking, plan.seed, entries, draws, redrawn, tracks)


def classes_of(evidence: Mapping[EvidenceKey, Evidence]) -> dict[str, NDArray[np.float64]]:
    """Return by task the classes of its cases, shape (cases,), where a metric needs both in every draw."""
    return {
        key.task: each.reference for key, each in evidence.items() if each.metric.classes and each.reference is not None
    }


def _draw(
    evidence: Mapping[EvidenceKey, Evidence],
    classes: Mapping[str, NDArray[np.float64]],
    ranking: Ranking,
    seed: int,
) -> tuple[dict[EvidenceKey, NDArray[np.float64]], dict[str, int]]:
    """Draw task by task: the same draws of a task, whoever entered it and whatever is computed in them."""
    draws: dict[EvidenceKey, NDArray[np.float64]] = {}
    redrawn: dict[str, int] = {}
    for task in sorted({key.task for key in evidence}):
        of_task = {key: each for key, each in evidence.items() if key.task == task}
        values, redrawn[task] = resample(
            of_task, ranking.resampling.resamples, ranking.average, generator(seed, task), classes.get(task)
        )
        draws |= values
    return draws, redrawn


def _track(
    name: str,
    tasks: tuple[RankedTask, ...],
    entries: tuple[EntryScore, ...],
    evidence: Mapping[EvidenceKey, Evidence],
    draws: Draws,
    classes: Mapping[str, NDArray[np.float64]],
    ranking: Ranking,
    seed: int,
) -> DrawnTrack:
    teams = tuple(sorted({entry.team for entry in entries if entry.track == name and not entry.baseline}))
    own = {key: each for key, each in evidence.items() if key.track == name and key.team in teams}
    track = TrackEvidence(name, teams, tasks, own)
    orders = draws
    if ranking.scheme == "rank_then_aggregate":
        orders, _ = _draw(track.ordering(ranking.scheme), classes, ranking, seed)
    tests = {
        (task.name, metric.name): compare(
            [own[key] for key in track.keys(task, metric)], [draws[key] for key in track.keys(task, metric)]
        )
        for task in tasks
        for metric in task.ranked_metrics
    }
    return DrawnTrack(track, orders, tests)
