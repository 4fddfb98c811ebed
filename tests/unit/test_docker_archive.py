"""What an engine gets to see of a team's archive: images, and no names for them, however the archive is written."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.engines.docker_archive import LARGEST_LISTING, without_names

VICTIM = "fomo-eval-test/victim:1"
IMAGE = {"Config": "config.json", "RepoTags": [VICTIM], "Layers": ["layer.tar"]}
NAMELESS = {"Config": "config.json", "Layers": ["layer.tar"]}
ANNOTATED = {
    "digest": "sha256:0",
    "size": 3,
    "annotations": {"io.containerd.image.name": VICTIM, "org.opencontainers.image.ref.name": "1"},
}
Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: object, **header: str) -> Member:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    member = tarfile.TarInfo(name)
    member.size, member.pax_headers = len(text), header
    return member, text


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def folder(name: str) -> Member:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    return member, b""


def passed_on(path: Path, members: Iterable[Member]) -> dict[str, tuple[bytes, bytes | None]]:
    """Write an archive; return the kind and content of every member that an engine gets of it."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    with without_names(path) as stream, tarfile.open(fileobj=stream, mode="r|") as seen:
        found = {}
        for member in seen:
            assert member.name not in found
            stored = seen.extractfile(member) if member.isreg() else None
            found[member.name] = (member.type, None if stored is None else stored.read())
        return found


def listing(found: dict[str, tuple[bytes, bytes | None]], name: str = "manifest.json") -> Any:
    kind, content = found[name]
    assert kind == tarfile.REGTYPE
    assert content is not None
    return json.loads(content)


def test_layers_are_passed_on_as_they_are_and_names_are_not(tmp_path: Path) -> None:
    layers = [folder("a/"), file("a/layer.tar", b"x" * 100_000), folder("b/"), link("b/layer.tar", "../a/layer.tar")]
    names = [file("manifest.json", [IMAGE]), file("repositories", {"fomo-eval-test/victim": {"1": "a"}})]
    found = passed_on(tmp_path / "saved.tar", [*layers, *names])
    assert set(found) == {"a", "a/layer.tar", "b", "b/layer.tar", "manifest.json"}
    assert found["a/layer.tar"] == (tarfile.REGTYPE, b"x" * 100_000)
    assert found["b/layer.tar"] == (tarfile.SYMTYPE, None)
    assert listing(found) == [NAMELESS]


@pytest.mark.parametrize(
    "name", ["./manifest.json", "/manifest.json", ".//manifest.json", "a/../manifest.json", "../manifest.json"]
)
def test_a_listing_is_found_however_its_path_is_spelt(tmp_path: Path, name: str) -> None:
    assert listing(passed_on(tmp_path / "saved.tar", [file(name, [IMAGE])])) == [NAMELESS]


@pytest.mark.parametrize(
    "members",
    [
        [file("x.json", [IMAGE]), link("manifest.json", "x.json")],
        [file("x.json", [IMAGE]), link("./manifest.json", "x.json", tarfile.LNKTYPE)],
        [folder("manifest.json")],
        [link("here", "."), file("here/manifest.json", [IMAGE])],
        [link("a", "."), link("b", "a"), folder("b/c"), file("b/c/manifest.json", [IMAGE])],
    ],
    ids=["link", "hard link", "folder", "below a link", "below a link below a link"],
)
def test_no_link_leads_to_a_listing(tmp_path: Path, members: list[Member]) -> None:
    found = passed_on(tmp_path / "saved.tar", members)
    assert found.get("manifest.json", (tarfile.REGTYPE, b"")) == (tarfile.REGTYPE, b"")
    assert not any(name.endswith("/manifest.json") for name in found)


@pytest.mark.parametrize(
    "image",
    [
        {**NAMELESS, "repotags": [VICTIM]},
        {**NAMELESS, "REPOTAGS": [VICTIM], "RepoTags": None},
        {**NAMELESS, "repoTag\u017f": [VICTIM]},
    ],
    ids=["lower case", "upper case", "long s"],
)
def test_fields_that_an_engine_reads_whatever_their_case_are_left_out(tmp_path: Path, image: dict[str, Any]) -> None:
    assert listing(passed_on(tmp_path / "saved.tar", [file("manifest.json", [image])])) == [NAMELESS]


def test_annotations_of_an_oci_listing_are_left_out(tmp_path: Path) -> None:
    index = {"schemaVersion": 2, "manifests": [ANNOTATED], "annotations": ANNOTATED["annotations"]}
    found = passed_on(tmp_path / "saved.tar", [file("index.json", index)])
    assert listing(found, "index.json") == {"schemaVersion": 2, "manifests": [{"digest": "sha256:0", "size": 3}]}


@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
@pytest.mark.parametrize(
    "content",
    [
        *(3, None, "text", [], {}, [3], [[]], {"manifests": 3}, {"manifests": [3]}),
        {"manifests": [{"annotations": []}]},
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b" " * LARGEST_LISTING + json.dumps([IMAGE]).encode(),
    ],
    ids=lambda content: repr(content)[:30],
)
def test_what_is_no_listing_names_nothing(tmp_path: Path, name: str, content: object) -> None:
    found = passed_on(tmp_path / "saved.tar", [file(name, content), file("layer.tar", b"x")])
    assert set(found) == {name, "layer.tar"}
    assert VICTIM.encode() not in (found[name][1] or b"")


def test_extended_headers_cannot_say_otherwise(tmp_path: Path) -> None:
    size = str(len(json.dumps([IMAGE])))
    members = [file("x", [IMAGE], path="./manifest.json", size=size), file("layer.tar", b"x")]
    found = passed_on(tmp_path / "saved.tar", members)
    assert set(found) == {"manifest.json", "layer.tar"}
    assert listing(found) == [NAMELESS]


def test_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    odd = [link(name, "", kind) for name, kind in (("fifo", tarfile.FIFOTYPE), ("device", tarfile.CHRTYPE))]
    assert set(passed_on(tmp_path / "saved.tar", [*odd, file("layer.tar", b"x")])) == {"layer.tar"}
