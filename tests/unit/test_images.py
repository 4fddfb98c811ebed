"""NIfTI files from strangers: what is read, what is refused and why, and that neither can exhaust the reader."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.datasets.images import NotAnImage, NotPlainNumbers, read_header, read_voxels, require_whole
from tests.support.volumes import SHAPE, nifti_bytes, oblique, voxels, with_header_field, write_volume


def written(folder: Path, content: bytes, name: str = "volume.nii.gz") -> Path:
    (folder / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return folder / name


PLAIN_TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


@pytest.mark.parametrize("kind", PLAIN_TYPES)
@pytest.mark.parametrize("name", ["volume.nii", "volume.nii.gz"])
def test_every_plain_type_is_read_as_nibabel_reads_it(tmp_path: Path, kind: str, name: str) -> None:
    content = voxels().astype(kind)
    path = tmp_path / name
    nib.save(nib.Nifti1Image(content, oblique(), dtype=content.dtype), path)  # type: ignore[no-untyped-call]
    header = read_header(path)
    assert header.grid.shape == SHAPE
    assert header.grid.spacing_mm == pytest.approx((0.9, 1.1, 2.5), abs=1e-5)
    np.testing.assert_array_equal(read_voxels(path, header), content)


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    content = voxels().astype("i2")
    image: Any = nib.Nifti1Image(content, oblique(), header=nib.Nifti1Header(endianness=">"))  # type: ignore[no-untyped-call]
    image.set_data_dtype(">i2")
    path = written(tmp_path, image.to_bytes())
    header = read_header(path)
    assert header.dtype.byteorder == ">"
    np.testing.assert_array_equal(read_voxels(path, header), content)


def test_scaling_is_applied(tmp_path: Path) -> None:
    content = with_header_field(nifti_bytes(voxels().astype("i2")), "scl_slope", 0.5)
    path = written(tmp_path, with_header_field(content, "scl_inter", 10.0))
    read = read_voxels(path, read_header(path))
    np.testing.assert_array_equal(read, voxels().astype("i2") * 0.5 + 10)
    assert read.dtype == np.float64


def test_scaling_that_overflows_is_not_finite(tmp_path: Path) -> None:
    content = nifti_bytes(np.full(SHAPE, 1e300))
    path = written(tmp_path, with_header_field(content, "scl_slope", 1e38))
    with pytest.raises(NotAnImage, match="it holds voxels that are not finite"):
        require_whole(path, read_header(path))


@pytest.mark.parametrize(("name", "compressed"), [("volume.nii.gz", False), ("volume.nii", True)])
def test_a_file_is_read_by_its_content_and_not_its_name(tmp_path: Path, name: str, compressed: bool) -> None:
    content = nifti_bytes(voxels())
    (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
    np.testing.assert_array_equal(read_voxels(tmp_path / name, read_header(tmp_path / name)), voxels())


def test_a_trailing_axis_of_one_is_dropped(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "volume.nii.gz", voxels()[..., None])
    header = read_header(path)
    assert (header.grid.shape, header.stored_shape) == (SHAPE, (*SHAPE, 1))
    np.testing.assert_array_equal(read_voxels(path, header), voxels())


def test_zooms_are_kept_apart_from_the_affine(tmp_path: Path) -> None:
    path = written(tmp_path, with_header_field(nifti_bytes(voxels()), "pixdim", (1, 3, 3, 3, 0, 0, 0, 0)))
    header = read_header(path)
    assert header.zooms_mm == (3, 3, 3)
    assert header.grid.spacing_mm == pytest.approx((0.9, 1.1, 2.5), abs=1e-5)


def affine_with(value: float) -> bytes:
    return with_header_field(nifti_bytes(voxels()), "srow_x", (value, 0, 0, 0))


def shaped(*shape: int) -> Callable[[], bytes]:
    return lambda: nifti_bytes(np.zeros(shape, np.uint8))


UNREADABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "two dimensions": (shaped(5, 6), "it has 2 dimensions, not three"),
    "four dimensions": (shaped(5, 6, 7, 2), "it has 4 dimensions, not three"),
    "five dimensions": (shaped(5, 6, 7, 1, 3), "it has 5 dimensions, not three"),
    "no voxels": (
        lambda: with_header_field(nifti_bytes(voxels()), "dim", (3, 6, 0, 8, 1, 1, 1, 1)),
        "its shape is 6 × 0",
    ),
    "negative side": (
        lambda: with_header_field(nifti_bytes(voxels()), "dim", (3, 6, -7, 8, 1, 1, 1, 1)),
        "its shape is 6 × -7",
    ),
    "huge side": (
        lambda: with_header_field(nifti_bytes(voxels()), "dim", (3, 32767, 7, 8, 1, 1, 1, 1)),
        "its shape is 32767",
    ),
    "no dimensions": (
        lambda: with_header_field(nifti_bytes(voxels()), "dim", (0, 0, 0, 0, 0, 0, 0, 0)),
        "dimensions|header",
    ),
    "affine nan": (lambda: affine_with(float("nan")), "its affine is not finite"),
    "affine infinite": (lambda: affine_with(float("inf")), "its affine is not finite"),
    "affine singular": (lambda: affine_with(0.0), "its affine is singular"),
    "data begin far behind": (
        lambda: with_header_field(nifti_bytes(voxels()), "vox_offset", 1e9),
        "data begin at byte 10000",
    ),
    "data begin in the header": (
        lambda: with_header_field(nifti_bytes(voxels()), "vox_offset", 16),
        "data begin at byte 16|header",
    ),
    "data begin nowhere": (
        lambda: with_header_field(nifti_bytes(voxels()), "vox_offset", float("nan")),
        "no readable NIfTI header",
    ),
    "unknown type": (lambda: with_header_field(nifti_bytes(voxels()), "datatype", 1234), "no readable NIfTI header"),
    "wrong magic": (lambda: with_header_field(nifti_bytes(voxels()), "magic", b"nope"), "no readable NIfTI header"),
    "zeros": (lambda: bytes(1000), "no readable NIfTI header"),
    "text": (lambda: b"this is no image at all, " * 40, "no readable NIfTI header"),
    "short": (lambda: nifti_bytes(voxels())[:200], "it is shorter than a NIfTI header"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("file", ["volume.nii", "volume.nii.gz"])
def test_a_header_that_places_no_volume_is_refused_with_the_reason(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, file: str
) -> None:
    make, why = UNREADABLE[name]
    with pytest.raises(NotAnImage, match=why):
        read_header(written(tmp_path, make(), file))
    assert capfd.readouterr() == ("", "")


def test_complex_numbers_are_refused_by_type(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "volume.nii.gz", voxels().astype(np.complex64))
    with pytest.raises(NotPlainNumbers, match="its voxels are of type complex64, not plain numbers"):
        read_header(path)


def test_colours_are_refused_by_type(tmp_path: Path) -> None:
    content: NDArray[Any] = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(NotPlainNumbers, match="not plain numbers"):
        read_header(write_volume(tmp_path / "volume.nii.gz", content))


def test_an_empty_a_missing_and_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "empty.nii.gz").touch()
    (tmp_path / "damaged.nii.gz").write_bytes(b"\x1f\x8b" + b"\xff" * 1000)
    for name, why in (
        ("empty.nii.gz", "the file is empty"),
        ("gone.nii.gz", r"it cannot be read \(No such file or directory\)"),
        ("damaged.nii.gz", "its gzip data are damaged"),
        (".", r"it cannot be read \(Is a directory\)"),
    ):
        with pytest.raises(NotAnImage, match=why):
            read_header(tmp_path / name)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["volume.nii", "volume.nii.gz"])
def test_voxel_data_that_end_early_are_noticed(tmp_path: Path, share: float, name: str) -> None:
    path = written(tmp_path, nifti_bytes(voxels(shape=(20, 20, 20))), name)
    header, content = read_header(path), path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(NotAnImage, match=r"end (early|after)"):
        read_voxels(path, header)


def test_voxel_data_with_a_wrong_checksum_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "volume.nii.gz"
    stored = bytearray(gzip.compress(nifti_bytes(voxels(shape=(40, 40, 40))), 0))
    stored[len(stored) // 2] ^= 0x01  # one voxel differs, and nothing but the checksum tells
    path.write_bytes(stored)
    with pytest.raises(NotAnImage, match="its voxel data are damaged"):
        read_voxels(path, read_header(path))


def test_what_follows_the_voxels_is_never_decompressed(tmp_path: Path) -> None:
    """A small file that would decompress to 256 MB: a volume, then zeros."""
    squeezed = zlib.compressobj(9, wbits=31)
    path = tmp_path / "bomb.nii.gz"
    with path.open("wb") as stream:
        stream.write(squeezed.compress(nifti_bytes(voxels())))
        for _ in range(16):
            stream.write(squeezed.compress(bytes(16 << 20)))
        stream.write(squeezed.flush())
    assert path.stat().st_size < 2 << 20
    tracemalloc.start()
    try:
        read = read_voxels(path, read_header(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(read, voxels())
    assert peak < 8 << 20


def test_a_bomb_in_place_of_a_header_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(bytes(64 << 20), 9))
    tracemalloc.start()
    try:
        with pytest.raises(NotAnImage):
            read_header(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_whole_finite_volumes_pass_and_others_do_not(tmp_path: Path) -> None:
    good = write_volume(tmp_path / "good.nii.gz", voxels())
    require_whole(good, read_header(good))
    content = voxels()
    content[3, 3, 3] = np.nan
    bad = write_volume(tmp_path / "bad.nii.gz", content)
    with pytest.raises(NotAnImage, match="it holds voxels that are not finite"):
        require_whole(bad, read_header(bad))
