"""The challenge spec: its tasks, its tracks and how teams are ranked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from harness.errors import nearest
from harness.specs.part import Line, Name, Positive, SpecPart
from harness.specs.task import TaskSpec


class Ranking(SpecPart):
    """How metric values become a placement.

    ``mean_of_metric_ranks``: teams are ranked on each metric of a task; the task's rank is the weighted
    mean of its metric ranks; the overall rank is the weighted mean of the task ranks.
    """

    scheme: Literal["mean_of_metric_ranks"]
    ties: Literal["best"] = "best"
    absent_task: Literal["valid_submissions_plus_one"] = "valid_submissions_plus_one"
    task_weights: dict[Name, Positive] = Field(default_factory=dict)


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
