"""Watching a container from outside: the kernel's accounting under both versions, and the bounds of its output."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines import monitor
from harness.engines.docker import DockerEngine
from harness.engines.engine import RunRequest, Usage
from harness.engines.monitor import Monitor, outgrown
from harness.errors import EngineFault
from harness.specs.submission import SubmittedImage
from tests.contract.engine_contract import LIMITS, request_of
from tests.support.behaviours import ask_of
from tests.support.datasets import write_text
from tests.support.images import script_image
from tests.support.plans import image_facts

IDENTITY = "0123abcd"
MIB = 1 << 20

MEMORY, SECONDS = 123 * MIB, 2.5
NANOSECONDS, MICROSECONDS = str(int(SECONDS * 1e9)), str(int(SECONDS * 1e6))
ACCOUNTS = {
    "version 1": {
        f"memory/docker/{IDENTITY}/memory.max_usage_in_bytes": f"{MEMORY}\n",
        f"cpuacct/docker/{IDENTITY}/cpuacct.usage": f"{NANOSECONDS}\n",
    },
    "version 1 under systemd": {
        f"memory/system.slice/docker-{IDENTITY}.scope/memory.max_usage_in_bytes": f"{MEMORY}\n",
        f"cpuacct/system.slice/docker-{IDENTITY}.scope/cpuacct.usage": f"{NANOSECONDS}\n",
    },
    "version 2": {
        f"docker/{IDENTITY}/memory.peak": f"{MEMORY}\n",
        f"docker/{IDENTITY}/memory.current": "4096\n",
        f"docker/{IDENTITY}/cpu.stat": f"usage_usec {MICROSECONDS}\nuser_usec 7\nsystem_usec 8\nnr_periods 0\n",
    },
    "version 2 under systemd": {
        f"system.slice/docker-{IDENTITY}.scope/memory.peak": f"{MEMORY}\n",
        f"system.slice/docker-{IDENTITY}.scope/cpu.stat": f"usage_usec {MICROSECONDS}\nuser_usec 7\nsystem_usec 8\n",
    },
    "version 2 before Linux 5.19, which has no peak": {
        f"docker/{IDENTITY}/memory.current": f"{MEMORY}\n",
        f"docker/{IDENTITY}/cpu.stat": f"usage_usec {MICROSECONDS}\n",
    },
}


@pytest.fixture
def request_(tmp_path: Path) -> RunRequest:
    return request_of(image_facts(SubmittedImage(image="alpha:1")), (), tmp_path)


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of control groups."""
    monkeypatch.setattr(monitor, "CONTROL_GROUPS", tmp_path / "cgroup")
    return tmp_path / "cgroup"


def nothing() -> None:
    raise AssertionError("the container is killed")


@pytest.mark.parametrize("files", ACCOUNTS.values(), ids=ACCOUNTS)
def test_usage_is_read_from_the_kernel_s_accounts(groups: Path, request_: RunRequest, files: dict[str, str]) -> None:
    for name, text in files.items():
        write_text(groups / name, text)
    with Monitor(IDENTITY, request_, nothing) as watching:
        pass
    assert watching.usage == Usage(memory_bytes=MEMORY, cpu_seconds=SECONDS)


def test_of_memory_without_a_peak_the_most_that_was_seen_counts(groups: Path, request_: RunRequest) -> None:
    current = write_text(groups / f"docker/{IDENTITY}/memory.current", f"{MEMORY}\n")
    with Monitor(IDENTITY, request_, nothing) as watching:
        _until(lambda: watching.usage.memory_bytes == MEMORY)
        current.write_text("4096\n")
    assert watching.usage.memory_bytes == MEMORY


def test_where_nobody_tells_nothing_is_said(groups: Path, request_: RunRequest) -> None:
    with Monitor(IDENTITY, request_, nothing) as watching:
        pass
    assert watching.usage == Usage()
    assert not watching.overflowed


def test_accounts_that_go_with_the_container_are_kept(groups: Path, request_: RunRequest) -> None:
    for name, text in ACCOUNTS["version 1"].items():
        write_text(groups / name, text)
    with Monitor(IDENTITY, request_, nothing) as watching:
        _until(lambda: watching.usage.cpu_seconds == SECONDS)
        for name in ACCOUNTS["version 1"]:
            (groups / name).unlink()
    assert watching.usage == Usage(memory_bytes=MEMORY, cpu_seconds=SECONDS)


def test_a_container_whose_output_outgrows_its_bounds_is_killed_once(groups: Path, request_: RunRequest) -> None:
    killed, at = [], threading.Event()

    def kill() -> None:
        killed.append("")
        at.set()

    with Monitor(IDENTITY, request_, kill) as watching:
        (request_.output_folder / "large").write_bytes(b"x" * (LIMITS.output_bytes + 1))
        assert at.wait(timeout=5)
        (request_.output_folder / "larger").write_bytes(b"x" * LIMITS.output_bytes)
    assert watching.overflowed
    assert killed == [""]


def filled(request: RunRequest, *, files: int, size: int) -> RunRequest:
    for number in range(files):
        (request.output_folder / str(number)).write_bytes(b"x" * size)
    return request


@pytest.mark.parametrize(("size", "over"), [(0, False), (2 * MIB, False), (2 * MIB + 1, True), (3 * MIB, True)])
def test_all_files_together_are_bounded_in_bytes(request_: RunRequest, size: int, over: bool) -> None:
    assert outgrown(filled(request_, files=2, size=size)) is over  # two of them, of 4 MiB in all


def test_a_file_with_holes_counts_as_what_it_takes(request_: RunRequest) -> None:
    with (request_.output_folder / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert not outgrown(request_)


def link(path: Path) -> None:
    path.symlink_to("/")


@pytest.mark.parametrize(("entries", "over"), [(8, False), (9, True)])
@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, link], ids=["folders", "files", "links"])
def test_entries_of_every_kind_and_depth_are_bounded(
    request_: RunRequest, make: Callable[[Path], None], entries: int, over: bool
) -> None:
    request = replace(request_, limits=replace(LIMITS, output_entries=8))
    inner = request.output_folder / "a" / "b"
    inner.mkdir(parents=True)
    for number in range(entries - 2):
        make(inner / str(number))
    assert outgrown(request) is over


def test_a_folder_that_is_closed_or_gone_does_not_end_the_watch(request_: RunRequest) -> None:
    (request_.output_folder / "closed").mkdir(mode=0o000)
    assert not outgrown(request_)
    assert not outgrown(replace(request_, output_folder=request_.output_folder / "gone"))


def test_a_link_out_of_the_output_is_not_followed(request_: RunRequest, tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "file").write_bytes(b"x" * (LIMITS.output_bytes + 1))
    (request_.output_folder / "link").symlink_to(tmp_path / "large")
    assert not outgrown(request_)


def test_what_vanishes_while_we_look_counts_as_an_entry_and_hides_nothing(request_: RunRequest) -> None:
    filled(request_, files=40, size=MIB)
    looking = monitor._sizes(request_.output_folder)
    seen = [next(looking)]
    _, *others = sorted(request_.output_folder.iterdir(), key=lambda path: path.name)
    for each in others[:20]:
        each.unlink()
    seen += looking
    assert len(seen) == 40
    assert sum(size >= MIB for size in seen) >= 20


@pytest.mark.parametrize("replace_by", [lambda path, target: path.symlink_to(target), lambda path, _: path.touch()])
def test_a_folder_that_changes_into_something_else_is_not_followed(
    request_: RunRequest, tmp_path: Path, replace_by: Callable[[Path, Path], object]
) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "file").write_bytes(b"x" * MIB)
    changing = request_.output_folder / "changing"
    changing.mkdir()
    looking = monitor._sizes(request_.output_folder)
    next(looking)  # it was found, and is opened next
    changing.rmdir()
    replace_by(changing, tmp_path / "large")
    assert list(looking) == []


@pytest.mark.parametrize(("levels", "over"), [(monitor.DEEPEST, False), (monitor.DEEPEST + 1, True)])
def test_folders_are_bounded_in_depth(request_: RunRequest, levels: int, over: bool) -> None:
    request_.output_folder.joinpath(*["a"] * levels).mkdir(parents=True)
    assert outgrown(request_) is over


def test_a_watch_that_fails_ends_the_container_and_is_the_machine_s_fault(groups: Path, request_: RunRequest) -> None:
    write_text(groups / f"docker/{IDENTITY}/memory.peak", "plenty\n")
    killed: list[str] = []
    with (
        pytest.raises(EngineFault, match="The watch over a container failed"),
        Monitor(IDENTITY, request_, lambda: killed.append("")) as watching,
    ):
        _until(lambda: killed != [])
    assert killed == [""]
    assert not watching.overflowed


@pytest.mark.docker
def test_a_real_container_s_usage(tmp_path: Path) -> None:
    image = script_image(
        "import time\n"
        f"held = bytearray(b'x' * {100 * MIB})\n"
        "until = time.process_time() + 1\n"
        "while time.process_time() < until: pass\n"
    )
    with DockerEngine() as engine:
        usage = engine.run(ask_of(engine, image, tmp_path)()).usage
    assert usage.memory_bytes is not None
    assert usage.cpu_seconds is not None
    assert 100 * MIB < usage.memory_bytes <= LIMITS.memory_bytes
    assert 1.0 <= usage.cpu_seconds < 2.0
    assert usage.gpu_memory_bytes is None


def _until(condition: Callable[[], bool]) -> None:
    seen = threading.Event()
    for _ in range(500):
        if condition():
            return
        seen.wait(0.01)
    raise AssertionError("it never came")
