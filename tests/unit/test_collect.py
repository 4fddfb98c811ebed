"""Taking a prediction from a hostile folder: only a plain file of its own is ever opened."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.engines.outcome import Ending, Outcome, Refusal
from harness.execution.collect import Collected, collect
from tests.support.cohorts import REPOSITORY

NAME = "prediction.txt"
LARGEST = 1000


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir(mode=0o700)
    return tmp_path / "out"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A real reference, readable by the harness, on the same file system."""
    (tmp_path / "label.txt").write_text("1\n")
    return tmp_path / "label.txt"


def take(output: Path) -> Collected | Outcome:
    return collect(output, NAME, output.parent / "taken", largest=LARGEST)


def refused(output: Path) -> Outcome:
    outcome = take(output)
    assert isinstance(outcome, Outcome)
    assert not (output.parent / "taken").exists()
    return outcome


def test_a_plain_file_is_copied_and_described(output: Path) -> None:
    (output / NAME).write_bytes(b"0.5\n")
    (output / NAME).chmod(0o600)
    taken = take(output)
    assert isinstance(taken, Collected)
    assert taken.path == output.parent / "taken" / NAME
    assert taken.path.read_bytes() == b"0.5\n"
    assert (taken.bytes, taken.sha256) == (4, hashlib.sha256(b"0.5\n").hexdigest())
    assert taken.path.stat().st_mode & 0o777 == 0o644


def test_a_file_of_exactly_the_limit_is_taken_whole(output: Path) -> None:
    (output / NAME).write_bytes(bytes(LARGEST))
    taken = take(output)
    assert isinstance(taken, Collected)
    assert taken.bytes == LARGEST


def test_a_file_beyond_the_limit_is_refused(output: Path) -> None:
    (output / NAME).write_bytes(bytes(LARGEST + 1))
    outcome = refused(output)
    assert (outcome.ending, outcome.refusal) == (Ending.INVALID_OUTPUT, Refusal.TOO_LARGE)
    assert outcome.detail == f"/output/{NAME} has 1001 bytes, more than 1000"


def test_a_sparse_file_of_a_terabyte_is_refused_unread(output: Path) -> None:
    with (output / NAME).open("wb") as stream:
        stream.truncate(1 << 40)
    assert refused(output).refusal is Refusal.TOO_LARGE


def test_nothing_written(output: Path) -> None:
    outcome = refused(output)
    assert (outcome.ending, outcome.refusal) == (Ending.NO_OUTPUT, None)
    assert outcome.detail == f"/output/{NAME} was not written; /output is empty"


def test_something_else_written_is_named(output: Path) -> None:
    for name in ("pred.txt", "a\nb", "x" * 200, "zzz"):
        (output / name).touch()
    outcome = refused(output)
    assert outcome.ending is Ending.NO_OUTPUT
    assert outcome.detail == f"/output/{NAME} was not written; /output holds 'a\\nb', 'pred.txt', '{'x' * 40}'"


NOT_FILES: dict[str, Callable[[Path, Path], object]] = {
    "link to a reference": lambda path, secret: path.symlink_to(secret),
    "relative link to a reference": lambda path, secret: path.symlink_to(os.path.relpath(secret, path.parent)),
    "link to nothing": lambda path, secret: path.symlink_to("nowhere"),
    "link to itself": lambda path, secret: path.symlink_to(path.name),
    "link to a device": lambda path, secret: path.symlink_to("/dev/zero"),
    "hard link to a reference": lambda path, secret: path.hardlink_to(secret),
    "fifo": lambda path, secret: os.mkfifo(path),
    "folder": lambda path, secret: path.mkdir(),
    "folder with content": lambda path, secret: (path / NAME).mkdir(parents=True),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", NOT_FILES)
def test_what_is_no_plain_file_is_refused_unopened(output: Path, secret: Path, name: str) -> None:
    NOT_FILES[name](output / NAME, secret)
    outcome = refused(output)
    assert (outcome.ending, outcome.refusal) == (Ending.INVALID_OUTPUT, Refusal.NOT_A_FILE)
    assert outcome.detail == f"/output/{NAME} is not a plain file of its own"
    assert secret.read_text() == "1\n"


def test_a_socket_is_refused(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(output)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(NAME)
        assert refused(output).refusal is Refusal.NOT_A_FILE


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from harness.execution.collect import collect
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
top = Path(sys.argv[1])
for name, of_folder, of_file in (("closed-folder", 0o000, 0o600), ("closed-file", 0o700, 0o000)):
    output = top / name
    output.mkdir()
    (output / "prediction.txt").write_text("0.5")
    (output / "prediction.txt").chmod(of_file)
    output.chmod(of_folder)
    taken = collect(output, "prediction.txt", top / f"{name}-taken", largest=1000)
    print(name, getattr(taken, "refusal", "taken"))
"""


def test_a_harness_that_is_not_root_opens_a_closed_folder_and_refuses_a_closed_file() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # tmp_path lies below folders that only its owner may enter
        command = [sys.executable, "-c", UNPRIVILEGED, folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert (ended.stdout, ended.stderr) == ("closed-folder taken\nclosed-file unreadable\n", "")
