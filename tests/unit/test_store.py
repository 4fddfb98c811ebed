"""The run directory: every trial is recorded exactly once, by one run at a time, and damage is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.engines.outcome import Ending
from harness.errors import RunDirectoryError
from harness.records.files import HALF_WRITTEN, remove_tree
from harness.records.lock import locked
from harness.records.record import PredictionRecord
from harness.records.store import RunStore, prediction_file
from harness.specs.challenge import Challenge
from tests.support.cohorts import REPOSITORY
from tests.support.datasets import write_text, write_tiny_data
from tests.support.plans import TRIAL, all_cases, make_plan, record, submission
from tests.support.specs import one_line

FILE = prediction_file(TRIAL, "prediction.txt")


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.open_or_create(tmp_path / "run", tmp_path / "data")


def predicted(store: RunStore, text: str) -> tuple[PredictionRecord, Path]:
    source = write_text(store.folder / "work" / text / "prediction.txt", text)
    return PredictionRecord(file=FILE, bytes=len(text), sha256="0" * 64), source


def refusal(folder: Path) -> str:
    with pytest.raises(RunDirectoryError) as caught:
        RunStore.open(folder)
    return one_line(caught.value)


def test_a_new_run_is_opened_again(store: RunStore, tmp_path: Path) -> None:
    assert RunStore.open(store.folder).facts == store.facts
    assert store.facts.data == tmp_path / "data"
    assert RunStore.exists(store.folder)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path}: is no run directory (it has no run.json). Pass the --out of a 'fomo-eval run'."
    )
    assert "is no run directory" in refusal(tmp_path / "gone")


def test_only_an_empty_or_missing_folder_becomes_a_run(tmp_path: Path) -> None:
    assert not RunStore.exists(tmp_path / "gone")
    assert not RunStore.exists(tmp_path)
    write_text(tmp_path / "holiday.jpg", "mine")
    for foreign in (tmp_path, tmp_path / "holiday.jpg"):
        with pytest.raises(RunDirectoryError) as caught:
            RunStore.exists(foreign)
        assert one_line(caught.value) == (
            f"{foreign}: is there already and is no run directory (it has no run.json). Choose a new folder with --out."
        )


def test_a_trial_is_recorded_exactly_once(store: RunStore) -> None:
    kept, first = predicted(store, "0.25")
    again, second = predicted(store, "0.75")
    assert store.commit(record(ending=Ending.OK, prediction=kept), prediction=first, log=b"first")
    bytes_before = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    assert not store.commit(record(ending=Ending.OK, prediction=again, detail="x"), prediction=second, log=b"second")
    assert not store.commit(record(ending=Ending.TIMEOUT), prediction=None, log=b"third")
    assert {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()} == bytes_before
    assert (store.folder / FILE).read_text() == "0.25"
    assert store.record(TRIAL) == record(ending=Ending.OK, prediction=kept)


def test_the_prediction_is_there_before_its_record(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that names a prediction is the proof that it is kept: a kill in between must leave no such record."""
    kept, source = predicted(store, "0.25")
    seen: list[bool] = []

    def die(*_: object) -> bool:
        seen.append((store.folder / FILE).is_file())
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.records.store.write_once", die)
    with pytest.raises(KeyboardInterrupt):
        store.commit(record(ending=Ending.OK, prediction=kept), prediction=source, log=b"")
    assert seen == [True]
    assert store.record(TRIAL) is None
    monkeypatch.undo()
    again, source = predicted(store, "0.5")
    assert store.commit(record(ending=Ending.OK, prediction=again), prediction=source, log=b"")
    assert (store.folder / FILE).read_text() == "0.5"


def test_attempts_that_the_machine_spoiled_are_kept_apart(store: RunStore) -> None:
    for attempt in (1, 2, 3):
        assert [each.attempt for each in store.spoiled(TRIAL)] == list(range(1, attempt))
        assert store.commit(record(ending=Ending.ENGINE_DOWN, attempt=attempt), prediction=None, log=b"")
    assert store.record(TRIAL) is None
    assert store.commit(record(ending=Ending.CRASHED, attempt=4), prediction=None, log=b"")
    kept = store.record(TRIAL)
    assert kept is not None
    assert kept.attempt == 4
    names = sorted(path.name for path in (store.folder / "attempts").rglob("*.json"))
    assert names == ["case_1.1.json", "case_1.2.json", "case_1.3.json"]


def test_a_case_named_like_another_s_attempt_is_counted_apart(store: RunStore) -> None:
    other = TRIAL.model_copy(update={"case": "case_1.2"})
    store.commit(record(other, Ending.DISK_FULL), prediction=None, log=b"")
    assert (len(store.spoiled(TRIAL)), len(store.spoiled(other))) == (0, 1)
    store.commit(record(TRIAL, Ending.DISK_FULL), prediction=None, log=b"")
    assert (len(store.spoiled(TRIAL)), len(store.spoiled(other))) == (1, 1)


LOCKER = """
import sys
from pathlib import Path
from harness.records.lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_kept_out_until_the_first_is_gone_however_it_goes(store: RunStore) -> None:
    for end in ("exit", "kill"):
        with subprocess.Popen(
            [sys.executable, "-c", LOCKER, str(store.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        ) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            assert other.stdout.readline() == b"locked\n"
            with pytest.raises(RunDirectoryError) as caught, locked(store.folder):
                pass
            said = one_line(caught.value)
            assert said.startswith(f"{store.folder}: another run is using it (process {other.pid} on ")
            assert said.endswith("Wait for it, stop it, or choose another --out.")
            if end == "kill":
                other.kill()
            else:
                other.stdin.close()
            other.wait()
        with locked(store.folder):
            assert str(os.getpid()) in (store.folder / "lock").read_text()


TWO_RUNS = """
import sys
from pathlib import Path
from harness.errors import RunDirectoryError
from harness.records.lock import locked
from harness.records.store import RunStore
folder = Path(sys.argv[1])
assert not RunStore.exists(folder)
print("planned", flush=True)
sys.stdin.readline()
try:
    with locked(folder):
        print("has it", RunStore.open_or_create(folder, folder).facts.id, flush=True)
        sys.stdin.readline()
except RunDirectoryError:
    print("refused", flush=True)
"""


def test_of_two_runs_that_find_no_run_directory_one_makes_it_and_the_other_changes_nothing(tmp_path: Path) -> None:
    folder, command = tmp_path / "run", [sys.executable, "-c", TWO_RUNS, str(tmp_path / "run")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": REPOSITORY}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen(command, **pipes) as second:  # type: ignore[call-overload]
        for each in (first, second):
            assert each.stdout.readline() == "planned\n"
        for each in (first, second):
            each.stdin.write("\n")
            each.stdin.flush()
        said = sorted(each.stdout.readline().strip() for each in (first, second))
        for each in (first, second):
            each.communicate("\n")
    assert said[1] == "refused"
    assert said[0] == f"has it {RunStore.open(folder).facts.id}"


def test_a_lock_whose_run_directory_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the file and locking it, the run that held it may end in removing the whole directory."""
    folder = tmp_path / "run"

    def removed(*words: Any) -> None:
        monkeypatch.undo()
        remove_tree(folder)

    monkeypatch.setattr("harness.records.lock.fcntl.flock", removed)
    with pytest.raises(RunDirectoryError, match="another run is using it"), locked(folder):
        pass
    with locked(folder):
        assert not RunStore.exists(folder)


def test_what_a_dead_run_was_in_the_middle_of_is_removed(store: RunStore) -> None:
    work = store.make_work()
    assert store.work == work
    assert work.stat().st_mode & 0o777 == 0o711
    assert not work.is_relative_to(store.folder)
    write_text(work / "left" / "by" / "a dead run.txt", "x")
    (work / "left" / "by").chmod(0o000)
    half_written = write_text(store.folder / "records" / "method" / f"{HALF_WRITTEN}abc", '{"run": ')
    assert store.remove_leftovers() == (work, half_written)
    assert store.remove_leftovers() == ()
    assert not work.exists()
    assert store.work is None


def test_a_work_folder_that_is_gone_already_is_forgotten(store: RunStore) -> None:
    store.make_work().rmdir()
    assert store.remove_leftovers() == ()
    assert store.work is None


def test_a_folder_that_is_no_work_folder_is_never_removed(store: RunStore, tmp_path: Path) -> None:
    """A run directory may come from somebody else."""
    write_text(tmp_path / "thesis" / "chapter.tex", "mine")
    for claimed in (f"{tmp_path}/thesis\n", f"{tmp_path}/fomo-eval-1\n", "fomo-eval-0123456789abcdef", ""):
        write_text(store.folder / "work", claimed)
        with pytest.raises(RunDirectoryError) as caught:
            store.remove_leftovers()
        assert one_line(caught.value) == (
            f"{store.folder / 'work'}: names no work folder of a run. Remove it, then run again."
        )
    assert (tmp_path / "thesis" / "chapter.tex").exists()


def test_what_only_looks_half_written_is_neither_opened_nor_removed(store: RunStore) -> None:
    odd = store.folder / "records"
    odd.mkdir()
    os.mkfifo(odd / f"{HALF_WRITTEN}fifo")
    (odd / f"{HALF_WRITTEN}folder").mkdir()
    (odd / f"{HALF_WRITTEN}link").symlink_to("../run.json")
    assert store.remove_leftovers() == ()
    assert len(list(odd.iterdir())) == 3


def test_a_plan_is_read_back_with_its_hash_beside_it(store: RunStore, fomo25: Challenge, tmp_path: Path) -> None:
    assert store.plan() is None
    root = write_tiny_data(tmp_path / "data", fomo25)
    plan = make_plan(fomo25, all_cases(fomo25, root, "infarct"), submission("alpha", "infarct"))
    store.write_plan(plan)
    assert store.plan() == plan
    assert (store.folder / "plan.sha256").read_text() == f"{plan.hash}\n"


DAMAGE = {
    "empty": b"",
    "cut": b'{"format": 1, "id": "ab',
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "another version": b'{"format": 2}',
    "an unknown key": b'{"format": 1, "surprise": true}',
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_with_the_file(store: RunStore, damage: str) -> None:
    store.commit(record(), prediction=None, log=b"")
    record_file = store.folder / "records" / "method" / "alpha" / "infarct" / "case_1.json"
    for path, read in (
        (record_file, lambda: store.record(TRIAL)),
        (store.folder / "plan.json", store.plan),
        (store.folder / "run.json", lambda: RunStore.open(store.folder)),
    ):
        path.write_bytes(DAMAGE[damage])
        with pytest.raises(RunDirectoryError) as caught:
            read()
        said = str(caught.value)
        assert said.isprintable()
        assert said.startswith(f"{path}: is damaged or of another version (")
        assert said.endswith("Restore it from a copy, or start a new run directory.")


def test_a_record_that_was_moved_to_another_trial_is_told(store: RunStore) -> None:
    store.commit(record(), prediction=None, log=b"")
    folder = store.folder / "records" / "method" / "alpha" / "infarct"
    (folder / "case_2.json").write_bytes((folder / "case_1.json").read_bytes())
    with pytest.raises(RunDirectoryError) as caught:
        store.record(TRIAL.model_copy(update={"case": "case_2"}))
    assert f"{folder / 'case_2.json'}: is the record of method/alpha/infarct/case_1" in one_line(caught.value)


def test_a_record_is_readable_json(store: RunStore) -> None:
    store.commit(record(detail="exit code 3"), prediction=None, log=b"a line\n")
    kept = json.loads((store.folder / "records/method/alpha/infarct/case_1.json").read_text())
    assert kept["outcome"]["ending"] == "crashed"
    assert kept["outcome"]["remedy"] == "Run the container on one case and read its log."
    assert (store.folder / "logs/method/alpha/infarct/case_1.log").read_bytes() == b"a line\n"
