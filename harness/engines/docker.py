"""The Docker engine (and whatever speaks its API)."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
import requests
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from harness.engines import docker_containers, docker_images, docker_leftovers, sandbox
from harness.engines.docker_containers import ImageToBlame
from harness.engines.docker_facts import engine_facts
from harness.engines.docker_faults import engine_faults, reason
from harness.engines.docker_folders import remove_foreign
from harness.engines.engine import EngineFacts, ImageFacts, Relaxation, RunRequest, RunResult
from harness.engines.monitor import Monitor
from harness.errors import EngineFault, EngineUnavailable, RunInterrupted

API_TIMEOUT_S = 120
PROBE_S = 0.01
MOST_KILLS = 32
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
        return engine_facts(self.name, info, version, shares_mounts=_shares_mounts())

    def empty_image(self) -> ImageFacts:
        """Return an image that holds nothing: what is wrong with a container of it is wrong with the machine."""
        with engine_faults("making an empty image"):
            return docker_images.empty(self._client)

    def find_image(self, reference: str) -> ImageFacts:
        """Find an image by tag or digest, pulling it where it is not there."""
        return docker_images.find(self._client, reference)

    def load_archive(self, archive: Path) -> ImageFacts:
        """Load a ``docker save`` archive of one image; names in it are not taken over."""
        return docker_images.load(self._client, archive)

    def probe(self, request: RunRequest) -> None:
        """Start a container as requested and stop it at once, to see whether the machine can give what it asks."""
        self.run(replace(request, limits=replace(request.limits, seconds=PROBE_S)))

    def run(self, request: RunRequest) -> RunResult:
        """Run one container to its end and remove it."""
        if too_much := sandbox.refused(request.image):
            return RunResult(exit_code=None, refused=too_much)
        try:
            return self._run(request)
        except ImageToBlame as fault:
            return RunResult(exit_code=None, refused=str(fault), configuration=sandbox.container(request))

    def _run(self, request: RunRequest) -> RunResult:
        began = time.monotonic()
        container = docker_containers.create(self._client, request)
        try:
            self._admit(container)
            docker_containers.start(self._client, container, request)
            if self._stopping:
                # Stopped between admission and start, when there was nothing to kill yet.
                self._kill(container.id or "")
            started = time.monotonic()
            with Monitor(container.id or "", request, lambda: self._kill(container.id or "")) as monitor:
                timed_out = self._wait(container, request.limits.seconds)
                ended = time.monotonic()
            return replace(
                self._result(container, request),
                timed_out=timed_out,
                overflowed=monitor.overflowed,
                seconds=ended - started,
                start_seconds=started - began,
                usage=monitor.usage,
                changed=_changed(container) if Relaxation.WRITABLE in request.relaxed else (),
            )
        finally:
            with self._lock:
                self._running.discard(container.id or "")
            remove_foreign(container, request.output_folder)
            docker_containers.remove(container)

    def is_gone(self, name: str) -> bool:
        """Say whether there is no container of this name any more; False where the engine does not tell."""
        try:
            self._client.api.inspect_container(name)
        except NotFound:
            return True
        except (DockerException, requests.RequestException):
            return False
        return False

    def stop_all(self) -> None:
        """End every container that this engine object is running; later calls of ``run`` end at once."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        # Side by side: each takes the engine a moment, and there may be as many as the machine has processors.
        with ThreadPoolExecutor(MOST_KILLS) as pool:
            list(pool.map(self._kill, running))

    def remove_leftovers(self, run: str | None = None) -> tuple[str, ...]:
        """Remove the containers that a dead harness left, of one run or of all; return their names."""
        with engine_faults("looking for leftover containers"):
            left = docker_leftovers.find(self._client, run)
        for container in left:
            docker_containers.remove(container)
        names = tuple(sorted(container.name or "" for container in left))
        with engine_faults("looking for leftover containers"):
            stay = sorted({each.name or "" for each in docker_leftovers.find(self._client, run)}.intersection(names))
        if stay:
            raise EngineFault(
                f"The engine cannot remove the container {stay[0]}.", remedy="See the engine's log, then try again."
            )
        return names

    def _admit(self, container: Container) -> None:
        with self._lock:
            if self._stopping:
                raise RunInterrupted("The run is being stopped.", remedy="Run the same command again.")
            self._running.add(container.id or "")

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

    def _result(self, container: Container, request: RunRequest) -> RunResult:
        with engine_faults("reading a container's end"):
            container.reload()
            log = container.logs(stdout=True, stderr=True, tail=LOG_LINES)
        state = container.attrs["State"]
        return RunResult(
            exit_code=state["ExitCode"],
            out_of_memory=state["OOMKilled"],
            stopped=self._stopping and state["ExitCode"] != 0,
            log=log[-LOG_BYTES:],
            configuration=sandbox.in_force(sandbox.container(request), container.attrs),
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


def _changed(container: Container) -> tuple[str, ...]:
    """List what a container added to its root file system or changed there; what is mounted is not part of it."""
    with engine_faults("listing what a container wrote"):
        changes = container.diff() or []
    return tuple(str(change["Path"]) for change in changes)
