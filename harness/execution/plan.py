"""Making the plan: what will run, on which images, under which limits."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.datasets.case import Case
from harness.engines import sandbox
from harness.engines.engine import ContainerLimits, EngineFacts, ImageFacts
from harness.errors import RunDirectoryError
from harness.records.plan import (
    EffectiveLimits,
    Entry,
    Plan,
    PlannedImage,
    PlannedTask,
    entry_conditions,
    task_conditions,
)
from harness.specs.challenge import Challenge
from harness.specs.submission import SubmissionSpec, SubmittedImage
from harness.specs.task import Limits

GIB, MIB = 1 << 30, 1 << 20
CONTRACT_LABEL = "org.fomo-eval.contract"


def plan_tasks(
    challenge: Challenge,
    cases: Mapping[str, tuple[Case, ...]],
    machine: EngineFacts,
    *,
    seconds: float | None,
    gpu: bool,
) -> tuple[PlannedTask, ...]:
    """Fix the limits and cases of each task.

    Parameters
    ----------
    challenge
        The challenge.
    cases
        The cases by task; tasks without are left out.
    machine
        The engine, whose processors and memory cap the limits.
    seconds
        Replaces the specs' time limit per case.
    gpu
        Whether tasks that want a GPU get one.
    """
    return tuple(
        PlannedTask(spec=task, limits=_limits(task.limits, machine, seconds, gpu=gpu), cases=cases[task.name])
        for task in challenge.tasks
        if task.name in cases
    )


def _limits(limits: Limits, machine: EngineFacts, seconds: float | None, *, gpu: bool) -> EffectiveLimits:
    # Whole GiB: a machine that tells a few MB less after an update must not make another plan.
    machine_memory = machine.memory_bytes // GIB * GIB or machine.memory_bytes
    memory = min(round(limits.memory_gib * GIB), machine_memory)
    return EffectiveLimits(
        seconds=seconds or limits.seconds,
        cpus=min(limits.cpus, machine.cpus),
        memory_bytes=memory,
        shared_memory_bytes=min(round(limits.shared_memory_gib * GIB), memory),
        scratch_bytes=min(round(limits.scratch_gib * GIB), memory),
        output_bytes=round(limits.output_mib * MIB),
        output_entries=limits.output_entries,
        processes=limits.processes,
        gpu=limits.gpu and gpu,
    )


def container_limits(limits: EffectiveLimits) -> ContainerLimits:
    """Return a task's limits as an engine takes them."""
    return ContainerLimits(**limits.model_dump(exclude={"gpu"}))


def plan_entries(
    submissions: Sequence[SubmissionSpec],
    tasks: Sequence[PlannedTask],
    find_image: Callable[[SubmittedImage], ImageFacts],
    *,
    runtime: str | None = None,
) -> tuple[Entry, ...]:
    """Resolve what each team enters for each task, ordered by track, team and place of the task.

    Parameters
    ----------
    submissions
        The teams' submissions.
    tasks
        The tasks of the plan.
    find_image
        Finds an image on the engine; asked once for each image.
    runtime
        The OCI runtime of every container, None for the engine's default.
    """
    found: dict[SubmittedImage, ImageFacts] = {}
    entries = []
    for submission in submissions:
        for task in tasks:
            image = submission.images.get(task.spec.name)
            if image is None:
                continue
            if image not in found:
                found[image] = find_image(image)
            entries.append(
                Entry(
                    track=submission.track,
                    team=submission.team,
                    title=submission.display_name,
                    baseline=submission.baseline,
                    task=task.spec.name,
                    image=_planned_image(image, found[image]),
                    command=image.command,
                    container=sandbox.configuration(
                        found[image],
                        image.command,
                        container_limits(task.limits),
                        runtime=runtime,
                        device=sandbox.A_GPU if task.limits.gpu else None,
                    ),
                )
            )
    return _in_order(entries, [task.spec.name for task in tasks])


def _in_order(entries: Iterable[Entry], tasks: Sequence[str]) -> tuple[Entry, ...]:
    """Give entries the one order that does not depend on when each was added."""
    return tuple(sorted(entries, key=lambda entry: (entry.track, entry.team, tasks.index(entry.task))))


def _planned_image(image: SubmittedImage, facts: ImageFacts) -> PlannedImage:
    return PlannedImage(
        reference=image.image or str(image.archive),
        id=facts.id,
        digest=facts.digest,
        platform=facts.platform,
        bytes=facts.size_bytes,
        has_entrypoint=facts.has_entrypoint,
        volumes=facts.volumes,
        contract=facts.labels.get(CONTRACT_LABEL, ""),
    )


def extend(kept: Plan | None, new: Plan) -> Plan:
    """Bring a new plan together with the one that a run directory holds.

    Entries and tasks may be added to a run at any time, and left out of any one call; what the run holds
    already must not have changed.

    Parameters
    ----------
    kept
        The run directory's plan, None where it has none.
    new
        What was asked for now.

    Returns
    -------
    Plan
        Everything of both.

    Raises
    ------
    RunDirectoryError
        Something that is part of both differs; the message says what.
    """
    if kept is None:
        return new
    differences = [*_task_differences(kept, new), *_entry_differences(kept, new)]
    if kept.challenge != new.challenge:
        differences.insert(0, f"the challenge spec of {new.challenge.name}")
    if kept.seed != new.seed:
        differences.append(f"the seed ({kept.seed}, now {new.seed})")
    if kept.fail_fast_after != new.fail_fast_after:
        differences.append(f"--fail-fast-after ({kept.fail_fast_after}, now {new.fail_fast_after})")
    if differences:
        more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
        raise RunDirectoryError(
            f"The run directory holds another plan: it differs in {differences[0]}{more}.",
            remedy="Run the same command as before, or choose a new --out.",
        )
    tasks = {task.spec.name: task for task in (*kept.tasks, *new.tasks)}
    entries = {entry.key: entry for entry in (*kept.entries, *new.entries)}
    return new.model_copy(
        update={
            "tasks": tuple(tasks[name] for name in new.challenge.tasks if name in tasks),
            "entries": _in_order(entries.values(), new.challenge.tasks),
        }
    )


def _task_differences(kept: Plan, new: Plan) -> list[str]:
    before = {task.spec.name: task_conditions(task) for task in kept.tasks}
    differences = []
    for task in new.tasks:
        name, now = task.spec.name, task_conditions(task)
        if name not in before:
            continue
        for part, what in (
            ("spec", "the task spec of {}"),
            ("limits", "the limits of {}"),
            ("cases", "the cases of {}"),
        ):
            if before[name][part] != now[part]:
                differences.append(what.format(name) + _first_difference(before[name][part], now[part]))
    return differences


def _entry_differences(kept: Plan, new: Plan) -> list[str]:
    before = {entry.key: entry for entry in kept.entries}
    return [
        f"the image, command, options or baseline flag of team '{entry.team}' for {entry.task} ({entry.track} track)"
        for entry in new.entries
        if entry.key in before and entry_conditions(before[entry.key]) != entry_conditions(entry)
    ]


def _first_difference(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    first = changed[0]
    if first not in now:
        return f" ('{first}' is gone)"
    if first not in before:
        return f" ('{first}' is new)"
    old, current = before[first], now[first]
    short = isinstance(old, int | float | str | bool) and isinstance(current, int | float | str | bool)
    return f" ('{first}': {old}, now {current})" if short else f" ('{first}')"


def shuffled(cases: Sequence[Case], seed: int, task: str) -> list[Case]:
    """Return a task's cases in the run's order: by chance, and the same for every team."""
    order = list(cases)
    random.Random(f"{seed}/{task}").shuffle(order)  # noqa: S311 - an order, not a secret
    return order
