"""Files are written whole or not at all, whatever ends the writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from harness.errors import DiskFull, InfrastructureError, RunDirectoryError
from harness.records.files import remove_tree, to_json, write_atomically, write_once, writing
from tests.support.cohorts import REPOSITORY
from tests.support.specs import one_line


def test_content_is_replaced_and_nothing_temporary_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.json"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [each.name for each in path.parent.iterdir()] == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_is_created_once(tmp_path: Path) -> None:
    assert write_once(tmp_path / "file", b"first")
    assert not write_once(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("write", [write_atomically, write_once])
def test_a_folder_where_a_file_should_be_is_told_and_leaves_nothing(
    tmp_path: Path, write: Callable[[Path, bytes], object]
) -> None:
    (tmp_path / "above").write_text("a file")
    with pytest.raises(RunDirectoryError) as caught:
        write(tmp_path / "above" / "file", b"content")
    assert f"{tmp_path / 'above' / 'file'}: cannot be written (" in one_line(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["above"]


def test_a_full_disk_is_the_machine_s_fault(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as caught, writing(tmp_path / "file"), Path("/dev/full").open("wb") as full:
        full.write(b"x" * 100_000)
    assert one_line(caught.value) == (
        f"{tmp_path / 'file'}: the disk is full. Free space, then run the same command again."
    )


def test_json_is_for_people_and_knows_no_nan() -> None:
    assert to_json({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'.encode()
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


def test_removing_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    remove_tree(tmp_path / "gone")


@pytest.mark.parametrize("write", [write_atomically, write_once])
def test_every_folder_that_is_made_on_the_way_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], object]
) -> None:
    """A file is lost to a power cut if any folder above it is: the name of each must be synced where it stands."""
    synced: list[Path] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    write(tmp_path / "a" / "b" / "c" / "file", b"content")
    assert {path for path in synced if path.is_dir()} == {tmp_path / name for name in ("", "a", "a/b", "a/b/c")}
    synced.clear()
    write(tmp_path / "a" / "b" / "c" / "other", b"content")
    assert [path for path in synced if path.is_dir()] == [tmp_path / "a/b/c"]


SWAPPER = """
import os, sys
out, victim = sys.argv[1:]
os.chdir(out)
names = [f"d{number}" for number in range(300)]
for name in names:
    os.makedirs(f"{name}/x")
print("ready", flush=True)
while True:
    for name in [*names, *os.listdir(".")]:
        try:
            os.rename(name, f"{name}-away")
            os.symlink(victim, name)
        except OSError:
            pass
"""


def test_removing_what_somebody_puts_links_into_meanwhile_touches_nothing_else(tmp_path: Path) -> None:
    victim = tmp_path / "records"
    victim.mkdir(mode=0o755)
    for number in range(20):
        (victim / f"{number}.json").write_text("{}")
    for attempt in range(5):
        out = tmp_path / f"out{attempt}"
        out.mkdir()
        with subprocess.Popen([sys.executable, "-c", SWAPPER, out, victim], stdout=subprocess.PIPE) as swapper:
            assert swapper.stdout is not None
            swapper.stdout.readline()
            with suppress(InfrastructureError):  # it may not get to the end of it while somebody adds to it
                remove_tree(out)
            swapper.kill()
        assert len(list(victim.iterdir())) == 20
        assert victim.stat().st_mode & 0o777 == 0o755
        remove_tree(out)
        assert not out.exists()


def test_a_folder_that_cannot_be_removed_is_the_machine_s_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InfrastructureError) as caught:
        remove_tree(tmp_path / "file")
    assert one_line(caught.value) == (
        f"{tmp_path / 'file'}: cannot be removed (Not a directory). Remove it as root, then run again."
    )


WRITER = """
import sys
from pathlib import Path
from harness.records.files import to_json, write_atomically, write_once
folder = Path(sys.argv[1])
print("ready", flush=True)
for n in range(1_000_000):
    content = to_json({"n": n, "filler": list(range(5000))})
    write_atomically(folder / "replaced.json", content)
    write_once(folder / f"once-{n % 50}.json", content)
    write_atomically(folder / f"some-{n % 7}.json", content)
"""


def test_a_killed_writer_leaves_whole_files_only(tmp_path: Path) -> None:
    read = 0
    for delay_ms in (1, 5, 12, 23, 37, 41, 58, 64):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(delay_ms / 1000)  # not to wait for something: to die at another instant each time
            os.kill(writer.pid, signal.SIGKILL)
        for path in tmp_path.glob("*.json"):
            content = json.loads(path.read_bytes())
            assert len(content["filler"]) == 5000
            read += 1
    assert read > 8
