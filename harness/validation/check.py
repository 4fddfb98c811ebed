"""What a validation tells: checks, each with a status, evidence and a remedy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from harness.errors import printable
from harness.records.plan import Kept

LONGEST_EVIDENCE = 600


class Status(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    NOT_RUN = "not run"


def _one_line(text: str) -> str:
    # Images, their names and their logs are a stranger's: they are text here, never controls or line breaks.
    line = printable(text)
    return line if len(line) <= LONGEST_EVIDENCE else f"{line[:LONGEST_EVIDENCE]}…"


Told = Annotated[str, AfterValidator(_one_line)]


class Finding(Kept):
    """What a check found.

    Attributes
    ----------
    evidence
        By what it was judged.
    remedy
        What to do about a failure or a warning.
    """

    status: Status
    evidence: Told = ""
    remedy: Told = ""


class Check(Finding):
    """A finding with the check's name, for programs, and its title, for people."""

    name: str
    title: str


class TriedCase(Kept):
    """One case that the container was tried on, and how that ended."""

    case: str
    title: str
    ending: str
    detail: Told
    seconds: float | None


class Verdict(Kept):
    """Everything found about one image on one task.

    Attributes
    ----------
    image, image_id
        As it was named, and its content address; empty where the image is not there.
    conditions
        The hash of the conditions that ``fomo-eval run`` tells for the same image, task and limits.
    cases
        What it was tried on, in order.
    checks
        In the order in which a person would want them.
    by_hand
        The command that runs one case by hand, where files are kept.
    """

    team: str
    track: str
    task: Told
    image: Told
    image_id: str = ""
    conditions: str = ""
    cases: tuple[TriedCase, ...] = ()
    checks: tuple[Check, ...]
    by_hand: str = ""

    def count(self, status: Status) -> int:
        """Return how many checks ended so."""
        return sum(check.status is status for check in self.checks)


def passed(evidence: str) -> Finding:
    """Say that all is well."""
    return Finding(status=Status.PASSED, evidence=evidence)


def failed(evidence: str, remedy: str) -> Finding:
    """Say what is wrong."""
    return Finding(status=Status.FAILED, evidence=evidence, remedy=remedy)


def warning(evidence: str, remedy: str) -> Finding:
    """Say what is allowed and unwise."""
    return Finding(status=Status.WARNING, evidence=evidence, remedy=remedy)


def not_run(why: str) -> Finding:
    """Say why nothing can be said."""
    return Finding(status=Status.NOT_RUN, evidence=why)
