"""Masks read a piece at a time hold what nibabel reads at once, however they are stored, and cost a byte a voxel."""

from __future__ import annotations

import gzip
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.datasets import stored
from harness.datasets.images import NotAnImage, read_header
from harness.datasets.masks import LARGEST_CODE, MOST_VALUES, ROUNDING, Mask, read_mask
from tests.support.volumes import oblique, with_header_field, write_volume

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
MANY = settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Stored(NamedTuple):
    """A file's content, made by nibabel's writer and two changes to the header."""

    dtype: str
    order: Literal["<", ">"]
    values: tuple[float, ...]
    slope: float
    intercept: float
    shape: tuple[int, ...]
    piece: int
    members: int

    def content(self) -> bytes:
        kind = np.dtype(self.dtype)
        wide = np.asarray(self.values, np.float64)
        if kind.kind != "f":
            limits = np.iinfo(kind)
            wide = np.nan_to_num(wide, posinf=100, neginf=-100).clip(limits.min, limits.max)
        palette = wide.astype(kind)
        count = int(np.prod(self.shape))
        drawn = palette[np.random.default_rng(count).integers(0, len(palette), count)]
        drawn[count // 4 : count // 2] = 0
        image: Any = nib.Nifti1Image(  # type: ignore[no-untyped-call]
            np.zeros(self.shape, "u1"),
            oblique(),
            nib.Nifti1Header(endianness=self.order),  # type: ignore[no-untyped-call]
        )
        image.set_data_dtype(kind)
        header = bytes(image.to_bytes())[:352]
        header = with_endian_field(header, self.order, "scl_slope", self.slope)
        header = with_endian_field(header, self.order, "scl_inter", self.intercept)
        return header + drawn.astype(kind.newbyteorder(self.order)).tobytes()


def with_endian_field(content: bytes, order: str, field: str, value: float) -> bytes:
    if order == "<":
        return with_header_field(content, field, value)
    header: Any = nib.Nifti1Header(content[:348], endianness=">", check=False)  # type: ignore[no-untyped-call]
    header.structarr[field] = value
    return bytes(header.binaryblock) + content[348:]


files = st.builds(
    Stored,
    dtype=st.sampled_from(DTYPES),
    order=st.sampled_from(["<", ">"]),
    values=st.one_of(
        st.just((0, 1)),
        st.tuples(st.just(0), st.sampled_from([1, 2, 51, 255, 256, 1000, -1, 0.5, 1.00001])),
        st.lists(st.integers(0, 9), min_size=1, max_size=8).map(tuple),
        st.lists(st.floats(-300, 300, width=32), min_size=1, max_size=8).map(tuple),
        st.sampled_from([(0, np.nan), (1, np.inf, 0), (-np.inf, 1), tuple(range(300)), tuple(np.linspace(0, 1, 300))]),
    ),
    slope=st.sampled_from([1.0, 1.0, 0.0, 1 / 255, 0.5, -1.0, 2.0, 1 / 51]),
    intercept=st.sampled_from([0.0, 0.0, 1.0, -0.3, 3e-5]),
    shape=st.sampled_from([(7, 5, 3), (1, 1, 1), (16, 8, 2, 1), (9, 9, 9)]),
    piece=st.sampled_from([16, 37, 64, stored.PIECE]),
    members=st.sampled_from([0, 2, 3]),
)


@MANY
@given(file=files)
def test_a_mask_is_what_nibabel_reads(tmp_path: Path, file: Stored) -> None:
    content = file.content()
    path = tmp_path / "mask.nii.gz"
    cuts = [0, *np.linspace(352, len(content), file.members).astype(int)] if file.members else []
    parts = [gzip.compress(content[one:other], 1) for one, other in itertools.pairwise(cuts)]
    path.write_bytes(b"".join(parts) or content)  # without members, it is not gzip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "PIECE", file.piece)
        mask = read_mask(path, read_header(path))
        judged = read_mask(path, read_header(path), judged=True)
    expected = rounded_by_nibabel(content, file.shape[:3])
    assert_same(mask, expected)
    assert_same(judged, expected)


def rounded_by_nibabel(content: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
    """The whole volume at once, in the least clever way."""
    image: Any = nib.Nifti1Image.from_bytes(content)
    with np.errstate(all="ignore"):
        found = np.asarray(image.dataobj).reshape(shape, order="F")
        return (
            found
            if found.dtype.kind != "f"
            else np.where(abs(found - np.rint(found)) <= ROUNDING, found.round(), found)
        )


def assert_same(mask: Mask, expected: NDArray[Any]) -> None:
    values = np.unique(expected)
    np.testing.assert_array_equal(mask.values, values[:MOST_VALUES])
    assert mask.finite == np.isfinite(expected).all()
    np.testing.assert_array_equal(mask.foreground(), expected != 0)
    with np.errstate(invalid="ignore"):
        whole = (expected == np.rint(expected)) & (expected >= 0) & (expected <= LARGEST_CODE)
    np.testing.assert_array_equal(mask.codes, np.where(whole, expected.astype("f8"), LARGEST_CODE))
    assert mask.codes.dtype == np.uint8
    assert mask.codes.flags.f_contiguous


def test_a_binary_mask_is_a_view_of_its_codes(tmp_path: Path) -> None:
    content = np.zeros((4, 5, 6), np.int16)
    content[1, 2, 3] = 1
    path = write_volume(tmp_path / "mask.nii.gz", content)
    mask = read_mask(path, read_header(path))
    assert np.shares_memory(mask.foreground(), mask.codes)
    np.testing.assert_array_equal(mask.foreground(), content != 0)


def test_a_value_that_is_not_finite_is_seen_among_very_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PIECE", 4096)
    content = np.random.default_rng(0).normal(size=(30, 30, 30))
    content[-1, -1, -1] = np.inf
    path = write_volume(tmp_path / "mask.nii.gz", content)
    mask = read_mask(path, read_header(path))
    assert not mask.finite
    np.testing.assert_array_equal(mask.values, np.unique(content)[:MOST_VALUES])


def test_the_fast_decompressor_is_tested_here() -> None:
    assert stored.FASTEST.__name__ == "isal.isal_zlib"


@pytest.mark.parametrize("judged", [False, True])
@pytest.mark.parametrize("harm", ["cut", "checksum"])
def test_a_damaged_mask_is_refused_by_both(tmp_path: Path, judged: bool, harm: str) -> None:
    path = write_volume(tmp_path / "mask.nii.gz", np.ones((50, 50, 50), np.uint8))
    content = bytearray(path.read_bytes())
    if harm == "cut":
        del content[-1:]
    else:
        content[-5] ^= 1
        content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(NotAnImage, match="damaged or end early"):
        read_mask(path, read_header(path), judged=judged)


def test_what_the_fast_decompressor_lets_pass_is_refused_at_intake(tmp_path: Path) -> None:
    """A stored block whose length contradicts its complement: zlib refuses it, and so do we on every machine."""
    image: Any = nib.Nifti1Image(np.zeros((20, 20, 20), "u1"), oblique())  # type: ignore[no-untyped-call]
    header = gzip.compress(image.to_bytes()[:352], mtime=0)
    rest = bytearray(gzip.compress(image.to_bytes()[352:], 0, mtime=0))
    rest[13] ^= 1
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(header + rest)
    with pytest.raises(NotAnImage, match="damaged or end early"):
        read_mask(path, read_header(path))


PEAK = """
import resource, sys
from pathlib import Path
from harness.datasets.images import read_header
from harness.datasets.masks import read_mask
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mask = read_mask(Path(sys.argv[1]), read_header(Path(sys.argv[1])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, int(mask.foreground().sum()))
"""


@pytest.mark.parametrize("dense", [False, True])
def test_memory_does_not_grow_with_the_stored_type(tmp_path: Path, dense: bool) -> None:
    content = np.zeros((200, 200, 100))
    content[:, :, :: 1 if dense else 50] = 1
    path = write_volume(tmp_path / "mask.nii.gz", content)
    answer = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True).stdout
    kilobytes, foreground = map(int, answer.split())
    assert foreground == content.sum()
    assert kilobytes * 1024 < content.size + (12 << 20)  # as float64 it is 32 MB


def test_more_voxels_than_fit_into_memory_are_refused(tmp_path: Path) -> None:
    image: Any = nib.Nifti1Image(np.zeros((2, 2, 2), "u1"), oblique())  # type: ignore[no-untyped-call]
    content = with_header_field(image.to_bytes(), "dim", (3, 4096, 4096, 4096, 1, 1, 1, 1))
    path = tmp_path / "mask.nii"
    path.write_bytes(content)
    with pytest.raises(NotAnImage, match=r"more voxels than fit into memory|its voxel data end after"):
        read_mask(path, read_header(path))
