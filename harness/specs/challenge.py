"""The challenge spec: its tasks, its tracks and how teams are ranked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from harness.errors import nearest
from harness.specs.part import Line, Name, Positive, Share, SpecPart, Whole
from harness.specs.task import TaskSpec

Scheme = Literal["aggregate_then_rank", "rank_then_aggregate", "test_then_rank"]
Average = Literal["mean", "median"]
TaskRule = Literal["mean_of_metric_ranks", "ranked_again"]
Absent = Literal["valid_submissions_plus_one", "last"]


class Resampling(SpecPart):
    """How uncertainty is measured: cases are drawn anew, the same for all teams, and everything is ranked again."""

    resamples: Whole = Field(default=10_000, ge=100, le=1_000_000)
    confidence: Share = 0.95


class Ranking(SpecPart):
    """How cases become a placement.

    ``scheme`` orders teams on each metric: by the ``average`` over cases (``aggregate_then_rank``), by the ``average``
    of their ranks within each case (``rank_then_aggregate``), or by how many teams they are significantly better than
    (``test_then_rank``). ``task_rule`` makes a task's rank of the weighted mean of its metrics' ranks: as it is, or as
    the place that it gives (``ranked_again``). The overall rank is the weighted mean of the task ranks.
    ``absent_task`` is the rank of a team that did not enter a task: one more than the number of those that did, or the
    last place of the track, its number of teams. ``alpha`` is the level of tests.
    """

    scheme: Scheme = "aggregate_then_rank"
    average: Average = "mean"
    task_rule: TaskRule = "mean_of_metric_ranks"
    ties: Literal["best"] = "best"
    absent_task: Absent = "valid_submissions_plus_one"
    task_weights: dict[Name, Positive] = Field(default_factory=dict)
    alpha: Share = 0.05
    resampling: Resampling = Resampling()


class ChallengeSpec(SpecPart):
    """What a ``challenge.yaml`` holds; its tasks lie beside it as ``<task>.yaml``."""

    name: Name
    title: Line
    description: str
    contract: Literal[1]
    tracks: dict[Name, Line] = Field(min_length=1)
    tasks: tuple[Name, ...] = Field(min_length=1)
    ranking: Ranking

    @model_validator(mode="after")
    def _consistent(self) -> ChallengeSpec:
        repeated = next((task for task in self.tasks if self.tasks.count(task) > 1), None)
        if repeated is not None:
            raise ValueError(f"has '{repeated}' twice in 'tasks'; name each task once.")
        foreign = sorted(set(self.ranking.task_weights) - set(self.tasks))
        if foreign:
            raise ValueError(
                f"has '{foreign[0]}' in 'ranking.task_weights', which is not among its 'tasks'. "
                + nearest(foreign[0], self.tasks)
            )
        return self


@dataclass(frozen=True)
class Challenge:
    """A challenge with its tasks, as loaded from one folder.

    Attributes
    ----------
    spec
        The content of ``challenge.yaml``.
    tasks
        The task specs in the challenge's order.
    folder
        Where they were read.
    """

    spec: ChallengeSpec
    tasks: tuple[TaskSpec, ...]
    folder: Path

    def task(self, name: str) -> TaskSpec:
        """Return the task of this name."""
        return next(task for task in self.tasks if task.name == name)

    def task_weight(self, name: str) -> float:
        """Return the task's weight in the overall rank."""
        return self.spec.ranking.task_weights.get(name, 1.0)
