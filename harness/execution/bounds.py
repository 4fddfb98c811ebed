"""Bounding ``/output``, in bytes and in entries.

As root, on an engine that shares this process's mounts, the output folder is a tmpfs of its own: the kernel refuses
what is too much. Everywhere else the engine watches the folder and ends the container (``engines.monitor``), and a
single file is bounded by the ``fsize`` limit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness.engines.engine import ContainerLimits, EngineFacts
from harness.engines.sandbox import container_user
from harness.errors import InfrastructureError

MOUNT_INFO = Path("/proc/self/mountinfo")
ITS_OWN_ENTRY = 1
SYSTEM_FOLDERS = "/usr/bin:/bin:/usr/sbin:/sbin"


def by_the_kernel(machine: EngineFacts) -> bool:
    """Say whether output folders can be file systems of limited size: for root, where the engine sees our mounts."""
    return os.getuid() == 0 and machine.shares_mounts


def bound(folder: Path, limits: ContainerLimits) -> None:
    """Put a tmpfs of the output's size on a folder, as root.

    Raises
    ------
    InfrastructureError
        The kernel refuses to mount it.
    """
    uid, gid = container_user()
    options = [
        f"size={limits.output_bytes}",
        f"nr_inodes={limits.output_entries + ITS_OWN_ENTRY}",
        f"uid={uid},gid={gid},mode=0700,nosuid,nodev,noexec",
    ]
    command = [_tool("mount"), "-t", "tmpfs", "-o", ",".join(options), "fomo-eval-output", os.fspath(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode != 0:
        raise InfrastructureError(
            f"{folder}: cannot be made a bounded file system ({ended.stderr.strip()}).",
            remedy="Run as a user other than root, or let root mount.",
        )


def release(folder: Path) -> tuple[Path, ...]:
    """Unmount what :func:`bound` mounted at a folder or below it, and nothing else; return where that was."""
    points = _mounted_below(folder)
    for point in points:
        # Lazily: a container that is being removed may hold it for another moment.
        command = [_tool("umount"), "--lazy", os.fspath(point)]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return points


def _tool(name: str) -> str:
    # Not by PATH: what runs as root here must not depend on the caller's environment.
    return shutil.which(name, path=SYSTEM_FOLDERS) or name


def _mounted_below(folder: Path) -> tuple[Path, ...]:
    root = folder.resolve()
    lines = [line for line in MOUNT_INFO.read_bytes().splitlines() if b" - tmpfs fomo-eval-output " in line]
    points = [Path(os.fsdecode(_unescaped(line.split()[4]))) for line in lines]
    return tuple(point for point in points if point.is_relative_to(root))


def _unescaped(name: bytes) -> bytes:
    """Read a path as the kernel writes it: white space and backslashes in octal, all other bytes as they are."""
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), name)
