"""How long a run puts up with failures: a machine's are tried again, a team's end in not trying any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.engines.outcome import Blame, Ending, Outcome, Refusal
from harness.records.plan import Entry
from harness.records.record import Record

EntryKey = tuple[str, str, str]


@dataclass(frozen=True)
class Retries:
    """How often, and after how many seconds, a trial that the machine spoiled is tried again."""

    waits_s: tuple[float, ...] = (1.0, 5.0, 20.0)

    @property
    def attempts(self) -> int:
        """How many attempts a trial has in one run."""
        return len(self.waits_s) + 1


@dataclass
class FailFast:
    """Which entries are hopeless: their first cases all ended in the same failure of the team's.

    Parameters
    ----------
    after
        How many cases that takes; 0 for never.
    """

    after: int
    _failures: dict[EntryKey, int] = field(default_factory=dict)
    _first: dict[EntryKey, tuple[Ending, Refusal | None]] = field(default_factory=dict)
    _hopeful: set[EntryKey] = field(default_factory=set)

    @classmethod
    def having_seen(cls, records: Iterable[Record], *, after: int) -> FailFast:
        """Take into account what a run has recorded before."""
        fail_fast = cls(after)
        for record in records:
            fail_fast.see(record)
        return fail_fast

    def see(self, record: Record) -> None:
        """Take a final record into account."""
        key = (record.trial.track, record.trial.team, record.trial.task)
        how = (record.outcome.ending, record.outcome.refusal)
        if record.outcome.blame is not Blame.TEAM or self._first.setdefault(key, how) != how:
            self._hopeful.add(key)
        self._failures[key] = self._failures.get(key, 0) + 1

    def verdict(self, entry: Entry) -> Outcome | None:
        """Return how the entry's other cases are bound to end; None where there is hope."""
        key = entry.key
        if not self.after or key in self._hopeful or self._failures.get(key, 0) < self.after:
            return None
        ending, refusal = self._first[key]
        return Outcome(ending, f"not run: the first {self.after} cases all ended so", refusal=refusal)
