"""Images on a Docker engine: found, pulled, loaded from an archive."""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.images import Image

from harness.engines.docker_archive import without_names
from harness.engines.docker_faults import NO_SPACE, disk_full, engine_faults, reason
from harness.engines.engine import ImageFacts
from harness.errors import ImageUnavailable

ARCHIVE_REPOSITORY = "fomo-eval-archive"
EMPTY_REPOSITORY, EMPTY_TAG = "fomo-eval-empty", "1"


def find(client: docker.DockerClient, reference: str) -> ImageFacts:
    """Find an image by tag or digest, pulling it where it is not there."""
    with engine_faults(f"looking for the image {reference}"), suppress(ImageNotFound):
        try:
            return facts(client.images.get(reference))
        except APIError as fault:
            if fault.status_code != requests.codes.bad_request:
                raise
            raise ImageUnavailable(
                f"'{reference}' is not the name of an image ({reason(fault)}).",
                remedy="Correct it: a tag as in 'team/model:1', or a digest.",
            ) from fault
    try:
        return facts(client.images.pull(reference))
    except (DockerException, requests.RequestException) as fault:
        raise ImageUnavailable(
            f"The image {reference} is not on this machine and cannot be pulled ({reason(fault)}).",
            remedy="Build, load or pull it, or correct its name in the submission.",
        ) from fault


def load(client: docker.DockerClient, archive: Path) -> ImageFacts:
    """Load a ``docker save`` archive of one image; names in it are not taken over."""
    if not os.access(archive, os.R_OK):
        raise ImageUnavailable(f"{archive}: cannot be read.", remedy="Check the path and its permissions.")
    try:
        with without_names(archive) as stream:
            images = client.images.load(stream)
    except (DockerException, requests.RequestException) as fault:
        if NO_SPACE in str(fault):
            raise disk_full(f"loading {archive}") from fault
        raise ImageUnavailable(
            f"{archive}: the engine cannot load it ({reason(fault)}).", remedy="Write it with 'docker save'."
        ) from fault
    if len(images) != 1:
        raise ImageUnavailable(f"{archive}: holds {len(images)} images, not one.", remedy="Save one image per archive.")
    # A name of our own keeps it from being pruned as a leftover while the run goes on.
    images[0].tag(ARCHIVE_REPOSITORY, images[0].short_id.removeprefix("sha256:"))
    return facts(images[0])


def empty(client: docker.DockerClient) -> ImageFacts:
    """Return an image that holds nothing, made on the engine at the first call."""
    reference = f"{EMPTY_REPOSITORY}:{EMPTY_TAG}"
    if not client.images.list(reference):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as content:
            folder = tarfile.TarInfo("nothing-here")
            folder.type = tarfile.DIRTYPE
            content.addfile(folder)
        client.api.import_image_from_data(archive.getvalue(), EMPTY_REPOSITORY, EMPTY_TAG)
    return facts(client.images.get(reference))


def facts(image: Image) -> ImageFacts:
    """Describe an image."""
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
        entrypoint=tuple(configuration.get("Entrypoint") or ()),
        user=configuration.get("User") or "",
    )
