"""Handing a ``docker save`` archive to an engine without the names in it.

An engine that loads an archive moves the tags that it carries: one team's archive could replace the image that another
team's tag names. What the engine gets is therefore written anew: of each member its kind, place and content alone, and
of the lists of images only what says which layers an image is made of.
"""

from __future__ import annotations

import io
import json
import os
import posixpath
import tarfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

LARGEST_LISTING = 16 << 20
DOCKERS_LISTING, OCI_LISTING, NAMES = "manifest.json", "index.json", "repositories"
DOCKERS_FIELDS = ("Config", "Layers")
OCI_FIELDS = ("mediaType", "digest", "size", "platform")
KINDS = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE)


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
        links: set[PurePosixPath] = set()
        for found in source:
            member, content = _plain(found), source.extractfile(found) if found.isreg() else None
            place = PurePosixPath(member.name)
            if links.intersection(place.parents):
                continue  # only a link could lead it to one of the listings
            if member.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                links.add(place)
            if member.name in (DOCKERS_LISTING, OCI_LISTING):
                nameless = b"" if content is None else _nameless(member.name, content.read(LARGEST_LISTING))
                member.type, member.size, content = tarfile.REGTYPE, len(nameless), io.BytesIO(nameless)
            if member.name != NAMES and member.type in KINDS:
                target.addfile(member, content)


def _plain(found: tarfile.TarInfo) -> tarfile.TarInfo:
    """Describe a member anew: extended headers could say otherwise, and a path has more than one spelling."""
    member = tarfile.TarInfo(posixpath.normpath(f"/{found.name}").lstrip("/") or ".")
    member.type = tarfile.REGTYPE if found.isreg() else found.type
    member.size, member.mode, member.linkname = found.size, found.mode, found.linkname
    return member


def _nameless(listing: str, text: bytes) -> bytes:
    """Write a list of images, Docker's or OCI's, without their names; nothing for what is no such list."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return b""
    if listing == DOCKERS_LISTING:
        return json.dumps([_only(DOCKERS_FIELDS, each) for each in _mappings(content)]).encode()
    if not isinstance(content, Mapping):
        return b""
    images = [_only(OCI_FIELDS, each) for each in _mappings(content.get("manifests"))]
    return json.dumps({**_only(("schemaVersion", "mediaType"), content), "manifests": images}).encode()


def _mappings(content: Any) -> Iterable[Mapping[str, Any]]:
    return (each for each in content if isinstance(each, Mapping)) if isinstance(content, list) else ()


def _only(fields: tuple[str, ...], content: Mapping[str, Any]) -> dict[str, Any]:
    # An engine reads field names whatever their case: what is not known here word for word is left out.
    return {name: content[name] for name in fields if name in content}
