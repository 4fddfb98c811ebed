"""The run directory: one folder that holds a run, and that a killed run continues from.

::

    run.json                                    id, when, by which version, where the data lay
    lock                                        held by the run that is using it (``records.lock``)
    work                                        while a run goes on: where its cases are staged
    plan.json                                   the plan, and its hash
    records/<track>/<team>/<task>/<case>.json   one per finished trial, written once
    attempts/<track>/<team>/<task>/<case>.<n>.json   attempts that the machine spoiled
    predictions/<track>/<team>/<task>/<case>/   what the container wrote
    logs/<track>/<team>/<task>/<case>.log       what it said (for organisers)
    scores.json  leaderboard.{json,csv,md}      recomputed from the above, the same bytes each time
    profile.json                                times, which differ from run to run
    report/                                     pages, figures and tables, made from the above

Cases are staged elsewhere, in the system's folder for temporary files and under a random name: a container can read in
``/proc/self/mountinfo`` where its folders lie on the host, and the run directory's path may name a team or a task. So
nothing that a container wrote lies below the run directory but what was taken as its prediction.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from harness import __version__
from harness.datasets.case import Case
from harness.errors import RunDirectoryError
from harness.records.files import (
    HALF_WRITTEN,
    remove_half_written,
    remove_tree,
    to_json,
    write_atomically,
    write_once,
    writing,
)
from harness.records.lock import LOCK
from harness.records.plan import Entry, Kept, Plan, TrialKey
from harness.records.record import Record

WORK_NAME = re.compile(r"fomo-eval-[0-9a-f]{16}")
"""What the names of work folders look like."""

Piece = TypeVar("Piece", bound=Kept)


class RunFacts(Kept):
    """What ``run.json`` holds."""

    format: Literal[1] = 1
    id: str
    created: str
    fomo_eval: str
    data: Path


class RunStore:
    """A run directory, opened.

    Parameters
    ----------
    folder
        The run directory. Use :meth:`open` or :meth:`open_or_create`.
    facts
        Its ``run.json``.
    """

    def __init__(self, folder: Path, facts: RunFacts) -> None:
        self.folder = folder
        self.facts = facts

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Say whether a folder is a run directory; raise where it is something else that is not empty."""
        if (folder / "run.json").is_file():
            return True
        # One that was killed while it made the run directory left its lock and a half-written run.json at most.
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        ours = [name for name in names if name == LOCK or name.startswith(HALF_WRITTEN)]
        if folder.exists() and (names != ours or not folder.is_dir()):
            raise RunDirectoryError(
                f"{folder}: is there already and is no run directory (it has no run.json).",
                remedy="Choose a new folder with --out.",
            )
        return False

    @classmethod
    def open_or_create(cls, folder: Path, data: Path) -> RunStore:
        """Open a run directory, made where it is not there; it is locked already."""
        if not cls.exists(folder):
            facts = RunFacts(
                id=secrets.token_hex(6),
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                fomo_eval=__version__,
                data=data.resolve(),
            )
            write_once(folder / "run.json", to_json(facts.model_dump(mode="json")))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> RunStore:
        """Open an existing run directory."""
        if not (folder / "run.json").is_file():
            raise RunDirectoryError(
                f"{folder}: is no run directory (it has no run.json).", remedy="Pass the --out of a 'fomo-eval run'."
            )
        return cls(folder, _read(folder / "run.json", RunFacts))

    @property
    def work(self) -> Path | None:
        """The work folder that a run has made and not removed; None where there is none."""
        path = self.folder / "work"
        try:
            work = Path(os.fsdecode(path.read_bytes().rstrip(b"\n")))
        except FileNotFoundError:
            return None
        if not (work.is_absolute() and WORK_NAME.fullmatch(work.name)):
            raise RunDirectoryError(f"{path}: names no work folder of a run.", remedy="Remove it, then run again.")
        return work

    def make_work(self) -> Path:
        """Make the work folder, where cases are staged and predictions wait to be recorded."""
        work = Path(tempfile.gettempdir()).resolve() / f"fomo-eval-{secrets.token_hex(8)}"
        write_atomically(self.folder / "work", os.fsencode(work) + b"\n")
        with writing(work):
            work.mkdir(mode=0o711)
        return work

    def remove_leftovers(self) -> tuple[Path, ...]:
        """Remove what a dead run was in the middle of: its work folder and half-written files; return what there was.

        No container may write to the work folder any more, and nothing may be mounted below it.
        """
        work = self._remove_work()
        return (*work, *remove_half_written(self.folder))

    def discard(self) -> None:
        """Remove the whole run directory, and its work folder."""
        self._remove_work()
        remove_tree(self.folder.resolve())

    def _remove_work(self) -> tuple[Path, ...]:
        work = self.work
        if work is None:
            return ()
        there = (work,) if work.exists() else ()
        remove_tree(work)
        (self.folder / "work").unlink()
        return there

    def plan(self) -> Plan | None:
        """Read the plan, if one was written."""
        path = self.folder / "plan.json"
        if not path.is_file():
            return None
        plan = _read(path, Plan)
        written = self.folder / "plan.sha256"
        if written.is_file() and written.read_text().strip() != plan.hash:
            raise RunDirectoryError(
                f"{path}: is not the plan whose hash is in {written.name}.", remedy="Restore both from a copy."
            )
        return plan

    def write_plan(self, plan: Plan) -> None:
        """Write the plan, and its hash beside it."""
        # The hash is away while the plan is replaced, so that a kill in between leaves no false alarm.
        (self.folder / "plan.sha256").unlink(missing_ok=True)
        write_atomically(self.folder / "plan.json", to_json(plan.model_dump(mode="json")))
        write_atomically(self.folder / "plan.sha256", f"{plan.hash}\n".encode())

    def finished(self, entry: Entry) -> frozenset[str]:
        """Return the cases of an entry that have a final record, by file names alone."""
        folder = self.records_folder(entry)
        return frozenset(file.stem for file in folder.glob("*.json")) if folder.is_dir() else frozenset()

    def records_folder(self, entry: Entry) -> Path:
        """Return where an entry's final records are, one file a case."""
        return self.folder / "records" / Path(*entry.key)

    def spoiled(self, trial: TrialKey) -> list[Record]:
        """Read the attempts at a trial that the machine has spoiled so far, in their order."""
        # Numbered one after the other; a pattern would also find the attempts of a case named 'a.1' for case 'a'.
        paths = (self._path("attempts", trial, f".{number}.json") for number in itertools.count(1))
        return [_read(path, Record) for path in itertools.takewhile(Path.exists, paths)]

    def record(self, trial: TrialKey) -> Record | None:
        """Read a trial's final record, if it has one."""
        path = self._path("records", trial, ".json")
        if not path.is_file():
            return None
        record = _read(path, Record)
        if record.trial != trial:
            raise RunDirectoryError(
                f"{path}: is the record of {record.trial}.",
                remedy="Restore it from a copy, or remove it and run again.",
            )
        return record

    def log(self, trial: TrialKey) -> str:
        """Read what a trial's container wrote to the console; a stranger's text."""
        path = self._path("logs", trial, ".log")
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def records(self, entry: Entry, cases: Iterable[Case]) -> dict[str, Record | None]:
        """Read the final records of an entry's cases; None where a trial has none yet."""
        track, team, task = entry.key
        return {case.id: self.record(TrialKey(track=track, team=team, task=task, case=case.id)) for case in cases}

    def finished_records(self, plan: Plan) -> list[tuple[Entry, list[Record]]]:
        """Read every final record, entry by entry."""
        return [
            (entry, [each for each in self.records(entry, plan.task(entry.task).cases).values() if each is not None])
            for entry in plan.entries
        ]

    def commit(self, record: Record, *, prediction: Path | None, log: bytes) -> bool:
        """Keep one attempt, exactly once; return False where the trial was already recorded.

        Broken off at any point, it can be called again.

        Parameters
        ----------
        record
            The attempt. One that the machine spoiled is kept apart, and the trial stays open.
        prediction
            The collected file. It is copied into the run directory before the record that names it is written, and its
            folder removed after that.
        log
            What the container wrote.
        """
        if not record.is_final:
            path = self._path("attempts", record.trial, f".{record.attempt}.json")
        else:
            path = self._path("records", record.trial, ".json")
        if path.exists():
            return False
        write_atomically(self._path("logs", record.trial, ".log"), log)
        if record.prediction is None or prediction is None:
            return write_once(path, to_json(record.model_dump(mode="json")))
        write_atomically(self.folder / record.prediction.file, prediction.read_bytes())
        is_new = write_once(path, to_json(record.model_dump(mode="json")))
        remove_tree(prediction.parent)
        return is_new

    def write(self, name: str, content: bytes) -> Path:
        """Write a derived file, such as the scores."""
        path = self.folder / name
        write_atomically(path, content)
        return path

    def _path(self, kind: str, trial: TrialKey, suffix: str) -> Path:
        return self.folder / kind / trial.track / trial.team / trial.task / f"{trial.case}{suffix}"


def prediction_file(trial: TrialKey, name: str) -> Path:
    """Return where a trial's prediction is kept, relative to the run directory."""
    return Path("predictions", trial.track, trial.team, trial.task, trial.case, name)


def _read(path: Path, piece: type[Piece]) -> Piece:
    try:
        return piece.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise RunDirectoryError(
            f"{path}: cannot be read ({fault.strerror}).", remedy="Check its permissions."
        ) from fault
    except ValidationError as fault:
        where = ".".join(str(step) for step in fault.errors()[0]["loc"]) or "its content"
        raise RunDirectoryError(
            f"{path}: is damaged or of another version ({where}: {fault.errors()[0]['msg']}).",
            remedy="Restore it from a copy, or start a new run directory.",
        ) from fault
