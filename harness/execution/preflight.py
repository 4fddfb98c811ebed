"""What is checked before the first case: the GPUs that were asked for are there and can be given to containers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import DeviceUnavailable, UsageError
from harness.execution.bench import Bench
from harness.execution.request import probe_request
from harness.records.plan import Plan

LISTING_TIMEOUT_S = 60


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
    command = shutil.which("nvidia-smi")
    if command is None:
        raise _no_gpu("nvidia-smi is not installed")
    try:
        listing = subprocess.run(  # noqa: S603 - a fixed command
            [command, "--query-gpu=uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=LISTING_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as fault:
        raise _no_gpu("nvidia-smi fails: the driver does not answer") from fault
    devices = tuple(line.strip() for line in listing.stdout.splitlines() if line.strip())
    if not devices:
        raise _no_gpu("nvidia-smi lists none")
    return devices


def _no_gpu(why: str) -> DeviceUnavailable:
    return DeviceUnavailable(
        f"A task wants a GPU, and this machine has none that can be used: {why}.",
        remedy="Install the NVIDIA driver and nvidia-container-toolkit, or pass '--gpus none' to run on the CPU.",
    )


def probe_devices(plan: Plan, bench: Bench) -> None:
    """Start one container per GPU, and stop it at once.

    Raises
    ------
    DeviceUnavailable
        The engine cannot give one of them to a container.
    """
    on_gpu = next((entry for entry in plan.entries if plan.task(entry.task).limits.gpu), None)
    if on_gpu is None:
        return
    limits = plan.task(on_gpu.task).limits
    with tempfile.TemporaryDirectory(prefix="probe-", dir=bench.work) as folder:
        for device in bench.devices.ids:
            bench.engine.probe(probe_request(on_gpu, limits, bench, device, Path(folder)))
