"""The run directory: one folder that holds a run, and that a killed run continues from.

::

    run.json                                    id, when, by which version, where the data lay
    plan.json                                   the plan, and its hash
    records/<track>/<team>/<task>/<case>.json   one per finished trial, written once
    attempts/<track>/<team>/<task>/<case>.<n>.json   attempts that the machine spoiled
    predictions/<track>/<team>/<task>/<case>/   what the container wrote
    logs/<track>/<team>/<task>/<case>.log       what it said (for organisers)
    scores.json  leaderboard.{json,csv,md}      recomputed from the above, the same bytes each time
    profile.json                                times, which differ from run to run
    report/                                     pages, figures and tables, made from the above
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
    sync_folder,
    to_json,
    write_atomically,
    write_once,
    writing,
)
from harness.records.plan import Entry, Kept, Plan, TrialKey
from harness.records.record import Record

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
        The run directory. Use :meth:`open` or :meth:`create`.
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
        # One that was killed while it made the run directory left nothing but a half-written run.json.
        left = (each.name.startswith(HALF_WRITTEN) for each in folder.iterdir()) if folder.is_dir() else [False]
        if folder.exists() and not all(left):
            raise RunDirectoryError(
                f"{folder}: is there already and is no run directory (it has no run.json).",
                remedy="Choose a new folder with --out.",
            )
        return False

    @classmethod
    def create(cls, folder: Path, data: Path) -> RunStore:
        """Make a new run directory."""
        facts = RunFacts(
            id=secrets.token_hex(6),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            fomo_eval=__version__,
            data=data.resolve(),
        )
        write_atomically(folder / "run.json", to_json(facts.model_dump(mode="json")))
        return cls(folder, facts)

    @classmethod
    def open(cls, folder: Path) -> RunStore:
        """Open an existing run directory."""
        if not (folder / "run.json").is_file():
            raise RunDirectoryError(
                f"{folder}: is no run directory (it has no run.json).", remedy="Pass the --out of a 'fomo-eval run'."
            )
        return cls(folder, _read(folder / "run.json", RunFacts))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of this directory; the lock goes with the process, however it ends."""
        with writing(self.folder / "lock"):
            stream = (self.folder / "lock").open("a+", buffering=1)
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as fault:
                stream.seek(0)
                raise RunDirectoryError(
                    f"{self.folder}: another run is using it ({stream.read().strip() or 'unknown process'}).",
                    remedy="Wait for it, stop it, or choose another --out.",
                ) from fault
            with writing(self.folder / "lock"):
                stream.truncate(0)
                stream.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            yield

    @property
    def work(self) -> Path:
        """Where cases are staged; emptied by each run."""
        return self.folder / "work"

    def make_work(self) -> None:
        """Make the work folder."""
        with writing(self.work):
            self.work.mkdir(mode=0o711)

    def remove_leftovers(self) -> tuple[Path, ...]:
        """Remove what a dead run was in the middle of: its work folder and half-written files; return what there was.

        Nothing may be mounted below the work folder any more.
        """
        with writing(self.folder):
            files = remove_half_written(self.folder)
            if not self.work.exists():
                return files
            remove_tree(self.work)
        return (self.work, *files)

    def discard(self) -> None:
        """Remove the whole run directory."""
        with writing(self.folder):
            remove_tree(self.folder)

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

    def attempts(self, trial: TrialKey) -> int:
        """Return how many attempts at a trial the machine has spoiled so far."""
        # Numbered one after the other; a pattern would also find the attempts of a case named 'a.1' for case 'a'.
        return next(n for n in itertools.count() if not self._path("attempts", trial, f".{n + 1}.json").exists())

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

        Parameters
        ----------
        record
            The attempt. One that the machine spoiled is kept apart, and the trial stays open.
        prediction
            The collected file, moved into the run directory before the record that names it is written.
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
        if record.prediction is not None and prediction is not None:
            self._take(prediction, self.folder / record.prediction.file)
        return write_once(path, to_json(record.model_dump(mode="json")))

    def write(self, name: str, content: bytes) -> Path:
        """Write a derived file, such as the scores."""
        path = self.folder / name
        write_atomically(path, content)
        return path

    def _take(self, source: Path, target: Path) -> None:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            source.parent.rmdir()
        sync_folder(target.parent)

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
