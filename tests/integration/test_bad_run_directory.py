"""Folders that are no run directory, or a damaged one: told in one line, and left as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.datasets import write_text
from tests.support.places import USAGE, Command, Place, contents, one_line


@pytest.mark.parametrize("holds", ["a file", "a folder", "a hidden file"])
def test_somebody_else_s_folder_is_left_alone(place: Place, command: Command, holds: str) -> None:
    write_text(place.out / {"a file": "x.txt", "a folder": "photos/x.jpg", "a hidden file": ".x"}[holds], "mine")
    before = contents(place.folder)
    said = one_line(command(*place.words()), USAGE)
    assert said == (
        f"Error: {place.out}: is there already and is no run directory (it has no run.json). "
        "Choose a new folder with --out."
    )
    assert contents(place.folder) == before


def test_a_file_in_place_of_a_run_directory_is_left_alone(place: Place, command: Command) -> None:
    write_text(place.out, "mine")
    assert f"{place.out}: is there already and is no run directory" in one_line(command(*place.words()), USAGE)
    assert place.out.read_text() == "mine"


def test_a_run_directory_with_a_damaged_plan_is_left_alone(place: Place, command: Command) -> None:
    write_text(place.out / "run.json", '{"format": 1, "id": "a", "created": "", "fomo_eval": "0", "data": "/"}')
    write_text(place.out / "plan.json", '{"format": 1, "challenge": ')
    before = contents(place.folder)
    assert f"{place.out / 'plan.json'}: is damaged or of another version" in one_line(command(*place.words()), USAGE)
    assert contents(place.folder) == before


@pytest.mark.parametrize("verb", ["score", "leaderboard"])
def test_what_is_no_run_cannot_be_scored(tmp_path: Path, command: Command, verb: str) -> None:
    write_text(tmp_path / "x.txt", "mine")
    for folder in (tmp_path, tmp_path / "gone"):
        said = one_line(command(verb, folder), USAGE)
        assert said == (
            f"Error: {folder}: is no run directory (it has no run.json). Pass the --out of a 'fomo-eval run'."
        )
    assert contents(tmp_path) == {"x.txt": b"mine"}


def test_a_run_that_was_never_planned_cannot_be_scored(tmp_path: Path, command: Command) -> None:
    write_text(tmp_path / "run.json", '{"format": 1, "id": "a", "created": "", "fomo_eval": "0", "data": "/"}')
    said = one_line(command("score", tmp_path), USAGE)
    assert said == f"Error: {tmp_path}: has no plan.json. Run 'fomo-eval run' into it first."
