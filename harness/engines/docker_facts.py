"""What a Docker engine tells of itself, in the words of the engine protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.engines.engine import EngineFacts

BOUNDS = {"MemoryLimit": "memory", "SwapLimit": "swap", "CpuCfsQuota": "processor time", "PidsLimit": "processes"}
"""The engine's own names of what it can bound; it leaves out what it does not know of."""


def engine_facts(name: str, info: Mapping[str, Any], version: Mapping[str, Any], *, shares_mounts: bool) -> EngineFacts:
    """Put an engine's description of itself into the protocol's words.

    Parameters
    ----------
    name
        Which engine it is.
    info, version
        Its answers to ``/info`` and ``/version``.
    shares_mounts
        Whether what this process mounts on a folder is what a container sees there.
    """
    return EngineFacts(
        name=name,
        version=version["Version"],
        platform=f"{version['Os']}/{version['Arch']}",
        cpus=info["NCPU"],
        memory_bytes=info["MemTotal"],
        runtimes=tuple(sorted(info["Runtimes"])),
        shares_mounts=shares_mounts,
        cgroups=f"{info.get('CgroupDriver', 'unknown')}, version {info.get('CgroupVersion', '1')}",
        storage_driver=info.get("Driver", ""),
        storage=Path(info["DockerRootDir"]) if shares_mounts and "DockerRootDir" in info else None,
        filters_system_calls=filters_system_calls(info.get("SecurityOptions") or ()),
        unbounded=tuple(what for field, what in BOUNDS.items() if info.get(field) is False),
        cdi_devices=tuple(
            sorted(each["ID"] for each in info.get("DiscoveredDevices") or [] if each.get("Source") == "cdi")
        ),
        clock=_time(info.get("SystemTime", "")),
    )


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def filters_system_calls(security: Iterable[str]) -> bool:
    """Say whether an engine filters the system calls of its containers.

    Parameters
    ----------
    security
        What it says of itself, such as ``name=seccomp,profile=default``.
    """
    told = [dict(word.partition("=")[::2] for word in option.split(",")) for option in security]
    return any(each.get("name") == "seccomp" and each.get("profile") != "unconfined" for each in told)
