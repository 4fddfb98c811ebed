"""Watching a running container from outside: what it uses, and whether its output stays within bounds."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.engines.engine import RunRequest, Usage
from harness.errors import EngineFault

CONTROL_GROUPS = Path("/sys/fs/cgroup")
FIRST_LOOK_S, LONGEST_WAIT_S = 0.02, 0.1
GPU_INTERVAL_S = 1.0
NANOSECONDS, MICROSECONDS, MEBIBYTE = 1e9, 1e6, 1 << 20
BLOCK = 512
DEEPEST = 32
"""Of folders in ``/output``; each level is one more file that is open while we look."""
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What opening a folder says where something else, or nothing, has come in its place."""


class Monitor:
    """Looks at one container every tenth of a second for as long as the block runs.

    Parameters
    ----------
    identity
        The container's id, by which its control groups are found.
    request
        What it may use.
    kill
        Called once, when its output has outgrown the limits.
    """

    def __init__(self, identity: str, request: RunRequest, kill: Callable[[], object]) -> None:
        self.overflowed = False
        self._fault: Exception | None = None
        self._groups = _ControlGroups(identity)
        self._request, self._kill = request, kill
        self._memory, self._cpu, self._gpu = 0, 0.0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="monitor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if kind is None and self._fault is not None:
            raise EngineFault(
                f"The watch over a container failed ({self._fault!r}), and the container was killed.",
                remedy="Run the same command again.",
            ) from self._fault

    @property
    def usage(self) -> Usage:
        """What was seen."""
        return Usage(
            memory_bytes=self._memory or None, cpu_seconds=self._cpu or None, gpu_memory_bytes=self._gpu or None
        )

    def _watch(self) -> None:
        try:
            self._look_again_and_again()
        except Exception as fault:  # whatever it is: nobody watches over the container any more
            self._fault = fault
            self._kill()

    def _look_again_and_again(self) -> None:
        wait, next_gpu = FIRST_LOOK_S, time.monotonic()
        self._look()
        while not self._over.wait(wait):
            self._look()
            if self._request.device is not None and time.monotonic() >= next_gpu:
                self._gpu = max(self._gpu, _gpu_memory(self._request.device))
                next_gpu = time.monotonic() + GPU_INTERVAL_S
            wait = min(1.5 * wait, LONGEST_WAIT_S)
        self._look()

    def _look(self) -> None:
        self._memory = max(self._memory, self._groups.memory_bytes())
        self._cpu = max(self._cpu, self._groups.cpu_seconds())
        if not self.overflowed and outgrown(self._request):
            self.overflowed = True
            self._kill()


class _ControlGroups:
    """A container's accounting by the kernel, under version 1 or 2 of control groups."""

    def __init__(self, identity: str) -> None:
        names = (f"docker/{identity}", f"system.slice/docker-{identity}.scope")
        self._memory = [
            *(CONTROL_GROUPS / "memory" / name / "memory.max_usage_in_bytes" for name in names),
            *(CONTROL_GROUPS / name / "memory.peak" for name in names),
            *(CONTROL_GROUPS / name / "memory.current" for name in names),
        ]
        self._cpu_v1 = [CONTROL_GROUPS / "cpuacct" / name / "cpuacct.usage" for name in names]
        self._cpu_v2 = [CONTROL_GROUPS / name / "cpu.stat" for name in names]

    def memory_bytes(self) -> int:
        """Return the most memory held so far; 0 where nobody tells."""
        return next((int(text) for path in self._memory if (text := _read(path))), 0)

    def cpu_seconds(self) -> float:
        """Return the processor time used so far; 0 where nobody tells."""
        for path in self._cpu_v1:
            if text := _read(path):
                return int(text) / NANOSECONDS
        for path in self._cpu_v2:
            if text := _read(path):
                fields = dict(line.split() for line in text.splitlines())
                return int(fields["usage_usec"]) / MICROSECONDS
        return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def outgrown(request: RunRequest) -> bool:
    """Say whether an output folder holds more bytes or entries than its container may write.

    What cannot be counted counts as too much: a folder that its container has closed to us, or has put very deep, could
    hold anything. What vanishes while we look counts as an entry.
    """
    held, entries = 0, 0
    try:
        for size in _sizes(request.output_folder):
            held, entries = held + size, entries + 1
            if held > request.limits.output_bytes or entries > request.limits.output_entries:
                return True
    except OSError:
        return True
    return False


def _sizes(folder: str | os.PathLike[str], above: int | None = None, depth: int = 0) -> Iterator[int]:
    """Tell the bytes on disk of every entry below a folder, of which its container may change anything meanwhile.

    Each folder is opened in the one above it and never through a link: it is nowhere else than it was found.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    except OSError as fault:
        if fault.errno in GONE:
            return
        raise
    try:
        if depth > DEEPEST:
            raise OSError(errno.ENAMETOOLONG, "too deep")
        with os.scandir(opened) as found:
            for entry in found:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    yield 0
                    continue
                yield status.st_blocks * BLOCK
                if stat.S_ISDIR(status.st_mode):
                    yield from _sizes(entry.name, opened, depth + 1)
    finally:
        os.close(opened)


def _gpu_memory(device: str) -> int:
    """Return the memory in use on a GPU, in bytes; 0 where the driver does not answer."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return 0
    words = [command, f"--id={device}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(words, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
        return int(told.strip()) * MEBIBYTE
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
