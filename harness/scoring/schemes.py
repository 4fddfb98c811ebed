"""Three ways from cases to an order of teams on each metric (Maier-Hein 2018, Wiesenfarth 2021).

``aggregate_then_rank`` orders teams by the metric's value; ``rank_then_aggregate`` by their average rank within cases;
``test_then_rank`` by how many teams they are significantly better than. Where a metric has no value per case (AUROC,
Pearson r), cases cannot be ranked, and ``rank_then_aggregate`` orders by its value too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.scoring.evidence import Evidence, EvidenceKey
from harness.scoring.rank import RANK_DECIMALS, RankedTask, Values, competition_ranks, order_keys
from harness.scoring.significance import Tested
from harness.specs.challenge import Ranking, Scheme
from harness.specs.task import MetricSpec

Keys = dict[str, dict[str, Values]]


@dataclass(frozen=True, eq=False)
class TrackEvidence:
    """The evidence of one track's ranked teams.

    Attributes
    ----------
    teams
        By name.
    evidence
        A team that did not enter a task has none for it.
    """

    track: str
    teams: tuple[str, ...]
    tasks: tuple[RankedTask, ...]
    evidence: Mapping[EvidenceKey, Evidence]

    def entered(self, task: RankedTask) -> NDArray[np.bool_]:
        """Return which teams entered a task, shape (teams,)."""
        return np.array([self.key(team, task, task.metrics[0]) in self.evidence for team in self.teams], dtype=bool)

    def keys(self, task: RankedTask, metric: MetricSpec) -> list[EvidenceKey]:
        """Return whose evidence there is for a metric, in the order of teams."""
        keys = (self.key(team, task, metric) for team in self.teams)
        return [key for key in keys if key in self.evidence]

    def key(self, team: str, task: RankedTask, metric: MetricSpec) -> EvidenceKey:
        """Name a team's evidence."""
        return EvidenceKey(self.track, team, task.name, metric.name)

    def ordering(self, scheme: Scheme) -> dict[EvidenceKey, Evidence]:
        """Return the evidence whose values order the teams on ranked metrics."""
        found: dict[EvidenceKey, Evidence] = {}
        for task in self.tasks:
            for metric in task.ranked_metrics:
                keys = self.keys(task, metric)
                found |= zip(keys, _ordering([self.evidence[key] for key in keys], scheme), strict=True)
        return found


def _ordering(evidence: Sequence[Evidence], scheme: Scheme) -> Sequence[Evidence]:
    """Rank teams within each case, where the scheme asks for that and cases have values."""
    per_case = [each.case_values() for each in evidence]
    values = [each for each in per_case if each is not None]
    if scheme != "rank_then_aggregate" or not values or len(values) < len(per_case):
        return evidence
    ranks = competition_ranks(order_keys(np.stack(values, axis=1), evidence[0].spec)).astype(np.float64)
    spec = evidence[0].spec.model_copy(update={"direction": "lower", "decimals": RANK_DECIMALS})
    return [
        Evidence(spec, each.metric, None, np.where(each.counted, ranks[:, team], np.nan))
        for team, each in enumerate(evidence)
    ]


def drawn_keys(track: TrackEvidence, scheme: Scheme, draws: Mapping[EvidenceKey, Values]) -> Keys:
    """Order a track's teams on every ranked metric in every draw.

    Parameters
    ----------
    track
        The teams' evidence.
    scheme
        The scheme.
    draws
        What the ordering evidence is worth in each draw, shape (draws,).
    """
    ordering = track.ordering(scheme)
    count = next((values.size for values in draws.values()), 1)

    def keys(task: RankedTask, metric: MetricSpec) -> Values:
        of_teams = track.keys(task, metric)
        if not of_teams:
            return np.empty((count, 0))
        values = np.stack([draws[key] for key in of_teams], axis=1)
        return order_keys(values, ordering[of_teams[0]].spec)

    return {
        task.name: {metric.name: _to_all(keys(task, metric), track.entered(task)) for metric in task.ranked_metrics}
        for task in track.tasks
    }


def point_keys(track: TrackEvidence, ranking: Ranking, tests: Mapping[tuple[str, str], Tested]) -> Keys:
    """Order a track's teams on every ranked metric by the cases as they are: one draw.

    Parameters
    ----------
    track
        The teams' evidence.
    ranking
        The scheme, the average, and the level of tests.
    tests
        By task and ranked metric, over the teams that entered the task.
    """
    values = {
        key: np.array([_number(each.value(ranking.average))]) for key, each in track.ordering(ranking.scheme).items()
    }
    keys = drawn_keys(track, ranking.scheme, values)
    if ranking.scheme == "test_then_rank":
        for task in track.tasks:
            for metric in task.ranked_metrics:
                wins = (tests[task.name, metric.name].p <= ranking.alpha).sum(axis=1, dtype=np.float64)
                by_wins = _to_all(-wins[None], track.entered(task))
                keys[task.name][metric.name] = np.where(np.isnan(keys[task.name][metric.name]), np.nan, by_wins)
    return keys


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _to_all(keys: Values, entered: NDArray[np.bool_]) -> Values:
    """Give every team of the track its column; NaN where it did not enter."""
    spread = np.full((len(keys), entered.size), np.nan)
    spread[:, entered] = keys
    return spread
