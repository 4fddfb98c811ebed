"""YAML files that cannot be read at all: missing, empty, not text, not YAML, too large, built to exhaust a parser."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.specs import reading
from harness.specs.submission import SubmissionSpec
from tests.support.specs import one_line

GOOD = "team: alpha\ntrack: method\nimages: {infarct: 'alpha:1'}\n"


def refusal(file: Path) -> str:
    with pytest.raises(SpecError) as caught:
        reading.read(file, SubmissionSpec, SpecError)
    text = one_line(caught.value)
    assert text.startswith(f"{file}: ")
    return text


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    assert reading.read(tmp_path / "good.yaml", SubmissionSpec, SpecError).team == "alpha"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert reading.read(tmp_path / "good.yaml", SubmissionSpec, SpecError).team == "alpha"


def test_a_missing_file(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory). Check the path." in refusal(tmp_path / "gone.yaml")


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in refusal(tmp_path)


BAD_TEXTS: list[tuple[bytes, str]] = [
    (b"", "the file is empty. Write the spec into it, or remove it."),
    (b"# only a comment\n", "the file is empty"),
    (b"team: \xff\xfe\n", "is not UTF-8 text. Save it as UTF-8."),
    (GOOD.encode("utf-16"), "is not UTF-8 text"),
    (b"- team\n- track\n", "holds a list, not keys and values. Write 'key: value'."),
    (b"just words\n", "holds text, not keys and values"),
    (b"12\n", "holds a number, not keys and values"),
    (b"team: alpha\n  track: x: y\n", "is not valid YAML (line 2, column 8: mapping values are not allowed here)"),
    (b"team: alpha\n\ttrack: method\n", "is not valid YAML (line 2, column 1: found character '\\t'"),
    (b"team: alpha\nimages: {infarct: x\n", "is not valid YAML (line 3, column 1: expected ',' or '}'"),
    (b"team: 'alpha\n", "is not valid YAML (line 2, column 1: found unexpected end of stream)"),
    (b"team: alpha\nteam: beta\n", "is not valid YAML (line 2, column 1: has the key 'team' twice)"),
    (b"team: alpha\nimages: {a: x, a: y}\n", "(line 2, column 16: has the key 'a' twice)"),
    (b"team: &name alpha\ntrack: *name\n", "(line 2, column 8: uses an alias ('*name'); write the value out)"),
    (b"? [team]\n: alpha\n", "(line 1, column 3: has a list or a mapping as a key)"),
    (b"team: alpha\x07\n", "is not valid YAML (character 12: special characters are not allowed)"),
    (b"team: !!python/object/apply:os.system [id]\n", "(line 1, column 7: could not determine a constructor"),
    (
        b"team: alpha\n---\nteam: beta\n",
        "(line 2, column 1: expected a single document in the stream, but found another document)",
    ),
    (b"team: " + b"1" * 5000 + b"\n", "is not valid YAML (a number in it cannot be read)"),
    (b"team: " + b"[" * 5000 + b"\n", "is nested too deeply. A spec has a few levels only."),
    (b"metadata: " + b"{a: " * 5000 + b"\n", "is nested too deeply"),
    (GOOD.encode() + b"#" * (2 << 20), "the file is larger than 1 MiB. A spec is a short YAML file."),
]


@pytest.mark.parametrize(("content", "what"), BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_a_file_that_is_not_a_spec(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    assert what in refusal(tmp_path / "bad.yaml")


def test_an_alias_bomb_is_refused_before_it_expands(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (tmp_path / "bomb.yaml").write_text("\n".join(levels))
    began = time.monotonic()
    assert "uses an alias" in refusal(tmp_path / "bomb.yaml")
    assert time.monotonic() - began < 5


def test_a_line_break_in_a_key_stays_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text('"te\\nam\\x1b[31m": alpha\n')
    assert "has the unknown key 'te\\nam\\x1b[31m'" in refusal(tmp_path / "bad.yaml")
