"""The Docker engine (and whatever speaks its API)."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import docker
import requests
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from harness.engines import docker_images, docker_leftovers, sandbox
from harness.engines.docker_faults import ImageToBlame, engine_faults, image_to_blame, reason
from harness.engines.docker_folders import give_back
from harness.engines.engine import (
    RUN_LABEL,
    EngineFacts,
    ImageFacts,
    Relaxation,
    RunRequest,
    RunResult,
)
from harness.engines.monitor import Monitor
from harness.errors import (
    DeviceUnavailable,
    EngineFault,
    EngineUnavailable,
    RunInterrupted,
)

API_TIMEOUT_S = 120
DEFAULT_SOCKET = "unix:///var/run/docker.sock"
PEER_CREDENTIALS = struct.Struct("3i")
LOG_LINES = 2000
LOG_BYTES = 256 << 10


class DockerEngine:
    """Runs containers on the Docker engine that ``DOCKER_HOST`` or the default socket names."""

    name = "docker"

    def __init__(self) -> None:
        with engine_faults("connecting"):
            self._client = docker.from_env(timeout=API_TIMEOUT_S, max_pool_size=64)
            self._client.ping()
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()
        self._client.close()

    def facts(self) -> EngineFacts:
        """Describe the engine."""
        with engine_faults("describing itself"):
            info, version = self._client.info(), self._client.version()
        return EngineFacts(
            name=self.name,
            version=version["Version"],
            platform=f"{version['Os']}/{version['Arch']}",
            cpus=info["NCPU"],
            memory_bytes=info["MemTotal"],
            runtimes=tuple(sorted(info["Runtimes"])),
            shares_mounts=_shares_mounts(),
        )

    def find_image(self, reference: str) -> ImageFacts:
        """Find an image by tag or digest, pulling it where it is not there."""
        return docker_images.find(self._client, reference)

    def load_archive(self, archive: Path) -> ImageFacts:
        """Load a ``docker save`` archive of one image; names in it are not taken over."""
        return docker_images.load(self._client, archive)

    def probe(self, request: RunRequest) -> None:
        """Start a container as requested and stop it at once, to see whether the machine can give what it asks."""
        try:
            container = self._create(request)
        except ImageToBlame:
            return  # how the image fails is for its own cases to show
        try:
            self._start(container, request)
        except ImageToBlame:
            return
        finally:
            self._kill(container.id or "")
            give_back(container, request.output_folder)
            _remove(container)

    def run(self, request: RunRequest) -> RunResult:
        """Run one container to its end and remove it."""
        began = time.monotonic()
        try:
            container = self._create(request)
        except ImageToBlame as fault:
            return RunResult(exit_code=None, refused=str(fault))
        try:
            self._admit(container)
            try:
                self._start(container, request)
            except ImageToBlame as fault:
                return RunResult(exit_code=None, refused=str(fault))
            if self._stopping:
                # Stopped between admission and start, when there was nothing to kill yet.
                self._kill(container.id or "")
            started = time.monotonic()
            with Monitor(container.id or "", request, lambda: self._kill(container.id or "")) as monitor:
                timed_out = self._wait(container, request.limits.seconds)
            return replace(
                self._result(container),
                timed_out=timed_out,
                overflowed=monitor.overflowed,
                start_seconds=started - began,
                usage=monitor.usage,
                changed=_changed(container) if Relaxation.WRITABLE in request.relaxed else (),
            )
        finally:
            with self._lock:
                self._running.discard(container.id or "")
            give_back(container, request.output_folder)
            _remove(container)

    def stop_all(self) -> None:
        """End every container that this engine object is running; later calls of ``run`` end at once."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for identity in running:
            self._kill(identity)

    def remove_leftovers(self, run: str | None = None) -> tuple[str, ...]:
        """Remove the containers that a dead harness left, of one run or of all; return their names."""
        with engine_faults("looking for leftover containers"):
            left = docker_leftovers.find(self._client, run)
        for container in left:
            _remove(container)
        return tuple(sorted(container.name or "" for container in left))

    def _create(self, request: RunRequest) -> Container:
        asked = sandbox.container(request)
        with engine_faults("creating a container", missing=f"The image {request.image.id} is gone from the engine."):
            container = self._create_once(request, asked)
        dropped = sandbox.dropped_options(asked, container.attrs)
        if dropped:
            _remove(container)
            raise EngineFault(
                f"The engine accepted and then dropped the option {dropped[0]} of a container.",
                remedy="Use an engine that applies it (Docker 20.10 or newer).",
            )
        return container

    def _create_once(self, request: RunRequest, asked: sandbox.Configuration) -> Container:
        with image_to_blame():
            try:
                made = self._made(asked, request.name)
            except APIError as fault:
                if fault.status_code != requests.codes.conflict:
                    raise
                self._remove_namesake(request)
                made = self._made(asked, request.name)
        return self._client.containers.get(made["Id"])

    def _made(self, asked: sandbox.Configuration, name: str) -> dict[str, Any]:
        create: Callable[..., dict[str, Any]] = self._client.api.create_container_from_config
        return create(asked, name)

    def _remove_namesake(self, request: RunRequest) -> None:
        """Remove the container that an earlier attempt of the same trial left; never one of somebody else's."""
        namesake = self._client.containers.get(request.name)
        if namesake.labels.get(RUN_LABEL) != request.labels.get(RUN_LABEL):
            raise EngineFault(
                f"A container named {request.name} exists and is not this run's.", remedy="Rename or remove it."
            )
        _remove(namesake)

    def _admit(self, container: Container) -> None:
        with self._lock:
            if self._stopping:
                raise RunInterrupted("The run is being stopped.", remedy="Run the same command again.")
            self._running.add(container.id or "")

    def _start(self, container: Container, request: RunRequest) -> None:
        try:
            with engine_faults("starting a container"), image_to_blame():
                container.start()
        except EngineFault as fault:
            # The engine tells a fault of the image (a working directory below /input, a link where something is to
            # be mounted) by the same status as its own. A container that is alike, but for the image, tells them apart.
            if self._starts_without_the_image(request):
                raise ImageToBlame(f"the engine starts other images, and not this one: {fault.message}") from fault
            if request.device is None or not self._starts_without_the_image(replace(request, device=None)):
                raise
            raise DeviceUnavailable(
                f"The engine cannot give GPU {request.device} to a container. {fault.message}",
                remedy="Install the NVIDIA driver and nvidia-container-toolkit and restart the engine, "
                "or pass '--gpus none' to run on the CPU.",
            ) from fault

    def _starts_without_the_image(self, request: RunRequest) -> bool:
        """Say whether an empty image starts under the same options (its command then is not found: that is fine)."""
        with engine_faults("trying an empty image"):
            empty = docker_images.empty(self._client)
            control = replace(request, name=f"{request.name}-control", image=empty, command=("/nothing",), arguments=())
            container = self._create_once(control, sandbox.container(control))
        try:
            container.start()
        except APIError as fault:
            return bool(fault.status_code == requests.codes.bad_request)
        finally:
            _remove(container)
        return True

    def _wait(self, container: Container, seconds: float) -> bool:
        """Wait for a container's end and kill it at the limit; return whether it had to be killed."""
        deadline = time.monotonic() + seconds
        try:
            container.wait(timeout=seconds)
        except requests.RequestException as fault:
            # docker-py tells a time-out and a lost engine by the same exceptions; the clock tells them apart.
            if time.monotonic() < deadline:
                raise EngineUnavailable(
                    f"The engine went away while a container was running ({reason(fault)}).",
                    remedy="Start it, then run the same command again.",
                ) from fault
            killed = self._kill(container.id or "")
            with engine_faults("ending a container at its time limit"):
                container.wait(timeout=API_TIMEOUT_S)
            return killed
        return False

    def _kill(self, identity: str) -> bool:
        """Kill a container; return False where it had ended by itself or the engine is gone."""
        try:
            self._client.api.kill(identity)
        except (DockerException, requests.RequestException):
            return False
        return True

    def _result(self, container: Container) -> RunResult:
        with engine_faults("reading a container's end"):
            container.reload()
            log = container.logs(stdout=True, stderr=True, tail=LOG_LINES)
        state = container.attrs["State"]
        return RunResult(
            exit_code=state["ExitCode"],
            out_of_memory=state["OOMKilled"],
            stopped=self._stopping and state["ExitCode"] != 0,
            seconds=_seconds_between(state["StartedAt"], state["FinishedAt"]),
            log=log[-LOG_BYTES:],
            configuration=container.attrs["HostConfig"],
        )


def _shares_mounts() -> bool:
    """Say whether the process behind the engine's socket lives in this process's mount namespace."""
    scheme, _, path = os.environ.get("DOCKER_HOST", DEFAULT_SOCKET).partition("://")
    if scheme != "unix":
        return False
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER_CREDENTIALS.size)
        pid, _, _ = PEER_CREDENTIALS.unpack(peer)
        return Path(f"/proc/{pid}/ns/mnt").stat().st_ino == Path("/proc/self/ns/mnt").stat().st_ino
    except OSError:
        return False


def _seconds_between(start: str, end: str) -> float:
    # The engine writes nanoseconds, which fromisoformat refuses before Python 3.11 and truncates since.
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _changed(container: Container) -> tuple[str, ...]:
    """List what a container added to its root file system or changed there; what is mounted is not part of it."""
    with engine_faults("listing what a container wrote"):
        changes = container.diff() or []
    return tuple(str(change["Path"]) for change in changes)


def _remove(container: Container) -> None:
    """Remove a container by force; one that cannot be removed now is found again by its label."""
    try:
        container.remove(force=True, v=True)
    except (DockerException, requests.RequestException):
        return
