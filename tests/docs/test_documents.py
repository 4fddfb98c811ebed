"""Every command in the documents runs as it is written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SubmissionError
from harness.specs.loading import load_challenge
from harness.specs.reading import read
from harness.specs.submission import SubmissionSpec
from tests.support.cohorts import REPOSITORY

README = REPOSITORY / "README.md"
DOCUMENTS = sorted(
    file
    for file in REPOSITORY.rglob("*.md")
    if not {".venv", "demo", "node_modules"} & set(file.relative_to(REPOSITORY).parts)
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)\)")


def lines(document: Path, language: str) -> list[str]:
    blocks = [body for name, body in BLOCK.findall(document.read_text()) if name == language]
    return [line.partition(" #")[0].strip() for body in blocks for line in body.splitlines() if line.strip()]


def commands(document: Path, program: str) -> list[list[str]]:
    return [words for line in lines(document, "sh") if (words := shlex.split(line))[0] == program]


@pytest.mark.docker
def test_readme_commands_run_one_after_the_other(tmp_path: Path) -> None:
    written = commands(README, "fomo-eval")
    assert len(written) >= 6
    for name in ("demo", "examples"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    beside = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    for words in written:
        ended = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{shlex.join(words)}\n{ended.stderr}"
        assert ended.stdout or "--dry-run" in words


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(REPOSITORY).as_posix())
def test_make_targets_and_links_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for words in commands(document, "make"):
        assert words[1] in targets
    for target in LINK.findall(document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_readme_submission_is_a_submission(tmp_path: Path) -> None:
    [example] = [body for name, body in BLOCK.findall(README.read_text()) if name == "yaml"]
    file = tmp_path / "submission.yaml"
    file.write_text(example)
    submission = read(file, SubmissionSpec, SubmissionError)
    challenge = load_challenge("fomo25")
    assert set(submission.images) <= set(challenge.spec.tasks)
    assert submission.track in challenge.spec.tracks


def test_all_documents_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {file.name for file in DOCUMENTS}
