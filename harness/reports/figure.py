"""What a figure is, and what the figures of one task are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.records.plan import PlannedTask
from harness.reports.finished import FinishedRun
from harness.scoring.evidence import Evidence, evidence
from harness.scoring.leaderboard import Row, TaskColumn, TrackTable
from harness.scoring.scores import EntryScore
from harness.specs.task import MetricSpec

RANKING, MACHINE = "ranking", "machine"
Volumes = Mapping[str, Mapping[str, float]]
"""By task and case, the volume of the reference in millilitres."""


@dataclass(frozen=True)
class Figure:
    """One plot.

    Attributes
    ----------
    name
        As a file name, without its ending.
    part
        ``ranking``, ``machine``, or the task it belongs to.
    caption
        What is seen, and what has to be known to read it.
    """

    name: str
    part: str
    title: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Drawn:
    """What the plots of one task in one track are drawn from: its teams, best first, baselines last."""

    run: FinishedRun
    track: TrackTable
    task: PlannedTask
    column: TaskColumn
    rows: tuple[Row, ...]
    entries: tuple[EntryScore, ...]

    @property
    def titles(self) -> list[str]:
        """Every team's title, marked where it is a baseline."""
        return [row.title + (" (baseline)" if row.baseline else "") for row in self.rows]

    def evidence(self, metric: MetricSpec) -> list[Evidence]:
        """Return what each team's value of a metric is computed from, over all cases by id."""
        truths = self.run.scores.references.get(self.column.name, {})
        return [evidence(metric, self.task.spec, entry.case_scores, truths) for entry in self.entries]

    def named(self, kind: str) -> str:
        """Name a figure of this task."""
        return f"{self.track.name}-{self.column.name}-{kind}"
