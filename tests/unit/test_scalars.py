"""Numbers in text files: every finite one is read exactly, and nothing else is."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets.scalars import NotFinite, NotOneNumber, parse_number

finite = st.floats(allow_nan=False, allow_infinity=False)
white = st.text(alphabet=" \t\r\n", max_size=5)


@given(finite, white, white)
def test_every_finite_number_is_read_to_the_last_bit(value: float, before: str, after: str) -> None:
    read = parse_number(f"{before}{value!r}{after}".encode())
    assert struct.pack("d", read) == struct.pack("d", value)


@given(finite, st.integers(0, 17))
def test_fixed_and_scientific_notation_are_read_as_python_reads_them(value: float, decimals: int) -> None:
    for text in (f"{value:.{decimals}e}", f"{value:+.{decimals}E}", f"{value:.{decimals}f}"):
        # Fewer digits than repr may round beyond the largest float.
        if float(text) in (float("inf"), float("-inf")):
            with pytest.raises(NotFinite):
                parse_number(text.encode())
        else:
            assert parse_number(text.encode()) == float(text)


@given(st.binary(max_size=40))
def test_any_bytes_are_one_finite_number_or_refused(content: bytes) -> None:
    try:
        value = parse_number(content)
    except NotOneNumber as fault:
        why = str(fault)
    else:
        why = f"it is {float(content.decode().strip())!r}"
        assert why == f"it is {value!r}"
    assert why.startswith("it ")
    assert why.isprintable()


@given(finite, finite)
def test_two_numbers_are_not_one(first: float, second: float) -> None:
    with pytest.raises(NotOneNumber, match="it holds 2 words"):
        parse_number(f"{first!r} {second!r}".encode())


@pytest.mark.parametrize("text", ["5", "5.", ".5", "+5", "-0", "007", "1e3", "1E+3", "0.5\n", "\n\n 0.5 \r\n"])
def test_what_people_write(text: str) -> None:
    assert parse_number(text.encode()) == float(text)


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "inf", "-inf", "Infinity", "+INF", "1e999", "-1e999"])
def test_numbers_that_are_not_finite_have_a_refusal_of_their_own(text: str) -> None:
    with pytest.raises(NotFinite):
        parse_number(f"{text}\n".encode())


REFUSED: list[tuple[bytes, str]] = [
    (b"", "it is empty"),
    (b" \n\t ", "it is empty"),
    (b"probability: 0.5", "it holds 2 words"),
    (b"0.1\n0.2\n", "it holds 2 words"),
    (b"0.1,0.2", "something else than a number"),
    (b"0,5", "something else than a number"),
    (b"[0.5]", "something else than a number"),
    (b"50%", "something else than a number"),
    (b"1_000", "something else than a number"),
    (b"0x10", "something else than a number"),
    (b"1e", "something else than a number"),
    (b".", "something else than a number"),
    (b"--5", "something else than a number"),
    ("٠.٥".encode(), "something else than a number"),
    ("１".encode(), "something else than a number"),
    ("\ufeff0.5".encode(), "it begins with a byte order mark"),
    (b"0.5\x00", "something else than a number"),
    ("0.5".encode("utf-16"), "it is not UTF-8 text"),
    ("0.5".encode("utf-16-le"), "something else than a number"),
    (b"\xff", "it is not UTF-8 text"),
    (b"0" * 5000, "it is longer than 4096 bytes"),
    (b"0.5" + b" " * 5000, "it is longer than 4096 bytes"),
]


@pytest.mark.parametrize(("content", "why"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused_and_why(content: bytes, why: str) -> None:
    with pytest.raises(NotOneNumber, match=why) as caught:
        parse_number(content)
    assert not isinstance(caught.value, NotFinite)
