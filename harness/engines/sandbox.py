"""The options under which every container runs: written once, checked after create.

Each option answers an attack; ``containers/README.md`` states them as the contract's clauses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from docker import types

from harness.engines.engine import DEFAULT_COMMAND, INPUT_FOLDER, OUTPUT_FOLDER, ImageFacts, RunRequest

UNPRIVILEGED_ID = 65532
"""Whom a container runs as when the caller is root; root itself never runs a stranger's code."""

SCRATCH_FOLDER = "/tmp"  # noqa: S108 - the container's own
SCRATCH_OPTIONS = "rw,exec,nosuid,nodev"
"""Scratch space must allow exec: compiled extensions are unpacked into it and loaded."""


def container_user() -> tuple[int, int]:
    """Return the user and group id of containers: the caller's own, so that outputs are the caller's; never root's."""
    return (os.getuid(), os.getgid()) if os.getuid() != 0 else (UNPRIVILEGED_ID, UNPRIVILEGED_ID)


def create_options(request: RunRequest) -> dict[str, Any]:
    """Write the options of ``containers.create`` for one request.

    Parameters
    ----------
    request
        What is to run.

    Returns
    -------
    dict
        Keyword arguments of docker-py's ``containers.create``.
    """
    limits = request.limits
    # fsize bounds files in /tmp and /dev/shm as well as in /output.
    largest_file = max(limits.output_bytes, limits.scratch_bytes, limits.shared_memory_bytes)
    uid, gid = container_user()
    return {
        "image": request.image.id,
        "name": request.name,
        "labels": dict(request.labels),
        **_command(request),
        "user": f"{uid}:{gid}",
        "hostname": "case",
        "environment": _environment(request.device),
        "mounts": [
            types.Mount(INPUT_FOLDER, str(request.input_folder), type="bind", read_only=True),
            types.Mount(OUTPUT_FOLDER, str(request.output_folder), type="bind"),
        ],
        "tmpfs": _tmpfs(request.image, limits.scratch_bytes),
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "ipc_mode": "private",
        "init": True,
        "nano_cpus": round(limits.cpus * 1e9),
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "shm_size": limits.shared_memory_bytes,
        "pids_limit": limits.processes,
        "ulimits": [
            types.Ulimit(name="fsize", soft=largest_file, hard=largest_file),
            types.Ulimit(name="core", soft=0, hard=0),
            types.Ulimit(name="nofile", soft=4096, hard=4096),
        ],
        "log_config": types.LogConfig(type="json-file", config={"max-size": "1m", "max-file": "2"}),
        "healthcheck": {"test": ["NONE"]},
        "device_requests": _device_requests(request.device),
    }


def _command(request: RunRequest) -> dict[str, Any]:
    arguments = list(request.arguments)
    if request.command is not None:
        return {"entrypoint": list(request.command), "command": arguments}
    if not request.image.has_entrypoint:
        return {"entrypoint": list(DEFAULT_COMMAND), "command": arguments}
    return {"command": arguments}


def _environment(device: str | None) -> dict[str, str]:
    # An image may carry NVIDIA_VISIBLE_DEVICES=all in its own environment. Without a GPU, 'void' takes it back; with
    # one, the engine would only add a second value after the image's, and which of them counts is anyone's guess.
    visible = {"NVIDIA_VISIBLE_DEVICES": device or "void"}
    capabilities = {} if device is None else {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    return {"HOME": SCRATCH_FOLDER, **visible, **capabilities}


def _tmpfs(image: ImageFacts, scratch_bytes: int) -> dict[str, str]:
    # A VOLUME that the image declares would be writable in spite of read_only, and would outlive the container: an
    # empty, small tmpfs covers it. (An anonymous volume that keeps the image's files cannot be mounted read-only.)
    hidden = f"{SCRATCH_OPTIONS},size=1m,mode=1777"
    covered = dict.fromkeys(sorted(set(image.volumes) - {INPUT_FOLDER, OUTPUT_FOLDER}), hidden)
    return {**covered, SCRATCH_FOLDER: f"{SCRATCH_OPTIONS},size={scratch_bytes},mode=1777"}


def mount_points(image: ImageFacts) -> tuple[str, ...]:
    """List the paths inside a container of an image at which something is mounted."""
    return (INPUT_FOLDER, OUTPUT_FOLDER, SCRATCH_FOLDER, *image.volumes)


def _device_requests(device: str | None) -> list[types.DeviceRequest] | None:
    return None if device is None else [types.DeviceRequest(device_ids=[device], capabilities=[["gpu"]])]


def weakened_options(requested: Mapping[str, Any], inspected: Mapping[str, Any]) -> list[str]:
    """Name the safety options that an engine accepted and did not apply.

    Parameters
    ----------
    requested
        What :func:`create_options` asked for.
    inspected
        The container as the engine describes it after create (``attrs``).

    Returns
    -------
    list of str
        Names of dropped options; empty when everything holds.
    """
    host = inspected["HostConfig"]
    devices = [each.get("DeviceIDs") for each in host.get("DeviceRequests") or []]
    wanted_devices = [list(each["DeviceIDs"]) for each in requested["device_requests"] or []]
    holds = {
        "network_mode": host["NetworkMode"] == requested["network_mode"],
        "read_only": host["ReadonlyRootfs"] is True,
        "cap_drop": [name.removeprefix("CAP_") for name in host["CapDrop"] or []] == requested["cap_drop"],
        "security_opt": any(option.startswith("no-new-privileges") for option in host["SecurityOpt"] or []),
        "mem_limit": host["Memory"] == requested["mem_limit"],
        "nano_cpus": host["NanoCpus"] == requested["nano_cpus"],
        "pids_limit": host["PidsLimit"] == requested["pids_limit"],
        "privileged": not host["Privileged"],
        "user": inspected["Config"]["User"] == requested["user"],
        "device_requests": devices == wanted_devices,
    }
    return [name for name, applied in holds.items() if not applied]
