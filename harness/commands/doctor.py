"""``fomo-eval doctor``: whether this machine can run containers as a challenge does, and what to mend where it cannot.

A check is a plain function of the :class:`Patient`: it returns what it found, or raises the fault that a run would end
with, whose sentence and remedy are then what it says.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from harness import __version__
from harness.commands.interrupts import interruptible
from harness.engines.docker import DEFAULT_SOCKET, DockerEngine
from harness.engines.engine import (
    OWNER_LABEL,
    RUN_LABEL,
    ContainerLimits,
    EngineFacts,
    RunRequest,
    container_prefix,
)
from harness.engines.owner import this_process
from harness.engines.sandbox import container_user
from harness.errors import EngineUnavailable, FomoEvalError
from harness.execution import preflight
from harness.execution.bounds import bound, release
from harness.records.files import writing
from harness.specs.loading import builtin_challenges, load_challenge

SMALL = ContainerLimits(
    seconds=30, cpus=1, memory_bytes=128 << 20, shared_memory_bytes=16 << 20, scratch_bytes=16 << 20,
    output_bytes=1 << 20, processes=64, output_entries=16,
)  # fmt: skip
GIB = 1 << 30
COMFORTABLE_BYTES = 20 * GIB
"""Images with a deep-learning framework in them take several GiB each."""

SLOW_STORAGE = ("vfs", "devicemapper")
CLOCKS_APART_S = 5.0
NOT_SEEN = "Not looked at: no engine answers."


class Status(StrEnum):
    """What a check says."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    status
        Whether it is as it should be, unusual, or in the way of a run.
    found
        In one sentence.
    remedy
        What to do about it; empty where nothing is to be done.
    name
        Of the check.
    """

    status: Status
    found: str
    remedy: str = ""
    name: str = ""


@dataclass(frozen=True)
class Patient:
    """What is looked at.

    Attributes
    ----------
    engine, facts
        The engine, and what it says of itself; None where none answers.
    fault
        Why none answers.
    folder
        The working directory, in which run directories usually are made.
    """

    engine: DockerEngine | None
    facts: EngineFacts | None
    fault: FomoEvalError | None
    folder: Path


def doctor() -> tuple[Finding, ...]:
    """Look at the machine; whatever is found is returned, and nothing raised."""
    with interruptible(), ExitStack() as stack:
        try:
            engine = stack.enter_context(DockerEngine())
            patient = Patient(engine, engine.facts(), None, Path.cwd())
        except FomoEvalError as fault:
            patient = Patient(None, None, fault, Path.cwd())
        return tuple(_examined(name, check, patient) for name, check in CHECKS.items())


def _examined(name: str, check: Callable[[Patient], Finding], patient: Patient) -> Finding:
    try:
        return replace(check(patient), name=name)
    except FomoEvalError as fault:
        return Finding(Status.FAILED, fault.message, fault.remedy, name)


def _versions(_: Patient) -> Finding:
    return _ok(f"fomo-eval {__version__}, Python {platform.python_version()}, Docker SDK {version('docker')}.")


def _engine(patient: Patient) -> Finding:
    if patient.facts is None:
        raise patient.fault or EngineUnavailable(NOT_SEEN)
    facts = patient.facts
    preflight.require_engine(facts, None)
    kept = f"cgroups by {facts.cgroups}; images by {facts.storage_driver}"
    found = f"{facts.name} {facts.version} on {facts.platform}; {kept}"
    if facts.unbounded:
        return _warning(
            f"{found}; it cannot bound {', '.join(facts.unbounded)}.",
            "Enable these cgroup controllers, for a rootless engine by delegating them to the user.",
        )
    if facts.storage_driver in SLOW_STORAGE:
        return _warning(f"{found}, which is slow.", "Have the engine use overlay2.")
    return _ok(f"{found}.")


def _permissions(patient: Patient) -> Finding:
    root = os.getuid() == 0
    who = f"user {os.getuid()}; containers run as user {container_user()[0]}"
    if patient.facts is None:
        path = (os.environ.get("DOCKER_HOST") or DEFAULT_SOCKET).removeprefix("unix://")
        if os.access(path, os.F_OK) and not os.access(path, os.W_OK):
            return Finding(
                Status.FAILED,
                f"{path}: this user may not use the engine's socket.",
                "Add the user to the group 'docker', and log in again.",
            )
        return _ok(f"This is {who}. {NOT_SEEN}")
    if not root:
        return _ok(f"This is {who}. The engine may be used. /output is watched, which root could bound.")
    if not patient.facts.shares_mounts:
        return _ok(f"This is {who}. The engine sees other mounts than this process: /output is watched, not bounded.")
    with writing(patient.folder), tempfile.TemporaryDirectory(dir=patient.folder) as folder:
        try:
            bound(Path(folder), SMALL)
        finally:
            release(Path(folder))
    return _ok(f"This is {who}. /output is a file system of limited size.")


def _containers(patient: Patient) -> Finding:
    if patient.facts is None:
        return _warning(NOT_SEEN)
    _start(patient, None)
    runtimes = ", ".join(patient.facts.runtimes)
    return _ok(f"A container starts under the options of a run. Runtimes: {runtimes}.")


def _gpu(patient: Patient) -> Finding:
    facts = patient.facts
    way = _way_to_give_gpus(facts) if facts else ""
    if shutil.which("nvidia-smi") is None:
        return _warning(
            f"nvidia-smi is not installed{f', although the engine has {way}' if way else ''}.",
            "Run with '--gpus none', or install the NVIDIA driver and nvidia-container-toolkit.",
        )
    devices = preflight.find_devices("all", wanted=True)
    driver = ", ".join(sorted(set(preflight.ask_driver("driver_version"))))
    found = f"{len(devices)} with driver {driver}"
    if facts is None:
        return _warning(f"{found}. {NOT_SEEN}")
    for device in devices:
        _start(patient, device)
    return _ok(f"{found}; the engine gives each to a container{f' by {way}' if way else ''}.")


def _way_to_give_gpus(facts: EngineFacts) -> str:
    if "nvidia" in facts.runtimes:
        return "the runtime nvidia"
    if any(each.startswith("nvidia.com/gpu") for each in facts.cdi_devices):
        return "CDI"
    return "nvidia-container-toolkit" if shutil.which("nvidia-container-runtime-hook") else ""


def _engine_disk(patient: Patient) -> Finding:
    if patient.facts is None:
        return _warning(NOT_SEEN)
    folder = patient.facts.storage
    if folder is None or not os.access(folder, os.X_OK):
        return _ok("Where the engine stores images cannot be seen from here.")
    return _room(folder, "the engine stores images there")


def _working_disk(patient: Patient) -> Finding:
    if not os.access(patient.folder, os.W_OK):
        return _warning(f"{patient.folder}: may not be written.", "Pass an --out elsewhere.")
    return _room(patient.folder, "run directories are made there, unless --out says otherwise")


def _room(folder: Path, why: str) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{folder}: {free / GIB:.1f} GiB are free; {why}."
    if free < preflight.RESERVE_BYTES:
        return Finding(Status.FAILED, found, "Free space, or use another disk.")
    return _warning(found, "Free space: images are often of several GiB.") if free < COMFORTABLE_BYTES else _ok(found)


def _memory(patient: Patient) -> Finding:
    size = patient.facts.memory_bytes if patient.facts else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    asked = max(task.limits.memory_gib for name in builtin_challenges() for task in load_challenge(name).tasks)
    found = f"{size / GIB:.1f} GiB"
    if size < asked * GIB:
        return _warning(
            f"{found}; built-in tasks allow a case up to {asked:g} GiB, and are capped at what there is.",
            "Use a machine of that size where results count.",
        )
    return _ok(f"{found}; built-in tasks allow a case up to {asked:g} GiB.")


def _clock(patient: Patient) -> Finding:
    now, installed = datetime.now(UTC), datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed or not time.get_clock_info("monotonic").monotonic:
        return Finding(
            Status.FAILED, f"It says {now:%Y-%m-%d %H:%M}, before fomo-eval was installed.", "Set the clock."
        )
    if patient.facts is None or patient.facts.clock is None:
        return _ok(f"It says {now:%Y-%m-%d %H:%M} UTC.")
    apart = abs((now - patient.facts.clock).total_seconds())
    if apart > CLOCKS_APART_S:
        return _warning(f"The engine's is {apart:.0f} s from this process's.", "Have both synchronised (NTP).")
    return _ok(f"It says {now:%Y-%m-%d %H:%M} UTC, and so does the engine's.")


def _start(patient: Patient, device: str | None) -> None:
    """Start a container of an empty image under the options of a run, and stop it at once."""
    assert patient.engine is not None
    run = secrets.token_hex(6)
    with writing(patient.folder), tempfile.TemporaryDirectory(dir=patient.folder) as folder:
        patient.engine.probe(
            RunRequest(
                name=container_prefix(run) + "doctor",
                labels={RUN_LABEL: run, OWNER_LABEL: this_process()},
                image=patient.engine.empty_image(),
                command=("/nothing",),
                arguments=(),
                input_folder=Path(folder),
                output_folder=Path(folder),
                limits=SMALL,
                device=device,
            )
        )


def _ok(found: str) -> Finding:
    return Finding(Status.OK, found)


def _warning(found: str, remedy: str = "") -> Finding:
    return Finding(Status.WARNING, found, remedy)


CHECKS: dict[str, Callable[[Patient], Finding]] = {
    "versions": _versions,
    "engine": _engine,
    "permissions": _permissions,
    "containers": _containers,
    "GPU": _gpu,
    "engine's disk": _engine_disk,
    "working disk": _working_disk,
    "memory": _memory,
    "clock": _clock,
}
"""In the order in which a person would mend them."""
