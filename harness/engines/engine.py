"""The engine protocol: what a run asks of whatever runs its containers, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

INPUT_FOLDER = "/input"
OUTPUT_FOLDER = "/output"
RUN_LABEL = "org.fomo-eval.run"
OWNER_LABEL = "org.fomo-eval.owner"
DEFAULT_COMMAND = ("python", "/app/predict.py")
"""What runs where neither the image nor the submission names a command (the contract's default)."""


class Relaxation(StrEnum):
    """A restriction that is lifted to see whether an image needs it lifted; a team does so with its own image only."""

    NETWORK = "network"
    WRITABLE = "writable"
    ROOT = "root"


def container_prefix(run: str) -> str:
    """Return how the names of a run's containers begin."""
    return f"fomo-eval-{run}-"


@dataclass(frozen=True)
class ContainerLimits:
    """What one container may use; sizes in bytes, time in seconds on the harness's clock.

    ``output_bytes`` and ``output_entries`` bound everything below ``/output`` together.
    """

    seconds: float
    cpus: float
    memory_bytes: int
    shared_memory_bytes: int
    scratch_bytes: int
    output_bytes: int
    processes: int
    output_entries: int = 1024


@dataclass(frozen=True)
class ImageFacts:
    """What the engine knows of an image.

    Attributes
    ----------
    id
        The image's content address on this engine (``sha256:…``): what is run.
    digest
        The registry's digest (``name@sha256:…``), empty for an image that never saw one.
    platform
        Operating system and processor, ``linux/amd64``.
    size_bytes
        Its size unpacked.
    has_entrypoint
        Whether it names an entry point, which then receives the flags.
    volumes
        The paths that it declares as volumes.
    labels
        Its labels.
    entrypoint
        The words of its entry point.
    user
        The user that it asks for, which no container runs as; empty where it names none.
    """

    id: str
    digest: str
    platform: str
    size_bytes: int
    has_entrypoint: bool
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    user: str = ""


@dataclass(frozen=True)
class EngineFacts:
    """What the engine says of itself and its machine.

    Attributes
    ----------
    shares_mounts
        Whether what this process mounts on a folder is what a container sees there.
    cgroups, storage_driver
        How it bounds containers, and how it stores images.
    storage
        Where it keeps images, layers and logs; None where that is not on this machine.
    filters_system_calls
        Whether a container is kept from the system calls that no model needs.
    unbounded
        What it cannot bound on this kernel, in words.
    cdi_devices
        The devices that it can give by CDI, such as ``nvidia.com/gpu=0``.
    clock
        What its clock said.
    """

    name: str
    version: str
    platform: str
    cpus: int
    memory_bytes: int
    runtimes: tuple[str, ...]
    shares_mounts: bool = False
    cgroups: str = ""
    storage_driver: str = ""
    storage: Path | None = None
    filters_system_calls: bool = False
    unbounded: tuple[str, ...] = ()
    cdi_devices: tuple[str, ...] = ()
    clock: datetime | None = None


@dataclass(frozen=True)
class RunRequest:
    """One container, to be run once and removed.

    Attributes
    ----------
    name, labels
        By which it is found again if the harness dies.
    image
        What to run.
    command
        Replaces the image's entry point; None keeps the image's own.
    arguments
        The flags that follow.
    input_folder, output_folder
        Folders of the host, mounted read-only at ``/input`` and writable at ``/output``.
    limits
        What it may use.
    device
        The one GPU that it gets (UUID or index), or None.
    runtime
        The OCI runtime that runs it, None for the engine's default.
    relaxed
        The restrictions that do not hold for it; a run has none.
    """

    name: str
    labels: Mapping[str, str]
    image: ImageFacts
    command: tuple[str, ...] | None
    arguments: tuple[str, ...]
    input_folder: Path
    output_folder: Path
    limits: ContainerLimits
    device: str | None = None
    runtime: str | None = None
    relaxed: frozenset[Relaxation] = frozenset()


@dataclass(frozen=True)
class Usage:
    """What a container used, as far as this machine tells; None where it does not.

    Attributes
    ----------
    memory_bytes
        The most memory that it held at once, caches of files included.
    cpu_seconds
        Processor time of all its processes.
    gpu_memory_bytes
        The most memory in use on its GPU while it ran.
    """

    memory_bytes: int | None = None
    cpu_seconds: float | None = None
    gpu_memory_bytes: int | None = None


@dataclass(frozen=True)
class RunResult:
    """How a container ended, as the engine tells it.

    Attributes
    ----------
    exit_code
        Of its first process; None where it never started.
    out_of_memory
        The kernel killed one of its processes for memory, whatever the exit code says.
    timed_out
        The harness killed it at the time limit.
    stopped
        The harness killed it because the run is being stopped.
    overflowed
        The harness killed it because ``/output`` held more than it may.
    refused
        Why the engine could not start it, where the image is to blame; else empty.
    seconds
        From its start to its end, on the harness's clock, which nobody sets.
    start_seconds
        What creating and starting it took before that.
    log
        The end of what it wrote to standard output and error.
    configuration
        The options under which it ran, as the engine reports them; those that were asked for, where it refused them.
    changed
        What it wrote to its own root file system, where that was left writable.
    """

    exit_code: int | None
    out_of_memory: bool = False
    timed_out: bool = False
    stopped: bool = False
    overflowed: bool = False
    refused: str = ""
    seconds: float = 0.0
    start_seconds: float = 0.0
    log: bytes = b""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    changed: tuple[str, ...] = ()


class Engine(Protocol):
    """Runs containers one at a time per call; safe to call from several threads."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def facts(self) -> EngineFacts:
        """Describe the engine. Raises EngineUnavailable where none answers."""

    def find_image(self, reference: str) -> ImageFacts:
        """Find an image by tag or digest, pulling it where it is not there. Raises ImageUnavailable."""

    def load_archive(self, archive: Path) -> ImageFacts:
        """Load a ``docker save`` archive of one image. Raises ImageUnavailable."""

    def probe(self, request: RunRequest) -> None:
        """Start a container as requested and stop it at once. Raises DeviceUnavailable, naming the GPU."""

    def run(self, request: RunRequest) -> RunResult:
        """Run one container to its end and remove it. Raises InfrastructureError where the machine failed.

        Whether it could be removed, :meth:`is_gone` tells: until then its folders are not the caller's to clear.
        """

    def is_gone(self, name: str) -> bool:
        """Say whether there is no container of this name any more; False where the engine does not tell."""

    def stop_all(self) -> None:
        """End every container that this engine object is running; later calls of ``run`` end at once."""

    def remove_leftovers(self, run: str | None = None) -> tuple[str, ...]:
        """Remove the containers that a dead harness left; return their names.

        With a run, all of that run's: its lock says that no other harness has any. Without, those of all runs whose
        harness was a process of this machine and has ended.
        """
