"""The file system of a container's output: bounded by the kernel, and gone afterwards; and nobody else's with it."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines.sandbox import container_user
from harness.errors import InfrastructureError
from harness.execution.bounds import bound, release
from tests.contract.engine_contract import LIMITS
from tests.support.specs import one_line

MIB = 1 << 20
SMALL = replace(LIMITS, output_bytes=MIB, output_entries=4)

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount; for others the engine's watch is the bound")
NAMES = ["plain", "with space", "with\ttab", "back\\slash", "Größe", "octal\\040", "線"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    release(tmp_path)


def mounted(folder: Path) -> bool:
    return os.path.ismount(folder)


@as_root
def test_bytes_are_bounded(folder: Path) -> None:
    bound(folder, SMALL)
    with pytest.raises(OSError, match="No space left") as caught, (folder / "large").open("wb") as file:
        file.write(bytes(2 * MIB))
    assert caught.value.errno == errno.ENOSPC
    assert (folder / "large").stat().st_size <= MIB


@as_root
def test_entries_are_bounded(folder: Path) -> None:
    bound(folder, SMALL)
    for number in range(4):
        (folder / str(number)).touch()
    with pytest.raises(OSError, match="No space left"):
        (folder / "one more").touch()


@as_root
def test_it_is_the_container_s_user_s_alone_and_nothing_runs_from_it(folder: Path) -> None:
    bound(folder, SMALL)
    status = folder.stat()
    assert (status.st_uid, status.st_gid) == container_user()
    assert status.st_mode & 0o777 == 0o700
    options = next(line for line in Path("/proc/self/mounts").read_text().splitlines() if f" {folder} " in line)
    assert {"nosuid", "nodev", "noexec"} <= set(options.split()[3].split(","))


@as_root
@pytest.mark.parametrize("name", NAMES)
def test_it_is_released_whatever_the_folder_is_called(folder: Path, name: str) -> None:
    inner = folder / name / "out"
    inner.mkdir(parents=True)
    bound(inner, SMALL)
    assert mounted(inner)
    assert release(folder / name) == (inner,)
    assert not mounted(inner)
    assert release(folder / name) == ()


@as_root
def test_one_that_is_in_use_is_released_all_the_same(folder: Path) -> None:
    bound(folder, SMALL)
    with (folder / "open").open("w"):
        assert release(folder) == (folder,)
        assert not mounted(folder)


@as_root
def test_nothing_else_is_unmounted(folder: Path) -> None:
    for name in ("work", "workshop", "foreign"):
        (folder / name).mkdir()
    (folder / "work" / "foreign").mkdir()
    bound(folder / "workshop", SMALL)
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "somebody-else", str(folder / "work" / "foreign")]
    subprocess.run(words, check=True)
    try:
        assert release(folder / "work") == ()
        assert mounted(folder / "work" / "foreign")
        assert mounted(folder / "workshop")
    finally:
        subprocess.run(["umount", folder / "work" / "foreign"], check=True)


@as_root
def test_what_cannot_be_mounted_is_the_machine_s_fault(folder: Path) -> None:
    with pytest.raises(InfrastructureError) as caught:
        bound(folder / "not there", SMALL)
    assert "cannot be made a bounded file system" in one_line(caught.value)
