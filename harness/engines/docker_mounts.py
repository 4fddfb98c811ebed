"""Why a container could not start: an image whose own links lead a mount point astray.

Mounting at ``/output`` where the image has a link to ``/proc`` fails inside the container runtime, and the engine
tells it as a fault of its own (status 500). Without this look, one such image would pass for a broken machine.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import PurePosixPath

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container

from harness.engines.engine import RunRequest

KERNEL_FOLDERS = ("/proc", "/sys", "/dev")
"""Where container runtimes refuse to mount anything."""


def stray_mount_point(client: docker.DockerClient, request: RunRequest, mount_points: Iterable[str]) -> str:
    """Find a mount point that an image's links lead into a kernel folder, or round in a circle.

    Parameters
    ----------
    client
        The engine's.
    request
        What did not start.
    mount_points
        Absolute paths at which something was to be mounted.

    Returns
    -------
    str
        The first such link; empty where there is none, or where the engine is in no state to tell.
    """
    paths = [PurePosixPath(each) for each in mount_points]
    candidates = dict.fromkeys(str(path) for each in paths for path in (*reversed(each.parents), each))
    try:
        # Never started, and without the mounts, which would have to be in place before the engine tells anything.
        bare = client.containers.create(request.image.id, command=["none"], labels=dict(request.labels))
        try:
            if not _answer(client, bare, "/").ok:
                return ""
            return next((path for path in candidates if _is_astray(_answer(client, bare, path))), "")
        finally:
            bare.remove(force=True, v=True)
    except (DockerException, requests.RequestException):
        return ""


def _answer(client: docker.DockerClient, container: Container, path: str) -> requests.Response:
    # The header alone: docker-py's get_archive would begin to send the content as well.
    api = client.api
    url = f"{api.base_url}/v{api.api_version}/containers/{container.id}/archive"
    return api.head(url, params={"path": path}, timeout=api.timeout)


def _is_astray(answer: requests.Response) -> bool:
    if answer.status_code == requests.codes.internal_server_error:
        return True  # the engine could tell of "/", and not of this one: the link never ends
    told = answer.headers.get("X-Docker-Container-Path-Stat")
    target = PurePosixPath(json.loads(base64.b64decode(told))["linkTarget"]) if told else PurePosixPath()
    return any(target.is_relative_to(folder) for folder in KERNEL_FOLDERS)
