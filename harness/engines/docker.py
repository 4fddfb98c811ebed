"""The Docker engine (and whatever speaks its API)."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.containers import Container
from docker.models.images import Image

from harness.engines import sandbox
from harness.engines.docker_faults import NO_SPACE, ImageToBlame, disk_full, engine_faults, image_to_blame, reason
from harness.engines.docker_mounts import stray_mount_point
from harness.engines.engine import RUN_LABEL, EngineFacts, ImageFacts, RunRequest, RunResult
from harness.errors import (
    DeviceUnavailable,
    EngineFault,
    EngineUnavailable,
    ImageUnavailable,
    RunInterrupted,
)

API_TIMEOUT_S = 120
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
            storage=info["Driver"],
        )

    def find_image(self, reference: str) -> ImageFacts:
        """Find an image by tag or digest, pulling it where it is not there."""
        with engine_faults(f"looking for the image {reference}"), suppress(ImageNotFound):
            return _image_facts(self._client.images.get(reference))
        try:
            return _image_facts(self._client.images.pull(reference))
        except (DockerException, requests.RequestException) as fault:
            raise ImageUnavailable(
                f"The image {reference} is not on this machine and cannot be pulled ({reason(fault)}).",
                remedy="Build, load or pull it, or correct its name in the submission.",
            ) from fault

    def load_archive(self, archive: Path) -> ImageFacts:
        """Load a ``docker save`` archive of one image."""
        try:
            with archive.open("rb") as stream:
                images = self._client.images.load(stream)
        except OSError as fault:
            raise ImageUnavailable(
                f"{archive}: cannot be read ({fault.strerror}).", remedy="Check the path."
            ) from fault
        except (DockerException, requests.RequestException) as fault:
            if NO_SPACE in str(fault):
                raise disk_full(f"loading {archive}") from fault
            raise ImageUnavailable(
                f"{archive}: the engine cannot load it ({reason(fault)}).", remedy="Write it with 'docker save'."
            ) from fault
        if len(images) != 1:
            raise ImageUnavailable(
                f"{archive}: holds {len(images)} images, not one.", remedy="Save one image per archive."
            )
        return _image_facts(images[0])

    def probe(self, request: RunRequest) -> None:
        """Start a container as requested and stop it at once, to see whether the machine can give what it asks."""
        container = self._create(request)
        try:
            self._start(container, request)
        except ImageToBlame:
            return  # how the image fails is for its own cases to show
        finally:
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
            timed_out = self._wait(container, request.limits.seconds)
            return self._result(container, timed_out=timed_out, start_seconds=started - began)
        finally:
            with self._lock:
                self._running.discard(container.id or "")
            _remove(container)

    def stop_all(self) -> None:
        """End every container that this engine object is running; later calls of ``run`` end at once."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for identity in running:
            self._kill(identity)

    def remove_leftovers(self, run: str) -> int:
        """Remove the containers that a dead harness left of this run; return how many."""
        with engine_faults("looking for leftover containers"):
            left = self._client.containers.list(all=True, filters={"label": f"{RUN_LABEL}={run}"}, ignore_removed=True)
        for container in left:
            _remove(container)
        return len(left)

    def _create(self, request: RunRequest) -> Container:
        options = sandbox.create_options(request)
        with engine_faults("creating a container", missing=f"The image {request.image.id} is gone from the engine."):
            container = self._create_once(request, options)
        weakened = sandbox.weakened_options(options, container.attrs)
        if weakened:
            _remove(container)
            raise EngineFault(
                f"The engine accepted and then dropped the safety option '{weakened[0]}'.",
                remedy="Use an engine that applies it (Docker 20.10 or newer).",
            )
        return container

    def _create_once(self, request: RunRequest, options: dict[str, Any]) -> Container:
        with image_to_blame():
            try:
                return self._client.containers.create(**options)
            except APIError as fault:
                if fault.status_code != requests.codes.conflict:
                    raise
            self._remove_namesake(request)
            return self._client.containers.create(**options)

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
            stray = stray_mount_point(self._client, request, sandbox.mount_points(request.image))
            if stray:
                raise ImageToBlame(
                    f"the image has a link at {stray}, and nothing can be mounted where it leads"
                ) from fault
            if request.device is None:
                raise
            raise DeviceUnavailable(
                f"The engine cannot give GPU {request.device} to a container. {fault.message}",
                remedy="Install the NVIDIA driver and nvidia-container-toolkit and restart the engine, "
                "or pass '--gpus none' to run on the CPU.",
            ) from fault

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

    def _result(self, container: Container, *, timed_out: bool, start_seconds: float) -> RunResult:
        with engine_faults("reading a container's end"):
            container.reload()
            log = container.logs(stdout=True, stderr=True, tail=LOG_LINES)
        state = container.attrs["State"]
        return RunResult(
            exit_code=state["ExitCode"],
            out_of_memory=state["OOMKilled"],
            timed_out=timed_out,
            stopped=self._stopping and not timed_out and state["ExitCode"] != 0,
            seconds=_seconds_between(state["StartedAt"], state["FinishedAt"]),
            start_seconds=start_seconds,
            log=log[-LOG_BYTES:],
            configuration=container.attrs["HostConfig"],
        )


def _image_facts(image: Image) -> ImageFacts:
    attributes: dict[str, Any] = image.attrs
    configuration = attributes.get("Config") or {}
    return ImageFacts(
        id=attributes["Id"],
        digest=next(iter(attributes.get("RepoDigests") or []), ""),
        platform=f"{attributes['Os']}/{attributes['Architecture']}",
        size_bytes=attributes["Size"],
        has_entrypoint=bool(configuration.get("Entrypoint")),
        volumes=tuple(sorted(configuration.get("Volumes") or {})),
        labels=configuration.get("Labels") or {},
    )


def _seconds_between(start: str, end: str) -> float:
    # The engine writes nanoseconds, which fromisoformat refuses before Python 3.11 and truncates since.
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _remove(container: Container) -> None:
    """Remove a container by force; one that cannot be removed now is found again by its label."""
    try:
        container.remove(force=True, v=True)
    except (DockerException, requests.RequestException):
        return
