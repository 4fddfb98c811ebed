"""Images on a Docker engine: found, pulled, loaded from an archive."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageLoadError, ImageNotFound
from docker.models.images import Image

from harness.engines.docker_archive import without_names
from harness.engines.docker_faults import disk_full, engine_faults, is_out_of_space, reason
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
    with _names_kept(client, archive) as loaded:
        try:
            with without_names(archive) as stream:
                loaded.extend(_loaded(client, stream))
        except (DockerException, requests.RequestException) as fault:
            if is_out_of_space(fault):
                raise disk_full(f"loading {archive}") from fault
            raise ImageUnavailable(
                f"{archive}: the engine cannot load it ({reason(fault)}).", remedy="Write it with 'docker save'."
            ) from fault
    if len(loaded) != 1:
        raise ImageUnavailable(f"{archive}: holds {len(loaded)} images, not one.", remedy="Save one image per archive.")
    image = client.images.get(loaded[0])
    # A name of our own keeps it from being pruned as a leftover while the run goes on.
    image.tag(ARCHIVE_REPOSITORY, image.short_id.removeprefix("sha256:"))
    return facts(image)


def _loaded(client: docker.DockerClient, stream: IO[bytes]) -> Iterator[str]:
    """Load an archive; name what the engine says it has loaded, which is a tag where the archive has brought one."""
    load: Callable[[IO[bytes]], Iterator[dict[str, str]]] = client.api.load_image
    for told in load(stream):
        if "error" in told:
            raise ImageLoadError(told["error"])
        said, _, loaded = told.get("stream", "").strip().partition(": ")
        if said in ("Loaded image ID", "Loaded image"):
            yield loaded


@contextmanager
def _names_kept(client: docker.DockerClient, archive: Path) -> Iterator[list[str]]:
    """Give tags that an archive has taken back to the images that had them, and refuse the archive.

    No archive should come to this (:func:`without_names`); if one does, no team may lose by it.
    """
    loaded: list[str] = []
    with engine_faults("listing its images"):
        before = {tag: each["Id"] for each in client.api.images() for tag in each["RepoTags"] or ()}
    try:
        yield loaded
    finally:
        taken = [each for each in loaded if not each.startswith("sha256:")]
        with engine_faults("giving back a name"):
            for tag in taken:
                if tag in before:
                    client.api.tag(before[tag], tag)
                else:
                    client.api.remove_image(tag, noprune=True)
    if taken:
        raise ImageUnavailable(
            f"{archive}: took the name {taken[0]}, which was given back.", remedy="Write it with 'docker save'."
        )


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
