"""What was seen of one image on one task: everything that the checks judge by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.datasets.case import Case
from harness.engines.engine import EngineFacts, ImageFacts, Relaxation
from harness.engines.outcome import Blame, Ending, Refusal
from harness.records.plan import Entry, PlannedTask
from harness.records.record import Record

Relaxed = frozenset[Relaxation]


@dataclass(frozen=True)
class Seen:
    """One case, and what became of it.

    Attributes
    ----------
    case
        The case.
    title
        What is peculiar about it.
    record
        What was recorded of it.
    log
        The end of what its container wrote to the console.
    prediction
        The file that was taken, if one was.
    changed
        What the container wrote to its own root file system, where that was left writable.
    """

    case: Case
    title: str
    record: Record
    log: str
    prediction: Path | None
    changed: tuple[str, ...] = ()

    @property
    def ending(self) -> Ending:
        """How it ended."""
        return self.record.outcome.ending

    @property
    def refusal(self) -> Refusal | None:
        """Why its prediction is not accepted."""
        return self.record.outcome.refusal

    @property
    def is_ok(self) -> bool:
        """Whether its prediction is accepted."""
        return self.ending is Ending.OK

    @property
    def is_the_machines(self) -> bool:
        """Whether the machine failed, so that nothing can be said about the image."""
        return self.record.outcome.blame is Blame.INFRASTRUCTURE

    @property
    def seconds(self) -> float | None:
        """How long its container ran, where one did."""
        return self.record.spans.get("container")


@dataclass(frozen=True)
class Evidence:
    """What was seen of one image on one task.

    Attributes
    ----------
    entry, task, image, machine
        What was tried, and where.
    contract
        The version of the contract that the challenge asks for.
    seen
        Each case once, in order.
    again, last
        The first case once more, beside its first time and after all others; None where only one case was asked for.
    relaxed
        One case more, with restrictions lifted: the first that failed in a way that they may explain, else the first.
    gpu_listing
        What the container sees of its GPU; None where it has none, empty where it sees none.
    """

    entry: Entry
    task: PlannedTask
    image: ImageFacts
    machine: EngineFacts
    contract: int
    seen: tuple[Seen, ...]
    again: Seen | None
    last: Seen | None
    relaxed: dict[Relaxed, Seen]
    gpu_listing: str | None = None

    @property
    def ran(self) -> tuple[Seen, ...]:
        """The cases that were not spoiled by the machine."""
        return tuple(each for each in self.seen if not each.is_the_machines)

    def ended(self, *endings: Ending) -> tuple[Seen, ...]:
        """Return the cases that ended in one of these ways."""
        return tuple(each for each in self.ran if each.ending in endings)

    def refused(self, *refusals: Refusal) -> tuple[Seen, ...]:
        """Return the cases whose prediction is not accepted for one of these reasons."""
        return tuple(each for each in self.ran if each.refusal in refusals)
