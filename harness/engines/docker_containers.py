"""Containers on a Docker engine: created, started, removed, and whose fault it is where the engine refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import requests
from docker.client import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from harness.engines import docker_images, sandbox
from harness.engines.docker_faults import engine_faults, reason
from harness.engines.engine import RUN_LABEL, RunRequest
from harness.errors import DeviceUnavailable, EngineFault

Done = TypeVar("Done")
SPEAK_FOR_THEMSELVES = (requests.codes.not_found, requests.codes.conflict)


class ImageToBlame(Exception):
    """The engine refuses to start a container because of what its image asks for."""


def create(client: DockerClient, request: RunRequest) -> Container:
    """Create a container, and make sure that it is what was asked for.

    Raises
    ------
    ImageToBlame
        Another image's container can be created and started.
    InfrastructureError
        None can.
    """
    asked = sandbox.container(request)
    with engine_faults("creating a container", missing=f"The image {request.image.id} is gone from the engine."):
        container = _fairly(client, request, lambda: _create(client, request))
    if not_applied := sandbox.dropped_options(asked, container.attrs):
        remove(container)
        raise EngineFault(
            f"The engine accepted the option {not_applied[0]} of a container, and then applied another.",
            remedy="Use an engine that applies it (Docker 20.10 or newer).",
        )
    return container


def start(client: DockerClient, container: Container, request: RunRequest) -> None:
    """Start a container.

    Raises
    ------
    ImageToBlame
        Another image's container can be started.
    DeviceUnavailable
        One can be started without the GPU alone.
    InfrastructureError
        None can.
    """
    with engine_faults("starting a container"):
        _fairly(client, request, container.start)


def remove(container: Container) -> None:
    """Remove a container by force; one that cannot be removed now is found again by its label."""
    try:
        container.remove(force=True, v=True)
    except (DockerException, requests.RequestException):
        return


def _fairly(client: DockerClient, request: RunRequest, step: Callable[[], Done]) -> Done:
    """Do what an image has a say in; where the engine refuses it, find out whether the image is to blame.

    The engine tells a fault of the image (a working directory below /input, a link where something is to be mounted)
    by the same status as its own, and in words that the image can choose. A container that is alike, but for the
    image, tells them apart. Once that one has started, the image has another chance: the machine may have failed for
    a moment only.
    """
    try:
        return step()
    except APIError as fault:
        if fault.status_code in SPEAK_FOR_THEMSELVES:
            raise
    _start_without_the_image(client, request)
    try:
        return step()
    except APIError as fault:
        if fault.status_code in SPEAK_FOR_THEMSELVES:
            raise
        raise ImageToBlame(f"the engine starts other images, and not this one: {reason(fault)}") from fault


def _start_without_the_image(client: DockerClient, request: RunRequest) -> None:
    """Start an empty image under the same options (its command then is not found: that is fine)."""
    control = replace(
        request,
        name=f"{request.name}-control",
        image=docker_images.empty(client),
        command=("/nothing",),
        arguments=(),
    )
    try:
        _start_once(client, control)
    except APIError as fault:
        if request.device is None:
            raise
        _start_once(client, replace(control, device=None))
        raise DeviceUnavailable(
            f"The engine cannot give GPU {request.device} to a container ({reason(fault)}).",
            remedy="Install the NVIDIA driver and nvidia-container-toolkit and restart the engine, "
            "or pass '--gpus none' to run on the CPU.",
        ) from fault


def _start_once(client: DockerClient, request: RunRequest) -> None:
    container = _create(client, request)
    try:
        container.start()
    finally:
        remove(container)


def _create(client: DockerClient, request: RunRequest) -> Container:
    make: Callable[..., dict[str, Any]] = client.api.create_container_from_config
    asked = sandbox.container(request)
    try:
        made = make(asked, request.name)
    except APIError as fault:
        if fault.status_code != requests.codes.conflict:
            raise
        _remove_namesake(client, request)
        made = make(asked, request.name)
    return client.containers.get(made["Id"])


def _remove_namesake(client: DockerClient, request: RunRequest) -> None:
    """Remove the container that an earlier attempt of the same trial left; never one of somebody else's."""
    namesake = client.containers.get(request.name)
    if namesake.labels.get(RUN_LABEL) != request.labels.get(RUN_LABEL):
        raise EngineFault(
            f"A container named {request.name} exists and is not this run's.", remedy="Rename or remove it."
        )
    remove(namesake)
