"""Folders that the engine made as root below ``/output``: taken away, for the caller could not remove them.

An image's VOLUME and WORKDIR become folders before its container starts; below ``/output``, straight or by way of
links, they become root's folders on the caller's disk, as deep as the image likes.
"""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import suppress
from pathlib import Path

import requests
from docker.errors import DockerException
from docker.models.containers import Container

from harness.engines.engine import OUTPUT_FOLDER


def remove_foreign(container: Container, folder: Path) -> None:
    """Remove every folder of somebody else's from the one that is an ended container's ``/output``.

    Nothing of the container's own can lie in one: it may not write there. Nor can it have moved one further down.
    """
    if os.getuid() == 0:
        return
    # Where this cannot be done, removing the folder says so.
    with suppress(OSError, DockerException, requests.RequestException):
        folder.chmod(0o700)  # the container may have closed it
        with os.scandir(folder) as entries:
            foreign = [each.name for each in entries if _is_foreign(each)]
        if foreign:
            # The engine unpacks as root, and a file takes the place of a folder with all that is in it.
            container.put_archive(OUTPUT_FOLDER, _files(foreign))
        for name in foreign:
            (folder / name).unlink()


def _is_foreign(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid != os.getuid()


def _files(names: list[str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as content:
        for name in names:
            content.addfile(tarfile.TarInfo(name))
    return archive.getvalue()
