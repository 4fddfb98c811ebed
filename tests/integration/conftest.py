"""Fixtures for whole commands."""

from __future__ import annotations

import gc
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from harness.specs.challenge import Challenge
from tests.support.commands import Finished
from tests.support.datasets import write_text, write_tiny_data
from tests.support.places import NO_ENGINE, SUBMISSION, Command, Place


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    write_tiny_data(folder / "data", fomo25)
    write_text(folder / "submissions" / "alpha.yaml", SUBMISSION)
    return folder


@pytest.fixture
def place(clean: Path, tmp_path: Path, fomo25: Challenge) -> Place:
    return Place(shutil.copytree(clean, tmp_path / "place"), fomo25)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Call the command line's own main, as the installed script does, without the second that a process takes."""
    monkeypatch.setenv("DOCKER_HOST", NO_ENGINE)

    def call(*words: str | Path) -> Finished:
        monkeypatch.setattr(sys, "argv", ["fomo-eval", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Finished(code, said.out, said.err)

    yield call
    with warnings.catch_warnings():
        # docker-py leaves the socket of a connection that failed to whichever garbage collection comes next.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
