"""Files, folders and links as one deterministic image: the same entries always give the same bytes."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import marshal
import platform
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

EPOCH = "1970-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class File:
    """A regular file of the image, copied from ``source`` or given as ``content``."""

    source: Path | None = None
    content: bytes = b""
    mode: int = 0o644

    def read(self) -> bytes:
        """Return the content."""
        return self.content if self.source is None else self.source.read_bytes()

    def fingerprint(self) -> str:
        """Return what an image's key takes from this file: cheap for files on disk, told apart by size and date."""
        if self.source is None:
            return f"{self.mode:o} {hashlib.sha256(self.content).hexdigest()}"
        status = self.source.stat()
        return f"{self.mode:o} {self.source} {status.st_size} {status.st_mtime_ns}"


@dataclass(frozen=True)
class Folder:
    """An empty folder of the image; the parents of files need none."""

    mode: int = 0o755

    def fingerprint(self) -> str:
        """Return what an image's key takes from this folder."""
        return f"{self.mode:o}"


@dataclass(frozen=True)
class Link:
    """A symbolic link of the image."""

    target: str

    def fingerprint(self) -> str:
        """Return what an image's key takes from this link."""
        return self.target


Entry = File | Folder | Link


def layer(entries: Mapping[str, Entry]) -> bytes:
    """Return the entries, their parent folders and the modules' bytecode as one tar archive."""
    parents = {str(parent) for path in entries for parent in PurePosixPath(path).parents} - {".", *entries}
    everything: dict[str, Entry] = {**dict.fromkeys(parents, Folder()), **entries}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, entry in sorted(everything.items()):
            add(archive, path, entry)
            if isinstance(entry, File) and path.endswith(".py"):
                add(archive, bytecode_path(path), File(content=bytecode(path, entry)))
    return stream.getvalue()


def add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    """Add one entry, owned by root and dated the epoch."""
    member = tarfile.TarInfo(path)
    if isinstance(entry, Link):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
        archive.addfile(member)
    elif isinstance(entry, Folder):
        member.type, member.mode = tarfile.DIRTYPE, entry.mode
        archive.addfile(member)
    else:
        content = entry.read()
        member.size, member.mode = len(content), entry.mode
        archive.addfile(member, io.BytesIO(content))


def bytecode_path(path: str) -> str:
    """Return where the interpreter looks for a module's bytecode."""
    module = PurePosixPath(path)
    return f"{module.parent}/__pycache__/{module.stem}.{sys.implementation.cache_tag}.pyc"


def bytecode(path: str, module: File) -> bytes:
    """Compile a module, marked as never to be checked against its source: the dates in the image are the epoch."""
    source = module.read()
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + (compiled_here(module) or compiled_now(source, f"/{path}"))


def compiled_here(module: File) -> bytes | None:
    """Return the code from this machine's own cache, if it belongs to the module as it is now."""
    if module.source is None:
        return None
    cache = Path(importlib.util.cache_from_source(str(module.source)))
    if not cache.is_file():
        return None
    status = module.source.stat()
    expected = importlib.util.MAGIC_NUMBER + b"".join(
        (number & 0xFFFFFFFF).to_bytes(4, "little") for number in (0, int(status.st_mtime), status.st_size)
    )
    content = cache.read_bytes()
    return content[16:] if content[:16] == expected else None


def compiled_now(source: bytes, name: str) -> bytes:
    """Return the code of a module that this machine has not compiled yet."""
    return marshal.dumps(compile(source, name, "exec", dont_inherit=True))


def docker_archive(tag: str, layer_tar: bytes, config: Mapping[str, object]) -> bytes:
    """Return one layer and its configuration as ``docker load`` takes them."""
    digest = hashlib.sha256(layer_tar).hexdigest()
    image = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "created": EPOCH,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": EPOCH, "created_by": "containers.base"}],
    }
    image_json = json.dumps(image, sort_keys=True).encode()
    image_name = f"{hashlib.sha256(image_json).hexdigest()}.json"
    manifest = [{"Config": image_name, "RepoTags": [tag], "Layers": [f"{digest}/layer.tar"]}]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        add(archive, f"{digest}/layer.tar", File(content=layer_tar))
        add(archive, image_name, File(content=image_json))
        add(archive, "manifest.json", File(content=json.dumps(manifest).encode()))
    return stream.getvalue()
