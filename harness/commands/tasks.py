"""``fomo-eval tasks``: the built-in challenges, and what a spec may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.commands.challenges import checked_challenge
from harness.errors import UsageError, nearest
from harness.specs.challenge import Challenge, ChallengeSpec
from harness.specs.loading import builtin_challenges
from harness.specs.part import SpecPart
from harness.specs.submission import SubmissionSpec
from harness.specs.task import OneOf, TaskSpec

SCHEMAS: dict[str, type[SpecPart]] = {"challenge": ChallengeSpec, "task": TaskSpec, "submission": SubmissionSpec}


@dataclass(frozen=True)
class TaskLine:
    """A task in one line."""

    challenge: str
    name: str
    title: str
    inputs: str
    output: str
    metrics: str


def list_tasks(challenge: str | None) -> tuple[TaskLine, ...]:
    """List the tasks of one challenge, or of every built-in one."""
    names = (challenge,) if challenge else builtin_challenges()
    return tuple(line for name in names for line in _lines(checked_challenge(name)))


def _lines(challenge: Challenge) -> list[TaskLine]:
    return [
        TaskLine(
            challenge=challenge.spec.name,
            name=task.name,
            title=task.title,
            inputs=" ".join(
                " | ".join(each.name for each in item.one_of) if isinstance(item, OneOf) else item.name
                for item in task.inputs
            ),
            output=f"{task.output.file} ({task.output.meaning})",
            metrics=", ".join(metric.name for metric in task.ranked_metrics),
        )
        for task in challenge.tasks
    ]


def show_task(challenge: str, name: str) -> str:
    """Return the YAML of one task, or of the challenge itself, as it is on disk.

    Raises
    ------
    UsageError
        The challenge has no such task.
    """
    loaded = checked_challenge(challenge)
    known = ("challenge", *loaded.spec.tasks)
    if name not in known:
        raise UsageError(f"{loaded.spec.name} has no task '{name}'.", remedy=nearest(name, known))
    return (loaded.folder / f"{name}.yaml").read_text(encoding="utf-8")


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of spec.

    Raises
    ------
    UsageError
        There is no such kind.
    """
    if kind not in SCHEMAS:
        raise UsageError(f"There is no schema '{kind}'.", remedy=nearest(kind, SCHEMAS))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SCHEMAS[kind].model_json_schema()}
