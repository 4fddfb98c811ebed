"""Bad input at the command line: one line that names the file, the right exit code, and nothing half-written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.specs.loading import builtin_folder
from tests.support.datasets import shifted, write_text
from tests.support.places import INFRASTRUCTURE, SUBMISSION, USAGE, Command, Place, as_process, contents, one_line
from tests.support.volumes import mask, oblique, voxels, write_volume


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def own_challenge(place: Place, file: str, old: str, new: str) -> Path:
    folder = shutil.copytree(builtin_folder() / "fomo25", place.folder / "challenge")
    place.options["--challenge"] = str(folder)
    return edit(folder / file, old, new)


def entered(place: Place, text: str, name: str = "alpha.yaml") -> Path:
    return write_text(place.submissions / name, text)


def spoiled(path: Path, spoil: Callable[[Path], object]) -> Path:
    spoil(path)
    return path


def with_nan(path: Path) -> None:
    content = voxels()
    content[1, 1, 1] = np.nan
    write_volume(path, content)


def option(place: Place, name: str, text: str) -> str:
    place.options[name] = text
    return name


# Each spoils one thing, and returns what the message must begin with (a file or an option), beside what it must hold.
FAULTS: dict[str, tuple[Callable[[Place], Path | str], str]] = {
    "unknown key in a task": (
        lambda p: own_challenge(p, "infarct.yaml", "seconds: 120", "secnds: 120"),
        "the field 'limits' has the unknown key 'secnds'. Did you mean 'seconds'?",
    ),
    "malformed challenge": (
        lambda p: own_challenge(p, "challenge.yaml", "tracks:", "tracks"),
        "is not valid YAML (line",
    ),
    "unknown metric": (
        lambda p: own_challenge(p, "infarct.yaml", "name: auroc", "name: aurok"),
        "'metrics[0].name' is 'aurok', which is no metric. Did you mean 'auroc'?",
    ),
    "empty submission": (lambda p: entered(p, ""), "the file is empty"),
    "malformed submission": (lambda p: entered(p, "team: [alpha\n"), "is not valid YAML (line 2"),
    "wrong type": (lambda p: entered(p, SUBMISSION + "baseline: 3\n"), "'baseline' is 3; it must be true or false"),
    "unknown track": (lambda p: entered(p, SUBMISSION.replace("method", "metod")), "Did you mean 'method'?"),
    "unknown task": (lambda p: entered(p, SUBMISSION.replace("infarct", "infarkt")), "Did you mean 'infarct'?"),
    "team entered twice": (lambda p: entered(p, SUBMISSION, "second.yaml"), "team 'alpha' is already entered"),
    "archive gone": (
        lambda p: entered(p, SUBMISSION.replace("'alpha:1'", "{archive: alpha.tar}", 1)),
        "the field 'images.infarct.archive' names",
    ),
    "submission gone": (
        lambda p: p.options.setdefault("--submissions", str(p.folder / "gone.yaml")),
        "cannot be read (No such file or directory)",
    ),
    "no submissions": (
        lambda p: spoiled(p.submissions, lambda folder: (folder / "alpha.yaml").rename(folder / "alpha.txt")),
        "the folder holds no submission",
    ),
    "data gone": (lambda p: p.options.setdefault("--data", str(p.folder / "gone")), "the data folder is not there"),
    "task folder gone": (
        lambda p: spoiled(p.data / "fomo-task1-val", shutil.rmtree),
        "the data folder of infarct is not there",
    ),
    "no references": (
        lambda p: spoiled(p.data / "fomo-task1-val", lambda folder: shutil.rmtree(folder / "labels")),
        "no reference of infarct matches 'labels/{case}/label.txt'",
    ),
    "reference gone": (lambda p: spoiled(p.reference("infarct"), Path.unlink), "the case has volumes and no reference"),
    "volume gone": (
        lambda p: spoiled(p.volume("infarct", "adc"), Path.unlink),
        "the volume is not there, but the case has a reference",
    ),
    "volume empty": (
        lambda p: spoiled(p.volume("infarct", "adc"), lambda path: path.write_bytes(b"")),
        "the volume is unusable: the file is empty",
    ),
    "volume not finite": (
        lambda p: spoiled(p.volume("brain_age", "t1"), with_nan),
        "the volume is unusable: it holds voxels that are not finite",
    ),
    "volume off-grid": (
        lambda p: spoiled(
            p.volume("meningioma", "t2s"), lambda path: write_volume(path, voxels(), shifted(oblique(), 5))
        ),
        "is not on the grid of flair.nii.gz",
    ),
    "reference of no class": (
        lambda p: write_text(p.reference("infarct"), "0.5"),
        "the reference is unusable: it holds 0.5, not one of 0, 1",
    ),
    "reference empty": (lambda p: write_text(p.reference("brain_age"), ""), "the reference is unusable: it is empty"),
    "reference off-grid": (
        lambda p: write_volume(p.reference("meningioma"), mask()[1:]),
        "the reference is unusable: it is not on the grid of flair.nii.gz: it has shape 5 × 7 × 8",
    ),
    "reference of other values": (
        lambda p: write_volume(p.reference("meningioma"), 2 * mask()),
        "the reference is unusable: its values are 0, 2, not 0 and 1",
    ),
    "unknown task asked for": (
        lambda p: option(p, "--tasks", "infarkt"),
        "names 'infarkt', which is not there. Did you",
    ),
    "unknown team asked for": (
        lambda p: option(p, "--teams", "alfa"),
        "names 'alfa', which is not there. Did you mean",
    ),
    "endless time": (lambda p: option(p, "--timeout", "inf"), "is inf. Give a finite number of seconds above 0."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_line_that_begins_with_the_file_and_nothing_is_written(
    place: Place, command: Command, name: str
) -> None:
    spoil, what = FAULTS[name]
    where = spoil(place)
    before = contents(place.folder)
    said = one_line(command(*place.words()), USAGE)
    assert said.startswith(f"Error: {where}"), said
    assert what in said
    assert contents(place.folder) == before
    assert not place.out.exists()


@pytest.mark.parametrize("name", ["malformed submission", "reference gone", "volume not finite"])
def test_it_is_one_line_for_a_process_too(place: Place, name: str) -> None:
    spoil, what = FAULTS[name]
    where = spoil(place)
    said = one_line(as_process(*place.words()), USAGE)
    assert said.startswith(f"Error: {where}"), said
    assert what in said
    assert not place.out.exists()


@pytest.mark.parametrize("option_and_value", [("--timeout", "0"), ("--workers", "0"), ("--workers", "many")])
def test_a_number_out_of_range_is_refused(place: Place, command: Command, option_and_value: tuple[str, str]) -> None:
    ended = command(*place.words(), *option_and_value)
    assert ended.code == USAGE
    assert f"Invalid value for '{option_and_value[0]}'" in ended.err
    assert not place.out.exists()


def test_a_misspelt_challenge(place: Place, command: Command) -> None:
    place.options["--challenge"] = "fomo255"
    said = one_line(command(*place.words()), USAGE)
    assert "There is no challenge 'fomo255'" in said
    assert "Did you mean 'fomo25'?" in said
    assert not place.out.exists()


def test_without_an_engine_the_machine_is_to_blame_and_nothing_is_written(place: Place) -> None:
    said = one_line(as_process(*place.words()), INFRASTRUCTURE)
    assert said.startswith("Stopped: No Docker engine answers")
    assert "Install and start Docker" in said
    assert not place.out.exists()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("tasks", "show", "infarkt"), "fomo25 has no task 'infarkt'. Did you mean 'infarct'?"),
        (("tasks", "schema", "taks"), "There is no schema 'taks'. Did you mean 'task'?"),
        (("tasks", "list", "--challenge", "fomo255"), "Did you mean 'fomo25'?"),
        (("init", "never-made", "--task", "infarkt"), "fomo25 has no task 'infarkt'. Did you mean 'infarct'?"),
        (("init", "never-made", "--task", "infarct", "--challenge", "fomo255"), "Did you mean 'fomo25'?"),
    ],
)
def test_a_misspelt_task_schema_or_challenge_is_told_with_the_one_that_was_meant(
    command: Command, words: tuple[str, ...], what: str
) -> None:
    assert what in one_line(command(*words), USAGE)
