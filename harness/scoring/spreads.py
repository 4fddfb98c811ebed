"""What ``stability.json`` holds: intervals, rank distributions, tests, and the placements of other rules."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.records.plan import Kept
from harness.scoring.draws import interval
from harness.scoring.significance import Method


class Interval(Kept):
    """A percentile interval.

    Attributes
    ----------
    undefined
        In how many draws the metric had no value.
    """

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    undefined: int = 0

    @classmethod
    def of(cls, values: NDArray[np.float64], confidence: float) -> Interval | None:
        """Take the interval of a metric's values in all draws; None where it has a value in none."""
        ends = interval(values, confidence)
        return None if ends is None else cls(low=ends[0], high=ends[1], undefined=int(np.isnan(values).sum()))


class EntryIntervals(Kept):
    """The interval of every metric of one entry; a metric that has no value in any draw has none."""

    track: str
    team: str
    task: str
    metrics: dict[str, Interval]


class Spread(Kept):
    """How a rank varies over draws.

    Attributes
    ----------
    shares
        By rank, the share of draws in which it was that.
    """

    low: float
    median: float
    high: float
    shares: dict[str, float] = Field(default_factory=dict)


class TeamStability(Kept):
    """How a team's ranks vary.

    Attributes
    ----------
    first
        The share of draws in which it came first, alone or with others.
    group
        Teams of one group cannot be told from its best by their overall ranks.
    """

    team: str
    placement: Spread
    overall_rank: Spread
    tasks: dict[str, Spread]
    first: float
    group: int


class MetricTests(Kept):
    """Adjusted p values that the team of a row is no better than that of a column, and the groups they make."""

    method: Method
    teams: tuple[str, ...]
    p: tuple[tuple[float, ...], ...]
    groups: dict[str, int]


class SchemePlacements(Kept):
    """What one rule makes of the same cases."""

    scheme: str
    average: str
    task_rule: str
    absent_task: str
    used: bool
    placements: dict[str, int]


class TrackStability(Kept):
    """One track's stability.

    Attributes
    ----------
    kendall_tau
        Between the placements as they are and those of each draw; absent for fewer than two teams.
    teams
        By placement; empty where the scheme cannot be drawn anew, with the reason in ``undrawn``.
    """

    name: str
    undrawn: str = ""
    kendall_tau: Spread | None = Field(default=None, exclude_if=lambda value: value is None)
    teams: tuple[TeamStability, ...]
    tests: dict[str, dict[str, MetricTests]]
    schemes: tuple[SchemePlacements, ...]


class Stability(Kept):
    """What ``stability.json`` holds.

    Attributes
    ----------
    redrawn
        By task, how many draws held one class only and were drawn again.
    """

    format: Literal[1] = 1
    seed: int
    resamples: int
    confidence: float
    alpha: float
    redrawn: dict[str, int]
    entries: tuple[EntryIntervals, ...]
    tracks: tuple[TrackStability, ...]

    def intervals(self, track: str, team: str, task: str) -> dict[str, Interval]:
        """Return the intervals of one entry's metrics."""
        found = (each.metrics for each in self.entries if (each.track, each.team, each.task) == (track, team, task))
        return next(found, {})

    def of_team(self, track: str, team: str) -> TeamStability | None:
        """Return how a team's ranks vary; None where they cannot be drawn anew."""
        return next((each for each in self.track(track).teams if each.team == team), None)

    def groups(self, track: str, team: str, task: str) -> dict[str, int]:
        """Return a team's group on each ranked metric of a task."""
        return {metric: tests.groups[team] for metric, tests in self.track(track).tests[task].items()}

    def track(self, name: str) -> TrackStability:
        """Return the track of this name."""
        return next(each for each in self.tracks if each.name == name)
