"""The plan: everything that decides what a run's trials are, and a hash that says so."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.datasets.case import Case
from harness.specs.challenge import ChallengeSpec
from harness.specs.task import TaskSpec


class Kept(BaseModel):
    """A frozen piece of what a run directory holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrialKey(Kept):
    """Which trial: one team's image on one case."""

    track: str
    team: str
    task: str
    case: str

    def __str__(self) -> str:
        return f"{self.track}/{self.team}/{self.task}/{self.case}"


class EffectiveLimits(Kept):
    """The limits of a task's containers on this machine: the spec's, capped at what the machine has."""

    seconds: float
    cpus: float
    memory_bytes: int
    shared_memory_bytes: int
    scratch_bytes: int
    output_bytes: int
    processes: int
    gpu: bool


class PlannedTask(Kept):
    """A task with its limits and its cases."""

    spec: TaskSpec
    limits: EffectiveLimits
    cases: tuple[Case, ...]


class PlannedImage(Kept):
    """The image of an entry, resolved to what will run."""

    reference: str
    id: str
    digest: str
    platform: str
    bytes: int
    has_entrypoint: bool
    volumes: tuple[str, ...]
    contract: str


class Entry(Kept):
    """One submission's part in one task."""

    track: str
    team: str
    title: str
    baseline: bool
    task: str
    image: PlannedImage
    command: tuple[str, ...] | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Track, team and task."""
        return (self.track, self.team, self.task)


class Plan(Kept):
    """What a run is: challenge, tasks with cases, entries.

    Attributes
    ----------
    seed
        Shuffles the order of cases.
    """

    format: Literal[1] = 1
    challenge: ChallengeSpec
    tasks: tuple[PlannedTask, ...]
    entries: tuple[Entry, ...]
    seed: int

    def task(self, name: str) -> PlannedTask:
        """Return the planned task of this name."""
        return next(task for task in self.tasks if task.spec.name == name)

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return sum(len(self.task(entry.task).cases) for entry in self.entries)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything in the plan that can change a result."""
        return fingerprint(
            {
                "challenge": self.challenge,
                "tasks": [task_conditions(task) for task in self.tasks],
                "entries": [entry_conditions(entry) for entry in self.entries],
                "seed": self.seed,
            }
        )


def task_conditions(task: PlannedTask) -> dict[str, Any]:
    """Return what of a task can change a result: its spec, limits, and the content of its cases."""
    return {
        "spec": task.spec.model_dump(mode="json"),
        "limits": task.limits.model_dump(mode="json"),
        "cases": {case.id: {name: each.sha256 for name, each in case.volumes.items()} for case in task.cases},
    }


def entry_conditions(entry: Entry) -> dict[str, Any]:
    """Return what of an entry can change a result: whose it is and exactly what runs."""
    return {
        "key": entry.key,
        "baseline": entry.baseline,
        "image": entry.image.id,
        "command": entry.command,
    }


def fingerprint(content: object) -> str:
    """Return the SHA-256 of canonical JSON: sorted keys, no white space."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_as_json)
    return hashlib.sha256(text.encode()).hexdigest()


def _as_json(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no place in a plan")
