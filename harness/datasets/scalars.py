"""Reading one number from a small text file, as references and predictions hold it."""

from __future__ import annotations

import math
import re

LARGEST_TEXT = 4096
BYTE_ORDER_MARK = "\ufeff"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NOT_A_FINITE_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class NotOneNumber(ValueError):
    """The text is not one number; the message says what it is instead."""


class NotFinite(NotOneNumber):
    """The text is one number, but not a finite one."""


def parse_number(content: bytes) -> float:
    r"""Read one finite decimal number from a file's content.

    Parameters
    ----------
    content
        UTF-8 text; white space around the number is ignored.

    Returns
    -------
    float

    Raises
    ------
    NotOneNumber
        With what it is instead; :class:`NotFinite` for nan, infinities and overflow.

    Examples
    --------
    >>> parse_number(b" 0.25\n")
    0.25
    """
    if len(content) > LARGEST_TEXT:
        raise NotOneNumber(f"it is longer than {LARGEST_TEXT} bytes")
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise NotOneNumber("it is not UTF-8 text") from None
    if not text:
        raise NotOneNumber("it is empty")
    if text.startswith(BYTE_ORDER_MARK):
        raise NotOneNumber("it begins with a byte order mark")
    if NOT_A_FINITE_NUMBER.fullmatch(text):
        raise NotFinite(f"it is '{text}'")
    if not NUMBER.fullmatch(text):
        tokens = len(text.split())
        raise NotOneNumber(f"it holds {tokens} words" if tokens > 1 else "it holds something else than a number")
    value = float(text)
    if not math.isfinite(value):
        raise NotFinite("it is too large for a float")
    return value
