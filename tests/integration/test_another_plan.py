"""``fomo-eval run`` into a run directory that holds another plan, and with images that are not there.

A fake engine stands for Docker: both faults are found after an engine has answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands import run as command
from harness.commands.planning import RunOptions
from harness.commands.run import run
from harness.engines.engine import RunRequest, RunResult
from harness.engines.fake import Behaviour, FakeEngine
from harness.errors import ImageUnavailable, RunDirectoryError
from harness.specs.challenge import Challenge
from tests.support.datasets import write_inputs, write_text, write_tiny_data
from tests.support.specs import one_line


def half(request: RunRequest) -> RunResult:
    """Answer every case with the same number."""
    (request.output_folder / "prediction.txt").write_text("0.5")
    return RunResult(exit_code=0)


def submit(folder: Path, team: str, image: str) -> None:
    write_text(folder / f"{team}.yaml", f"team: {team}\ntrack: method\nimages: {{infarct: '{image}'}}\n")


@pytest.fixture
def options(tmp_path: Path, fomo25: Challenge) -> RunOptions:
    write_tiny_data(tmp_path / "data", fomo25)
    submit(tmp_path / "submissions", "alpha", "alpha:1")
    return RunOptions("fomo25", tmp_path / "data", (tmp_path / "submissions",), tmp_path / "out", gpus="none")


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    images: Mapping[str, Behaviour] = {"alpha:1": half, "alpha:2": half, "beta:1": half}
    monkeypatch.setattr(command, "DockerEngine", lambda: FakeEngine(images))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(options: RunOptions) -> str:
    before = contents(options.out)
    with pytest.raises(RunDirectoryError) as caught:
        run(options)
    assert contents(options.out) == before
    return one_line(caught.value)


def test_a_run_is_made_and_the_same_command_again_changes_no_score(options: RunOptions) -> None:
    summary = run(options)
    assert summary.unresolved == 0
    first = contents(options.out)
    assert {"run.json", "plan.json", "plan.sha256", "scores.json", "leaderboard.json", "profile.json"} <= first.keys()
    run(options)
    again = contents(options.out)
    changed = {name for name in first.keys() | again.keys() if first.get(name) != again.get(name)}
    assert changed <= {"lock"}


def test_a_dry_run_writes_nothing(options: RunOptions) -> None:
    assert run(replace(options, dry_run=True)).leaderboard is None
    assert not options.out.exists()


def test_a_team_may_be_added(options: RunOptions) -> None:
    run(options)
    submit(options.submissions[0], "beta", "beta:1")
    board = run(options).leaderboard
    assert board is not None
    assert [row.team for row in board.tracks[0].rows] == ["alpha", "beta"]


def test_another_image_is_refused_and_the_run_left_alone(options: RunOptions) -> None:
    run(options)
    submit(options.submissions[0], "alpha", "alpha:2")
    assert "differs in the image, command, options or baseline flag of team 'alpha' for infarct" in refused(options)


def test_another_limit_or_seed_is_refused_and_the_run_left_alone(options: RunOptions) -> None:
    run(options)
    assert "the limits of infarct ('seconds': 120.0, now 60.0)" in refused(replace(options, seconds=60))
    assert "the seed (0, now 3)" in refused(replace(options, seed=3))


def test_other_volumes_are_refused_and_the_run_left_alone(options: RunOptions, fomo25: Challenge) -> None:
    run(options)
    write_inputs(options.data, fomo25.task("infarct"), "case_2", seed=9)
    assert "differs in the cases of infarct ('case_2')" in refused(options)


def test_an_image_that_is_not_there_is_told_before_anything_is_written(options: RunOptions) -> None:
    submit(options.submissions[0], "beta", "beta:7")
    with pytest.raises(ImageUnavailable, match="beta:7"):
        run(options)
    assert not options.out.exists()


def test_a_folder_that_cannot_be_written_is_told(options: RunOptions) -> None:
    blocked = write_text(options.out.parent / "file", "x") / "out"
    with pytest.raises(RunDirectoryError) as caught:
        run(replace(options, out=blocked))
    assert f"{blocked}: cannot be written (Not a directory)" in one_line(caught.value)
