"""What is checked before the first case: engine, GPUs, disk, and that each image's containers can be started."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from harness.datasets.case import Case
from harness.engines.engine import Engine, EngineFacts
from harness.errors import DeviceUnavailable, DiskFull, EngineFault, EngineUnavailable, UsageError, nearest
from harness.execution.bounds import by_the_kernel
from harness.execution.plan import container_limits
from harness.execution.request import probe_request
from harness.execution.stage import clear, stage
from harness.records.plan import Plan

LISTING_TIMEOUT_S = 60
OLDEST_ENGINE = (20, 10)
RESERVE_BYTES = 1 << 30
NO_CASE = Case(id="", volumes={})


def find_devices(asked: str, *, wanted: bool) -> tuple[str, ...]:
    """Resolve what ``--gpus`` asks for.

    Parameters
    ----------
    asked
        ``all``, ``none``, or device indices and UUIDs separated by commas.
    wanted
        Whether any task wants a GPU.

    Returns
    -------
    tuple of str
        Device ids, each for one container at a time; none where none is wanted.

    Raises
    ------
    UsageError
        The list is malformed.
    DeviceUnavailable
        All were asked for, and there is none.
    """
    devices = tuple(each.strip() for each in asked.split(","))
    if not all(devices) or len(set(devices)) < len(devices):
        raise UsageError(
            f"--gpus is '{asked}'.",
            remedy="Use 'all', 'none', or different device ids separated by commas, as in '0,1'.",
        )
    if asked == "none" or not wanted:
        return ()
    return _installed_devices() if asked == "all" else devices


def _installed_devices() -> tuple[str, ...]:
    """List the UUIDs of this machine's NVIDIA GPUs."""
    devices = ask_driver("uuid")
    if not devices:
        raise _no_gpu("nvidia-smi lists none")
    return devices


def ask_driver(field: str) -> tuple[str, ...]:
    """Ask the NVIDIA driver for one field of each GPU, as ``nvidia-smi --help-query-gpu`` names it.

    Raises
    ------
    DeviceUnavailable
        No driver answers.
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        raise _no_gpu("nvidia-smi is not installed")
    try:
        listing = subprocess.run(  # noqa: S603 - a fixed command
            [command, f"--query-gpu={field}", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=LISTING_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as fault:
        raise _no_gpu("nvidia-smi fails: the driver does not answer") from fault
    return tuple(line.strip() for line in listing.stdout.splitlines() if line.strip())


def _no_gpu(why: str) -> DeviceUnavailable:
    return DeviceUnavailable(
        f"A task wants a GPU, and this machine has none that can be used: {why}.",
        remedy="Install the NVIDIA driver and nvidia-container-toolkit, or pass '--gpus none' to run on the CPU.",
    )


def require_engine(machine: EngineFacts, runtime: str | None) -> None:
    """Check that an engine is recent enough, confines containers, and has the OCI runtime that was asked for.

    Raises
    ------
    EngineUnavailable
        It is too old.
    EngineFault
        It lets containers make any system call.
    UsageError
        It does not know the runtime.
    """
    version = tuple(int(word) for word in re.findall(r"\d+", machine.version)[:2])
    if machine.name == "docker" and version < OLDEST_ENGINE:
        raise EngineUnavailable(
            f"The Docker engine is version {machine.version}.",
            remedy=f"Install {'.'.join(map(str, OLDEST_ENGINE))} or newer.",
        )
    if machine.name == "docker" and not machine.filters_system_calls:
        raise EngineFault(
            "The Docker engine does not filter the system calls of containers (seccomp).",
            remedy="Start it without '--seccomp-profile unconfined', on a kernel with seccomp.",
        )
    if runtime is not None and runtime not in machine.runtimes:
        raise UsageError(
            f"--runtime is '{runtime}', which the engine does not have.", remedy=nearest(runtime, machine.runtimes)
        )


def require_space(folder: Path, plan: Plan, workers: int) -> None:
    """Check that a folder has room for the cases side by side and for all predictions.

    Raises
    ------
    DiskFull
        It has not.
    """
    volumes = [sum(each.bytes for each in case.volumes.values()) for task in plan.tasks for case in task.cases]
    # Staged cases may be copies; a prediction of a mask compresses to far less than its input.
    needed = workers * (max(volumes, default=0) + max(task.limits.output_bytes for task in plan.tasks)) + RESERVE_BYTES
    _require_free(folder, needed, "choose another folder: with --out for results, with TMPDIR for cases that run")


def require_engine_space(machine: EngineFacts) -> None:
    """Check that an engine has room for its containers' logs and layers, where it keeps them on this machine.

    Raises
    ------
    DiskFull
        It has not.
    """
    if machine.storage is not None:
        _require_free(machine.storage, RESERVE_BYTES, "remove images that nobody needs")


def _require_free(folder: Path, needed: int, otherwise: str) -> None:
    free = shutil.disk_usage(_existing(folder)).free
    if free < needed:
        raise DiskFull(
            f"{folder}: {free / 2**30:.1f} GiB are free, and {needed / 2**30:.1f} GiB are needed.",
            remedy=f"Free space, or {otherwise}.",
        )


def probe(plan: Plan, engine: Engine, machine: EngineFacts, devices: tuple[str, ...], *, run: str, work: Path) -> None:
    """Start one container of each image, and one on each GPU, and stop them at once.

    Parameters
    ----------
    plan, engine, machine, devices
        What will run, and where.
    run, work
        The run's id, and its work folder, in which these containers' own folder lies for the moment.

    Raises
    ------
    InfrastructureError
        The engine cannot start containers as the plan wants them, or cannot give one of the GPUs to a container.
    """
    fitting = [entry for entry in plan.entries if entry.image.platform == machine.platform]
    by_image = {entry.image.id: (entry, None) for entry in fitting}
    on_gpu = next((entry for entry in fitting if plan.task(entry.task).limits.gpu), None)
    by_device = [(on_gpu, device) for device in devices] if on_gpu is not None else []
    for entry, device in (*by_image.values(), *by_device):
        task = plan.task(entry.task)
        bounds = container_limits(task.limits) if by_the_kernel(machine) else None
        nothing = stage(task.spec, NO_CASE, root=work, work=work, bounds=bounds)
        request = probe_request(entry, task.limits, run, nothing.output_folder, device)
        try:
            engine.probe(request)
        finally:
            # As in a trial: what may live on could still write there, and is ended with the next run's clean-up.
            if engine.is_gone(request.name):
                clear(nothing)


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
