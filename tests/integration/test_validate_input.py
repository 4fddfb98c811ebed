"""What ``fomo-eval validate`` is given and cannot use: one sentence, one exit code, nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.places import INFRASTRUCTURE, USAGE, Command
from tests.support.runs import write_submission


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either an image or --submission"),
        (("alpha:1", "--submission", "alpha.yaml"), "either an image or --submission"),
        (("alpha:1",), "--task is missing"),
        (("alpha:1", "--task", "infarkt"), "Did you mean 'infarct'?"),
        (("alpha:1", "--task", "infarct", "--challenge", "fomo52"), "There is no challenge 'fomo52'"),
        (("alpha:1", "--task", "infarct", "--timeout", "nan"), "--timeout"),
        (("alpha:1", "--task", "infarct", "--data", "nowhere"), "nowhere: the data folder is not there"),
        (("alpha:1", "--task", "infarct", "--case", "0"), "--case"),
        (("--submission", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(words: tuple[str, ...], said: str, command: Command) -> None:
    ended = command("validate", *words)
    assert (ended.code, ended.out) == (USAGE, "")
    assert said in " ".join(ended.err.split())
    assert "Traceback" not in ended.err


def test_a_submission_is_judged_for_a_task_that_it_enters(command: Command, tmp_path: Path) -> None:
    written = write_submission(tmp_path, "alpha", {"brain_age": "alpha:1"})
    ended = command("validate", "--submission", written, "--task", "infarct")
    assert ended.code == USAGE
    assert "does not enter infarct" in ended.err


def test_one_submission_is_judged_at_a_time(command: Command, tmp_path: Path) -> None:
    for team in ("alpha", "beta"):
        write_submission(tmp_path, team, {"infarct": f"{team}:1"})
    ended = command("validate", "--submission", tmp_path)
    assert ended.code == USAGE
    assert "holds 2 submissions" in ended.err


def test_without_an_engine_nothing_is_said_of_the_image_and_nothing_left(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = command("validate", "alpha:1", "--task", "infarct", "--gpus", "none")
    assert (ended.code, ended.out) == (INFRASTRUCTURE, "")
    assert "No Docker engine answers" in ended.err
    assert list(tmp_path.iterdir()) == []
