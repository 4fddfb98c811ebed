"""The configuration under which every container runs: written once, in the engine's own words, checked after create.

Each option answers an attack; ``containers/README.md`` states them as the contract's clauses. It is plain JSON, so
that a plan can hold it and a person can read it before anything runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from harness.engines.engine import (
    DEFAULT_COMMAND,
    INPUT_FOLDER,
    OUTPUT_FOLDER,
    ContainerLimits,
    ImageFacts,
    Relaxation,
    RunRequest,
)

UNPRIVILEGED_ID = 65532
"""Whom a container runs as when the caller is root; root itself never runs a stranger's code."""

SCRATCH_FOLDER = "/tmp"  # noqa: S108 - the container's own
SCRATCH_OPTIONS = "rw,exec,nosuid,nodev"
"""Scratch space must allow exec: compiled extensions are unpacked into it and loaded."""

MOST_VOLUMES, LONGEST_VOLUME = 64, 255

A_CASE, ITS_OUTPUT, A_GPU = "<one case>", "<its output>", "<one GPU>"
"""What stands in a plan for what each container has of its own."""

NOTHING_MORE: dict[str, Any] = {
    "Privileged": False,
    "Binds": [],
    "CapAdd": [],
    "DeviceCgroupRules": [],
    "Devices": [],
    "GroupAdd": [],
    "PidMode": "",
    "UTSMode": "",
    "UsernsMode": "",
    "VolumesFrom": [],
}
"""What a container is not given: asked for in so many words, so that an engine that adds it is found out."""

Configuration = dict[str, Any]


def container_user() -> tuple[int, int]:
    """Return the user and group id of containers: the caller's own, so that outputs are the caller's; never root's."""
    return (os.getuid(), os.getgid()) if os.getuid() != 0 else (UNPRIVILEGED_ID, UNPRIVILEGED_ID)


def refused(image: ImageFacts) -> str:
    """Say why an image is not even tried: each volume costs the kernel a mount, the engine a folder. Empty if it is."""
    if len(image.volumes) > MOST_VOLUMES:
        return f"the image declares {len(image.volumes)} volumes, more than {MOST_VOLUMES}"
    if any(len(path) > LONGEST_VOLUME for path in image.volumes):
        return f"the image declares a volume whose path is longer than {LONGEST_VOLUME} characters"
    return ""


def configuration(
    image: ImageFacts,
    command: tuple[str, ...] | None,
    limits: ContainerLimits,
    *,
    runtime: str | None,
    device: str | None,
    input_folder: str = A_CASE,
    output_folder: str = ITS_OUTPUT,
) -> Configuration:
    """Write what all containers of an entry have in common.

    Parameters
    ----------
    image, command, limits
        What runs, and within what.
    runtime
        The OCI runtime, None for the engine's default.
    device
        The one GPU that a container gets, None for none.
    input_folder, output_folder
        Folders of the host; what stands for them in a plan.

    Returns
    -------
    dict
        The engine API's container configuration without flags and labels.
    """
    # fsize bounds files in /tmp and /dev/shm as well as in /output.
    largest_file = max(limits.output_bytes, limits.scratch_bytes, limits.shared_memory_bytes)
    uid, gid = container_user()
    return {
        "Image": image.id,
        **_entrypoint(image, command),
        "User": f"{uid}:{gid}",
        "Hostname": "case",
        "Healthcheck": {"Test": ["NONE"]},
        "Env": _environment(device),
        "HostConfig": {
            **NOTHING_MORE,
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "IpcMode": "private",
            "Init": True,
            "NanoCpus": round(limits.cpus * 1e9),
            "Memory": limits.memory_bytes,
            "MemorySwap": limits.memory_bytes,
            "ShmSize": limits.shared_memory_bytes,
            "PidsLimit": limits.processes,
            "Ulimits": [
                {"Name": name, "Soft": value, "Hard": value}
                for name, value in (("fsize", largest_file), ("core", 0), ("nofile", 4096))
            ],
            "Tmpfs": _tmpfs(image, limits.scratch_bytes),
            "Mounts": [
                _bind(input_folder, INPUT_FOLDER, read_only=True),
                _bind(output_folder, OUTPUT_FOLDER, read_only=False),
            ],
            "DeviceRequests": _device_requests(device),
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
            **({"Runtime": runtime} if runtime else {}),
        },
    }


def container(request: RunRequest) -> Configuration:
    """Write the configuration of one container: what its entry has in common, and what is this case's own."""
    common = configuration(
        request.image,
        request.command,
        request.limits,
        runtime=request.runtime,
        device=request.device,
        input_folder=os.fspath(request.input_folder),
        output_folder=os.fspath(request.output_folder),
    )
    lifted = _lifted(request.relaxed)
    return {
        **common,
        **lifted,
        "HostConfig": {**common["HostConfig"], **lifted["HostConfig"]},
        "Cmd": list(request.arguments),
        "Labels": dict(request.labels),
    }


def _lifted(relaxed: frozenset[Relaxation]) -> Configuration:
    """Write what takes the place of restrictions that are lifted: nothing in a run."""
    host: Configuration = {}
    if Relaxation.NETWORK in relaxed:
        host["NetworkMode"] = "bridge"
    if Relaxation.WRITABLE in relaxed:
        host["ReadonlyRootfs"] = False
    if Relaxation.ROOT not in relaxed:
        return {"HostConfig": host}
    # Root without any capability could not write to an output folder that is the unprivileged user's.
    return {"User": "0:0", "HostConfig": {**host, "CapAdd": ["CAP_DAC_OVERRIDE"]}}


def _entrypoint(image: ImageFacts, command: tuple[str, ...] | None) -> dict[str, list[str]]:
    if command is not None:
        return {"Entrypoint": list(command)}
    return {} if image.has_entrypoint else {"Entrypoint": list(DEFAULT_COMMAND)}


def _environment(device: str | None) -> list[str]:
    # An image may carry NVIDIA_VISIBLE_DEVICES=all in its own environment. Without a GPU, 'void' takes it back; with
    # one, the engine would only add a second value after the image's, and which of them counts is anyone's guess.
    variables = {"HOME": SCRATCH_FOLDER, "NVIDIA_VISIBLE_DEVICES": device or "void"}
    if device is not None:
        variables["NVIDIA_DRIVER_CAPABILITIES"] = "compute,utility"
    return [f"{name}={value}" for name, value in variables.items()]


def _tmpfs(image: ImageFacts, scratch_bytes: int) -> dict[str, str]:
    # A VOLUME that the image declares would be writable in spite of ReadonlyRootfs, and would outlive the container:
    # an empty, small tmpfs covers it. (An anonymous volume that keeps the image's files cannot be mounted read-only.)
    hidden = f"{SCRATCH_OPTIONS},size=1m,mode=1777"
    covered = dict.fromkeys(sorted(set(image.volumes) - {INPUT_FOLDER, OUTPUT_FOLDER}), hidden)
    return {**covered, SCRATCH_FOLDER: f"{SCRATCH_OPTIONS},size={scratch_bytes},mode=1777"}


def _bind(source: str, target: str, *, read_only: bool) -> dict[str, Any]:
    # Never 'Binds': those make a missing source folder.
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}


def _device_requests(device: str | None) -> list[dict[str, Any]]:
    if device is None:
        return []
    return [{"Driver": "", "Count": 0, "DeviceIDs": [device], "Capabilities": [["gpu"]], "Options": {}}]


def dropped_options(requested: Mapping[str, Any], inspected: Mapping[str, Any]) -> list[str]:
    """Name the options that an engine accepted and did not apply as they were asked for.

    Parameters
    ----------
    requested
        What :func:`container` asked for.
    inspected
        The container as the engine describes it after create.

    Returns
    -------
    list of str
        Names of the engine API's fields; empty when everything holds.
    """
    told, host = inspected["Config"], inspected["HostConfig"]
    ours = {variable.partition("=")[0] for variable in requested["Env"]}  # the image's own stand beside them
    pairs = [
        ("Env", sorted(requested["Env"]), sorted(each for each in told["Env"] if each.partition("=")[0] in ours)),
        *((name, value, told.get(name)) for name, value in requested.items() if name not in ("Env", "HostConfig")),
        *((name, value, host.get(name)) for name, value in requested["HostConfig"].items()),
    ]
    return [name for name, asked, applied in pairs if not _applied(asked, applied)]


def in_force(requested: Mapping[str, Any], inspected: Mapping[str, Any]) -> Configuration:
    """Return a container's configuration as the engine tells it.

    Of all fields, those that were asked for and the entry point; of labels, ours alone, for an image's may be of any
    size.

    Parameters
    ----------
    requested, inspected
        As for :func:`dropped_options`.
    """
    told = {**inspected["Config"], "HostConfig": inspected["HostConfig"]}
    return {**{name: told.get(name) for name in (*requested, "Entrypoint")}, "Labels": requested["Labels"]}


def _applied(asked: Any, applied: Any) -> bool:
    """Compare what was asked with what the engine tells, which leaves out what is empty and adds its own defaults."""
    if isinstance(asked, dict):
        return isinstance(applied, dict) and all(_applied(value, applied.get(key)) for key, value in asked.items())
    if isinstance(asked, list):
        told = applied or []
        return len(asked) == len(told) and all(_applied(one, other) for one, other in zip(asked, told, strict=True))
    return bool(asked == applied or (not asked and not applied))
