"""Handing a ``docker save`` archive to an engine without the names in it.

An engine that loads an archive moves the tags that it carries: one team's archive could replace the image that another
team's tag names.
"""

from __future__ import annotations

import io
import json
import os
import posixpath
import tarfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

LARGEST_LISTING = 16 << 20
LISTINGS = ("manifest.json", "index.json")
NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


@contextmanager
def without_names(archive: Path) -> Iterator[IO[bytes]]:
    """Open an archive as a stream in which no image has a name.

    Parameters
    ----------
    archive
        What ``docker save`` wrote, compressed or not.

    Yields
    ------
    IO of bytes
        An uncompressed archive; it ends early where the file is damaged, and the engine then refuses it.
    """
    receiving, sending = os.pipe()
    copier = threading.Thread(target=_copy, args=(archive, sending), name="archive", daemon=True)
    with os.fdopen(receiving, "rb") as stream:
        copier.start()
        yield stream
    copier.join()


def _copy(archive: Path, sending: int) -> None:
    with suppress(OSError, tarfile.TarError), ExitStack() as opened:
        sink = opened.enter_context(os.fdopen(sending, "wb"))
        source = opened.enter_context(tarfile.open(archive, mode="r|*"))
        target = opened.enter_context(tarfile.open(fileobj=sink, mode="w|"))
        links: set[str] = set()
        for member in source:
            # As the engine will unpack it: './manifest.json' and 'x/../manifest.json' are the same file.
            name = posixpath.normpath(f"/{member.name}").lstrip("/")
            content = source.extractfile(member) if member.isreg() else None
            if member.issym():
                links.add(name)
            if any(name.startswith(f"{link}/") for link in links) or (name in LISTINGS and content is None):
                continue  # a listing by way of a link
            if name in LISTINGS and content is not None:
                nameless = _nameless(content.read(LARGEST_LISTING))
                member.size = len(nameless)
                content = io.BytesIO(nameless)
            if name != "repositories":
                target.addfile(member, content)


def _nameless(listing: bytes) -> bytes:
    """Take the names out of an archive's list of images, in Docker's or in OCI's form."""
    try:
        content: Any = json.loads(listing)
    except ValueError:
        return listing
    for image in content if isinstance(content, list) else content.get("manifests", []):
        if isinstance(image, dict):
            if "RepoTags" in image:
                image["RepoTags"] = None
            for name in NAMES:
                image.get("annotations", {}).pop(name, None)
    return json.dumps(content).encode()
