"""Everything that a command is given, in one folder, and how it ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.specs.challenge import Challenge
from tests.support.commands import Finished, fomo_eval
from tests.support.datasets import reference_of, volume_of

USAGE, INFRASTRUCTURE = 2, 3
NO_ENGINE = "unix:///nonexistent.sock"
SUBMISSION = "team: alpha\ntrack: method\nimages: {infarct: 'alpha:1', meningioma: 'alpha:1', brain_age: 'alpha:1'}\n"

Command = Callable[..., Finished]


@dataclass
class Place:
    """Everything that one command is given; a test spoils one part of it."""

    folder: Path
    challenge: Challenge
    options: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def submissions(self) -> Path:
        return self.folder / "submissions"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def volume(self, task: str, name: str) -> Path:
        return volume_of(self.data, self.challenge.task(task), "case_2", name)

    def reference(self, task: str) -> Path:
        return reference_of(self.data, self.challenge.task(task), "case_2")

    def words(self) -> list[str]:
        """Write the command that runs it all."""
        options = {
            "--challenge": "fomo25",
            "--data": str(self.data),
            "--submissions": str(self.submissions),
            "--out": str(self.out),
            "--gpus": "none",
            **self.options,
        }
        return ["run", *(word for pair in options.items() for word in pair)]


def as_process(*words: str | Path) -> Finished:
    """Run the command line as its users do."""
    return fomo_eval(*words, environment={**os.environ, "DOCKER_HOST": NO_ENGINE})


def one_line(ended: Finished, code: int) -> str:
    """Check that a command stopped as it should; return what it said."""
    assert ended.code == code, ended.err
    assert ended.out == ""
    assert ended.err.count("\n") == 1, ended.err
    assert "Traceback" not in ended.err
    return ended.err.rstrip("\n")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
