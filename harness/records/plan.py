"""The plan: everything that decides what a run's trials are, and a hash that says so."""

from __future__ import annotations

import hashlib
import json
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
    output_entries: int
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
    """One submission's part in one task.

    Attributes
    ----------
    container
        The configuration that all its containers have in common, in the engine API's words.
    """

    track: str
    team: str
    title: str
    baseline: bool
    task: str
    image: PlannedImage
    command: tuple[str, ...] | None
    container: dict[str, Any]

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
    fail_fast_after
        After so many cases of an entry that all ended in the same failure, its others are recorded alike without
        being run; 0 to run all.
    notice
        What is to be said wherever results on these data are shown.
    """

    format: Literal[1] = 1
    challenge: ChallengeSpec
    tasks: tuple[PlannedTask, ...]
    entries: tuple[Entry, ...]
    seed: int
    fail_fast_after: int = 0
    notice: str = ""

    def task(self, name: str) -> PlannedTask:
        """Return the planned task of this name."""
        return next(task for task in self.tasks if task.spec.name == name)

    @property
    def wants_gpu(self) -> bool:
        """Whether any task's containers get a GPU."""
        return any(task.limits.gpu for task in self.tasks)

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return sum(len(self.task(entry.task).cases) for entry in self.entries)

    @property
    def hash(self) -> str:
        """SHA-256 of everything in the plan that can change a result."""
        return fingerprint(
            {
                "challenge": self.challenge,
                "tasks": [task_conditions(task) for task in self.tasks],
                "entries": [entry_conditions(entry) for entry in self.entries],
                "seed": self.seed,
                "fail_fast_after": self.fail_fast_after,
            }
        )

    @property
    def conditions(self) -> dict[str, str]:
        """The hash of each entry's conditions, by ``track/team/task``."""
        return {"/".join(entry.key): conditions_hash(self.task(entry.task), entry) for entry in self.entries}


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
        "container": entry.container,
    }


def conditions_hash(task: PlannedTask, entry: Entry) -> str:
    """Return a hash of the conditions under which an image meets a task, whoever entered it and on whatever cases.

    ``fomo-eval validate`` at home and ``fomo-eval run`` at the organisers' tell the same one for the same image, task
    spec, limits and container configuration.
    """
    return fingerprint(
        {
            "spec": task.spec,
            "limits": task.limits,
            "image": entry.image.id,
            "command": entry.command,
            "container": entry.container,
        }
    )


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
