"""Loading a challenge with everything about it checked."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import UsageError, nearest
from harness.metrics.checking import check_metrics
from harness.specs.challenge import Challenge
from harness.specs.loading import load_challenge


def checked_challenge(name_or_path: str) -> Challenge:
    """Load a challenge and check that its metrics exist and fit its tasks.

    Raises
    ------
    SpecError
        Naming the file and the field.
    """
    challenge = load_challenge(name_or_path)
    for task in challenge.tasks:
        check_metrics(task, challenge.folder / f"{task.name}.yaml")
    return challenge


def chosen(asked: Sequence[str], known: Sequence[str], *, option: str) -> tuple[str, ...]:
    """Return the asked names, or all known ones where none was asked for.

    Raises
    ------
    UsageError
        A name is not known.
    """
    for name in asked:
        if name not in known:
            raise UsageError(f"{option} names '{name}', which is not there.", remedy=nearest(name, known))
    return tuple(name for name in known if name in asked) if asked else tuple(known)
