"""The two parsers that read what strangers write, under many made-up files: numbers and masks.

The examples are the same in every run. What a longer search with a coverage-guided fuzzer (``make fuzz``) found is kept
below as ``FOUND``.
"""

from __future__ import annotations

import gzip
import math
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.datasets import images
from harness.datasets.case import Case
from harness.datasets.images import NotAnImage
from harness.datasets.scalars import LARGEST_TEXT, NotFinite, NotOneNumber, parse_number
from harness.engines.outcome import Ending, Outcome, Refusal
from harness.execution.verify import verify
from harness.specs.challenge import Challenge
from tests.support.datasets import first_case, write_tiny_data
from tests.support.volumes import HEADER_BYTES, mask, nifti_bytes, with_header_field

SOME_S = 2.0
MIB = 1 << 20


def thorough(examples: int) -> Callable[[Any], Any]:
    """Try so many examples, the same ones each time."""
    unhealthy = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=unhealthy
    )


words = st.text(alphabet="0123456789.+-eE_ \n\t\u0664\uff11\u00a0naifNIx", max_size=12)
contents = st.one_of(
    words.map(str.encode),
    st.floats().map(lambda number: repr(number).encode()),
    st.tuples(words, st.integers(0, 2 * LARGEST_TEXT)).map(lambda pair: pair[0].encode() + b"0" * pair[1]),
    st.binary(max_size=40),
)


@thorough(6000)
@given(content=contents)
def test_a_number_is_read_as_python_reads_it_or_refused(content: bytes) -> None:
    try:
        value = parse_number(content)
    except NotOneNumber:
        return
    assert math.isfinite(value)
    assert len(content) <= LARGEST_TEXT
    assert value == float(content.decode())


@thorough(1600)
@given(number=st.floats(), around=st.sampled_from(["", "\n", "  ", "\r\n", "\t"]))
def test_every_float_is_read_back_or_called_not_finite(number: float, around: str) -> None:
    content = f"{around}{number!r}{around}".encode()
    if math.isfinite(number):
        assert parse_number(content) == number
    else:
        with pytest.raises(NotFinite):
            parse_number(content)


GOOD = nifti_bytes(mask())
HEADER = GOOD[:HEADER_BYTES]
CODES = {"<u1": 2, "<i2": 4, "<i4": 8, "<f4": 16, "<f8": 64, "<i1": 256, "<u2": 512, "<i8": 1024}
"""NIfTI's codes of the types that voxels may have."""
single = st.floats(width=32)
awkward = st.one_of(single, st.sampled_from([0.0, 1.0, -1.0, 1 / 255, 3.4e38, 1e-45, math.nan, math.inf]))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "scl_slope": awkward,
    "scl_inter": awkward,
    "vox_offset": awkward,
    "datatype": st.integers(-32768, 32767) | st.sampled_from(list(CODES.values())),
    "bitpix": st.integers(-32768, 32767),
    "dim": st.lists(st.integers(-32768, 32767), min_size=8, max_size=8),
    "pixdim": st.lists(awkward, min_size=8, max_size=8),
    "qform_code": st.integers(-1, 5),
    "sform_code": st.integers(-1, 5),
    "quatern_b": awkward,
    "srow_x": st.lists(awkward, min_size=4, max_size=4),
    "magic": st.binary(min_size=4, max_size=4),
    "sizeof_hdr": st.integers(-(2**31), 2**31 - 1),
}
field_changes = st.lists(
    st.sampled_from(list(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), FIELDS[name])), max_size=3
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("data"), fomo25, ("case_1",))


@pytest.fixture(scope="module")
def case(root: Path, fomo25: Challenge) -> Case:
    return first_case(root, fomo25.task("meningioma"))


Judge = Callable[[bytes], Outcome]


@pytest.fixture
def judge(root: Path, case: Case, fomo25: Challenge, tmp_path: Path) -> Judge:
    """Judge a file's content as a mask; in no case does it take long, and a warning is an error."""

    def judged(content: bytes) -> Outcome:
        path = tmp_path / "prediction.nii.gz"
        path.write_bytes(content)
        began = time.monotonic()
        outcome = verify(fomo25.task("meningioma"), case, path, root=root)
        assert time.monotonic() - began < SOME_S
        assert outcome.ending in (Ending.OK, Ending.INVALID_OUTPUT)
        assert outcome.detail.isprintable()
        return outcome

    return judged


@thorough(2400)
@given(changes=field_changes, compressed=st.booleans())
def test_any_field_of_a_header_is_judged(judge: Judge, changes: list[tuple[str, Any]], compressed: bool) -> None:
    content = GOOD
    for field, value in changes:
        content = with_header_field(content, field, value)
    judge(gzip.compress(content, 1) if compressed else content)


@thorough(2400)
@given(
    stored=st.sampled_from(list(CODES)), pattern=st.binary(min_size=1, max_size=24), slope=awkward, intercept=awkward
)
def test_any_voxels_on_the_right_grid_are_judged(
    judge: Judge, stored: str, pattern: bytes, slope: float, intercept: float
) -> None:
    size = mask().size * np.dtype(stored).itemsize
    header = with_header_field(
        with_header_field(HEADER, "datatype", CODES[stored]), "bitpix", 8 * np.dtype(stored).itemsize
    )
    header = with_header_field(with_header_field(header, "scl_slope", slope), "scl_inter", intercept)
    outcome = judge(header + (pattern * size)[:size])
    assert outcome.refusal in (None, Refusal.NOT_FINITE, Refusal.NOT_BINARY, Refusal.NOT_NIFTI)


members = st.lists(
    st.tuples(st.binary(max_size=60) | st.just(bytes(500)), st.integers(0, 9)).map(
        lambda pair: gzip.compress(pair[0], pair[1], mtime=0)
    ),
    min_size=1,
    max_size=8,
)


@thorough(1600)
@given(parts=members, cut=st.integers(0, 40), wrong=st.none() | st.tuples(st.integers(0, 400), st.integers(1, 255)))
def test_gzip_is_read_as_the_standard_library_reads_it(
    tmp_path: Path, parts: list[bytes], cut: int, wrong: tuple[int, int] | None
) -> None:
    content = bytearray(gzip.compress(GOOD[: HEADER_BYTES + 3], mtime=0) + b"".join(parts))
    del content[len(content) - cut :]
    if wrong is not None:
        content[wrong[0] % len(content)] ^= wrong[1]
    path = tmp_path / "volume.nii.gz"
    path.write_bytes(content)
    try:
        header = images.read_header(path)
        voxels = images.read_voxels(path, header)
    except NotAnImage:
        return
    wanted = header.offset + header.data_bytes
    with gzip.open(path) as stream:
        expected = stream.read(wanted)
    assert expected[header.offset :] == np.asarray(voxels).tobytes(order="F")


def _scaled(bits: int) -> bytes:
    return (
        with_header_field(with_header_field(HEADER, "datatype", 16), "bitpix", 32)
        + struct.pack("<I", bits) * mask().size
    )


NAME_FOLLOWS = b"\x1f\x8b\x08\x08" + bytes(6)
FOUND: dict[str, tuple[bytes, Refusal | None]] = {
    "NaN that signals": (_scaled(0x7FA00000), Refusal.NOT_FINITE),
    "negative NaN that signals": (_scaled(0xFFA00000), Refusal.NOT_FINITE),
    "empty members in between": (
        gzip.compress(HEADER) + gzip.compress(b"") * 400_000 + gzip.compress(GOOD[HEADER_BYTES:]),
        Refusal.NOT_NIFTI,
    ),
    "a long name in between": (
        gzip.compress(HEADER) + NAME_FOLLOWS + b"x" * (32 * MIB) + b"\0" + gzip.compress(GOOD[HEADER_BYTES:])[10:],
        None,
    ),
    "much after the end": (gzip.compress(GOOD) + gzip.compress(bytes(64 * MIB)) * 64, None),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_judged_at_once(judge: Judge, name: str) -> None:
    content, refusal = FOUND[name]
    assert judge(content).refusal is refusal
