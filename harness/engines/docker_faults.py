"""What docker-py raises, translated into the error tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import APIError, DockerException, NotFound

from harness.errors import DiskFull, EngineFault, EngineUnavailable, ImageUnavailable

NO_SPACE = "no space left on device"


@contextmanager
def engine_faults(doing: str, *, missing: str = "") -> Iterator[None]:
    """Turn whatever docker-py raises into the error tree, by status code; by the wording only where a disk is full.

    An image can have a say in the wording of what it asks for: ``docker_containers`` keeps that from getting here.
    ``missing`` is the sentence for a 404 where it means that an image is gone.
    """
    try:
        yield
    except NotFound as fault:
        remedy = "Bring it back, then run the same command again."
        if missing:
            raise ImageUnavailable(missing, remedy=remedy) from fault
        raise EngineFault(f"A container vanished while {doing}: {reason(fault)}.", remedy=remedy) from fault
    except APIError as fault:
        if is_out_of_space(fault):
            raise disk_full(doing) from fault
        raise EngineFault(f"The engine failed at {doing}: {reason(fault)}.", remedy="See the engine's log.") from fault
    except (DockerException, requests.RequestException) as fault:
        raise EngineUnavailable(
            f"No Docker engine answers at {os.environ.get('DOCKER_HOST', 'its default socket')} ({doing}).",
            remedy="Install and start Docker, and make sure that this user may use it ('docker version').",
        ) from fault


def is_out_of_space(fault: Exception) -> bool:
    """Say whether the engine says that its disk is full."""
    return NO_SPACE in str(getattr(fault, "explanation", None) or fault)


def disk_full(doing: str) -> DiskFull:
    """Say that the engine's disk is full."""
    return DiskFull(f"The engine's disk is full ({doing}).", remedy="Free space, then run the same command again.")


def reason(fault: Exception) -> str:
    """Return the first line of what the engine or the connection said."""
    text = str(getattr(fault, "explanation", None) or fault).strip().rstrip(".")
    return text.splitlines()[0][:300] if text else type(fault).__name__
