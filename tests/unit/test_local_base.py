"""The base image made without a registry: the same bytes each time, and everything in it that Python needs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.cohorts import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a base image can be made on Linux only")

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def make_archive(path: Path) -> bytes:
    command = [sys.executable, "-m", "containers.base.local_base", "--archive", str(path)]
    subprocess.run(command, check=True, cwd=REPOSITORY, capture_output=True)
    return path.read_bytes()


def opened(archive: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(archive))


def content(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_archive(tmp_path_factory.mktemp("base") / "base.tar")


@pytest.fixture(scope="module")
def layer(archive: bytes) -> bytes:
    with opened(archive) as outer:
        manifest = json.loads(content(outer, "manifest.json"))
        assert manifest[0]["RepoTags"] == ["fomo-eval/base:local"]
        return content(outer, manifest[0]["Layers"][0])


@pytest.fixture(scope="module")
def root(layer: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    with opened(layer) as archive:
        archive.extractall(folder, filter="fully_trusted")  # its links are absolute, as in any root file system
    return folder


def start(root: Path, code: str) -> list[str]:
    """Run Python out of an unpacked image with the image's own loader and libraries, and nothing of this machine's."""
    libraries = next(root.glob("usr/lib*/**/libc.so.6")).parent
    loader = next(root.glob("usr/lib*/ld-linux*"))
    program = [str(loader), "--library-path", str(libraries), str(root / "usr/local/bin" / PYTHON)]
    ended = subprocess.run([*program, "-I", "-c", code], check=True, capture_output=True, text=True, env={})
    return ended.stdout.splitlines()


def test_the_same_files_give_the_same_bytes(archive: bytes, tmp_path: Path) -> None:
    assert make_archive(tmp_path / "again.tar") == archive


def test_no_date_and_no_owner_of_this_machine_gets_in(archive: bytes, layer: bytes) -> None:
    with opened(layer) as inner:
        members = inner.getmembers()
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}
    with opened(archive) as outer:
        config = json.loads(content(outer, json.loads(content(outer, "manifest.json"))[0]["Config"]))
    assert config["created"] == "1970-01-01T00:00:00Z"


def test_every_user_may_read_every_file(layer: bytes) -> None:
    with opened(layer) as inner:
        members = [member for member in inner if not member.issym()]
    closed = [m.name for m in members if m.mode & 0o004 == 0 or (m.isdir() and m.mode & 0o001 == 0)]
    assert len(members) > 500
    assert closed == []


def test_libraries_that_the_interpreter_links_to_are_in_it(root: Path) -> None:
    listing = subprocess.run(["ldd", sys.executable], capture_output=True, text=True, check=True).stdout
    linked = {line.split()[0] for line in listing.splitlines() if "=>" in line}
    assert "libc.so.6" in linked
    present = {path.name for path in root.glob("usr/lib*/**/*.so*")}
    assert linked | {"libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libpthread.so.0"} <= present


def test_python_starts_from_it_alone(root: Path) -> None:
    code = """
import bz2, ctypes, hashlib, json, lzma, sqlite3, ssl, sys, zlib
print(sys.prefix)
print(*{line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}, sep="\\n")
"""
    prefix, *mapped = start(root, code)
    assert prefix == str(root / "usr/local")
    assert any("libc.so.6" in path for path in mapped)
    assert [path for path in mapped if not path.startswith(str(root))] == []


def test_modules_come_compiled_and_are_not_compared_with_their_source(root: Path) -> None:
    source = next(root.glob(f"usr/local/lib*/{PYTHON}/json/__init__.py"))
    original = source.read_bytes()
    source.write_text("raise RuntimeError('compiled anew')")
    try:
        assert start(root, "import json; print(json.dumps([1]))") == ["[1]"]
    finally:
        source.write_bytes(original)


def test_pip_is_in_it(root: Path) -> None:
    command = root / "opt/venv/bin/pip"
    assert command.stat().st_mode & 0o111 == 0o111
    assert command.read_text().startswith("#!/opt/venv/bin/python\n")
    package = root / f"opt/venv/lib/{PYTHON}/site-packages"
    assert start(root, f"import sys; sys.path.append({str(package)!r}); import pip; print(pip.__file__)") == [
        str(package / "pip/__init__.py")
    ]
