"""Spec files with something wrong in them."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.commands.challenges import checked_challenge
from harness.errors import FomoEvalError, UsageError
from harness.specs.loading import builtin_folder


def edited_challenge(folder: Path, file: str, old: str, new: str) -> Path:
    """Copy the built-in challenge and replace text, which must be there, in one of its files; return the folder."""
    challenge = folder / "edited"
    shutil.copytree(builtin_folder() / "fomo25", challenge)
    text = (challenge / file).read_text(encoding="utf-8")
    assert old in text, f"{file} does not hold {old!r}"
    (challenge / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return challenge


def refusal_of(challenge: Path) -> str:
    """Load a challenge that must be refused; return the one line that a person reads."""
    try:
        checked_challenge(str(challenge))
    except UsageError as fault:
        return one_line(fault)
    raise AssertionError(f"{challenge} was accepted")


def one_line(fault: FomoEvalError) -> str:
    """Return a fault's text, which must be one line, say more than a file name, and speak no library's language."""
    text = str(fault)
    assert text.isprintable()
    for foreign in (
        "pydantic",
        "Input should",
        "input should",
        "validation",
        "Traceback",
        "errno",
        "NoneType",
        "tuple",
    ):
        assert foreign not in text, f"{foreign!r} in {text!r}"
    return text
