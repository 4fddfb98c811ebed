"""Every command in the documents runs as it is written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import SubmissionError
from harness.specs.loading import load_challenge
from harness.specs.reading import read
from harness.specs.submission import SubmissionSpec
from tests.support.cohorts import REPOSITORY
from tests.support.commands import fomo_eval
from tests.support.starts import with_base

README = REPOSITORY / "README.md"
TUTORIAL = REPOSITORY / "examples" / "README.md"
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


def known_commands() -> set[str]:
    """The commands that ``fomo-eval --help`` lists."""
    shown = fomo_eval("--help").out.partition("Commands:")[2]
    return set(re.findall(r"^  ([a-z]+)  ", shown, re.MULTILINE))


def with_this_command(environment: Mapping[str, str]) -> dict[str, str]:
    """Put the command of this checkout first on the PATH."""
    beside = Path(sys.executable).parent
    return {**environment, "PATH": f"{beside}{os.pathsep}{environment['PATH']}"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(REPOSITORY).as_posix())
def test_every_command_that_a_document_tells_of_is_there(document: Path) -> None:
    assert {words[1] for words in commands(document, "fomo-eval")} <= known_commands()


@pytest.mark.docker
def test_the_tutorial_runs_from_an_empty_folder(tmp_path: Path) -> None:
    steps = lines(TUTORIAL, "sh")
    assert len(steps) >= 10
    assert {"make build", "cd my-submission"} <= set(steps)
    # 'make demo' installs a build's base image where no registry answers; here it is named as a person would name it.
    script = "set -euo pipefail\n" + "\n".join(f"echo + {shlex.quote(line)} >&2\n{line}" for line in steps)
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path, env=with_this_command(with_base()), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    # What the tutorial made of its submission goes through the whole pipeline.
    assert (tmp_path / "my-submission" / "meningioma.tar").stat().st_size > 1 << 20


@pytest.mark.docker
def test_readme_commands_run_one_after_the_other(tmp_path: Path) -> None:
    written = commands(README, "fomo-eval")
    assert len(written) >= 6
    for name in ("demo", "examples"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    environment = with_this_command(os.environ)
    for words in written:
        ended = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{shlex.join(words)}\n{ended.stderr}"
        assert ended.stdout or "--dry-run" in words


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(REPOSITORY).as_posix())
def test_make_targets_and_links_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    targets |= set(re.findall(r"^([a-z-]+):", makefile_of_a_start(), re.MULTILINE)) if document == TUTORIAL else set()
    for words in commands(document, "make"):
        assert words[1] in targets
    for target in LINK.findall(document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def makefile_of_a_start() -> str:
    return (REPOSITORY / "harness/templates/submission/Makefile.template").read_text()


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
