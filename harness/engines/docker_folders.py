"""Folders that the engine made as root below ``/output``: given to the caller, who could not remove them otherwise.

An image's VOLUME and WORKDIR become folders before its container starts; below ``/output``, straight or by way of a
link, they become root's folders on the caller's disk.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import requests
from docker.errors import DockerException
from docker.models.containers import Container

from harness.engines.engine import OUTPUT_FOLDER


def give_back(container: Container, folder: Path) -> None:
    """Make the caller the owner of every folder below the one that is an ended container's ``/output``."""
    if os.getuid() == 0:
        return
    # The engine unpacks as root. Where this cannot be done, removing the folder says so.
    with suppress(OSError, DockerException, requests.RequestException):
        folder.chmod(0o700)  # the container may have closed it
        if foreign := list(_foreign(folder)):
            container.put_archive(OUTPUT_FOLDER, _listing(folder, foreign))


def _listing(folder: Path, foreign: Iterable[Path]) -> bytes:
    listing = io.BytesIO()
    with tarfile.open(fileobj=listing, mode="w") as archive:
        for each in foreign:
            member = tarfile.TarInfo(each.relative_to(folder).as_posix())
            member.type, member.mode, member.uid, member.gid = tarfile.DIRTYPE, 0o700, os.getuid(), os.getgid()
            archive.addfile(member)
    return listing.getvalue()


def _foreign(folder: Path) -> Iterator[Path]:
    """List the folders of somebody else's; nothing of the container's own can lie above or below them."""
    for each in folder.iterdir():
        status = each.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid != os.getuid():
            yield each
            yield from _foreign(each)
