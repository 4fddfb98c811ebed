"""A run as its directory tells it: what a report is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import RunDirectoryError
from harness.records.plan import Entry, Plan
from harness.records.record import Machine, OutcomeRecord, UsageRecord
from harness.records.store import RunFacts, RunStore
from harness.reports.files import LEADERBOARD_FILE, SCORES_FILE, STABILITY_FILE, SUBGROUPS_FILE
from harness.scoring.leaderboard import Leaderboard
from harness.scoring.scores import PENDING, EntryScore, Scores
from harness.scoring.spreads import Stability
from harness.scoring.subgroups import Subgroups

EntryKey = tuple[str, str, str]
Piece = TypeVar("Piece", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a report tells of one record.

    Attributes
    ----------
    cause
        The ending, or why a written prediction was refused.
    message, remedy
        Fixed sentences, which a team may read.
    detail
        For organisers.
    seconds
        What the container took; None where none ran.
    memory_bytes
        At its peak; None where this is not known.
    """

    case: str
    cause: str
    message: str
    remedy: str
    detail: str
    seconds: float | None
    memory_bytes: int | None

    @property
    def failed(self) -> bool:
        """Whether there is no valid prediction."""
        return self.cause != "ok"


@dataclass(frozen=True)
class FinishedRun:
    """Everything that is known of a run.

    Attributes
    ----------
    ended
        By track, team and task: what came of each trial that has a record.
    machines
        Where they ran.
    """

    store: RunStore
    plan: Plan
    scores: Scores
    stability: Stability
    board: Leaderboard
    subgroups: Subgroups | None
    ended: Mapping[EntryKey, tuple[Ended, ...]]
    machines: tuple[Machine, ...]

    @property
    def facts(self) -> RunFacts:
        """When, by which version and from which data."""
        return self.store.facts

    def entry(self, track: str, team: str, task: str) -> EntryScore | None:
        """Return a team's scores in a task; None where it did not enter."""
        return next(
            (each for each in self.scores.entries if (each.track, each.team, each.task) == (track, team, task)), None
        )


def load_finished(store: RunStore, plan: Plan) -> FinishedRun:
    """Read a run that has been scored.

    Raises
    ------
    RunDirectoryError
        A derived file is missing, damaged, or older than the records.
    """
    scores = _read(store.folder / SCORES_FILE, Scores)
    grouped = store.folder / SUBGROUPS_FILE
    ended, machines = _ended(plan, store)
    _require_fresh(store.folder, scores, ended)
    return FinishedRun(
        store=store,
        plan=plan,
        scores=scores,
        stability=_read(store.folder / STABILITY_FILE, Stability),
        board=_read(store.folder / LEADERBOARD_FILE, Leaderboard),
        subgroups=_read(grouped, Subgroups) if grouped.is_file() else None,
        ended=ended,
        machines=machines,
    )


class _Told(BaseModel):
    """The part of a record that a report tells. A run can have a hundred thousand: what is not told is skipped."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: OutcomeRecord
    spans: dict[str, float]
    usage: UsageRecord = UsageRecord()
    machine: Machine


def _ended(plan: Plan, store: RunStore) -> tuple[dict[EntryKey, tuple[Ended, ...]], tuple[Machine, ...]]:
    found: dict[EntryKey, tuple[Ended, ...]] = {}
    machines: set[Machine] = set()
    for entry in plan.entries:
        # As strings: composing paths would take longer than reading what is there.
        folder, finished, ended = str(store.records_folder(entry)), store.finished(entry), []
        for case in plan.task(entry.task).cases:
            if case.id in finished:
                told = _read(f"{folder}/{case.id}.json", _Told)
                machines.add(told.machine)
                ended.append(_of(case.id, told))
        found[entry.key] = tuple(ended)
    return found, tuple(sorted(machines, key=lambda machine: machine.model_dump_json()))


def _of(case: str, record: _Told) -> Ended:
    outcome = record.outcome
    return Ended(
        case=case,
        cause=str(outcome.refusal or outcome.ending),
        message=outcome.message,
        remedy=outcome.remedy,
        detail=outcome.detail,
        seconds=record.spans.get("container"),
        memory_bytes=record.usage.memory_bytes,
    )


def _require_fresh(folder: Path, scores: Scores, ended: Mapping[EntryKey, tuple[Ended, ...]]) -> None:
    scored = {(each.track, each.team, each.task): each for each in scores.entries}
    for key, of_entry in ended.items():
        entry = scored.get(key)
        finished = 0 if entry is None else entry.cases - entry.endings.get(PENDING, 0)
        valid = 0 if entry is None else entry.valid
        if entry is None or (finished, valid) != (len(of_entry), sum(not each.failed for each in of_entry)):
            raise RunDirectoryError(
                f"{folder / SCORES_FILE}: does not hold what the records of {'/'.join(key)} say.",
                remedy=f"Run 'fomo-eval score {folder}', then the report again.",
            )


def _read(path: Path | str, piece: type[Piece]) -> Piece:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - many paths are strings here
            return piece.model_validate_json(stream.read())
    except OSError as fault:
        raise RunDirectoryError(
            f"{path}: cannot be read ({fault.strerror}).", remedy="Score the run first: 'fomo-eval score'."
        ) from fault
    except ValidationError as fault:
        raise RunDirectoryError(
            f"{path}: is damaged or of another version.", remedy="Write it anew with 'fomo-eval score'."
        ) from fault


def causes(ended: tuple[Ended, ...]) -> Counter[str]:
    """Count failures by cause."""
    return Counter(each.cause for each in ended if each.failed)


def entries_of(plan: Plan, track: str, team: str) -> tuple[Entry, ...]:
    """Return a team's entries in a track, in the order of tasks."""
    return tuple(entry for entry in plan.entries if (entry.track, entry.team) == (track, team))
