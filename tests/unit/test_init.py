"""What ``fomo-eval init`` writes, for the built-in tasks and for any other."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import runpy
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import nibabel as nib
import numpy as np
import pytest
import yaml

from harness.commands import init
from harness.datasets.scalars import parse_number
from harness.errors import SubmissionError, UsageError
from harness.specs.challenge import Challenge
from harness.specs.loading import builtin_challenges, builtin_folder, load_challenge, load_submissions
from harness.specs.reading import read
from harness.specs.submission import SubmissionSpec
from harness.specs.task import OneOf as Choice
from harness.specs.task import TaskSpec
from tests.support.specs import edited_challenge
from tests.support.volumes import oblique, voxels, write_volume

BUILT_IN = [(name, task.name) for name in builtin_challenges() for task in load_challenge(name).tasks]
HOSTILE = '""" \'\\ %{task} ${HOME} $(id) {{ # coding: latin-1 \u202e é 🧠 \\'
NAME = "1e3"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def call(challenge: str | Path, task: str, team: str = "my-team") -> Path:
        folder = tmp_path / "parent" / "submission"
        init.init(folder, challenge=str(challenge), task=task, team=team)
        return folder

    return call


def flags_of(predict: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser:
    """Return the parser that a predict.py makes, before it parses."""
    made: list[argparse.ArgumentParser] = []

    def stop(parser: argparse.ArgumentParser, *_: Any) -> None:
        made.append(parser)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(argparse.ArgumentParser, "parse_args", stop)
        with pytest.raises(SystemExit):
            runpy.run_path(str(predict), run_name="__main__")
    return made[0]


def called(predict: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(predict), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check_files(folder: Path, challenge: Challenge, task: TaskSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check every file of a submission for a task."""
    parser = flags_of(folder / "predict.py", monkeypatch)
    known = {flag: action for action in parser._actions for flag in action.option_strings}
    assert known.keys() == {"--output", *(each.flag for each in task.all_inputs)}
    assert all(action.required for flag, action in known.items() if flag == "--output")
    plain = [item for item in task.inputs if not isinstance(item, Choice)]
    assert all(known[item.flag].required is item.required for item in plain)
    groups = [
        (group.required, [flag for action in group._group_actions for flag in action.option_strings])
        for group in parser._mutually_exclusive_groups
    ]
    assert groups == [
        (any(each.required for each in item.one_of), [each.flag for each in item.one_of])
        for item in task.inputs
        if isinstance(item, Choice)
    ]
    (submission,) = load_submissions([folder / "submission.yaml"], challenge)
    assert set(submission.images) == {task.name}
    image = submission.images[task.name].image or ""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*:1", image)
    schema = json.loads((folder / "submission.schema.json").read_text())
    jsonschema.validate(yaml.safe_load((folder / "submission.yaml").read_text()), schema)
    assert (folder / "submission.yaml").read_text().startswith("# yaml-language-server: $schema=submission.schema.json")
    workflow = yaml.safe_load((folder / ".github/workflows/validate.yml").read_text())
    assert (workflow["env"]["IMAGE"], workflow["env"]["TASK"]) == (image, task.name)
    assert load_challenge_of(folder, workflow["env"]["CHALLENGE"]).spec == challenge.spec
    variables = subprocess.run(
        ["make", "-s", "--eval", "show: ; @echo $$IMAGE $$TASK $$CHALLENGE", "show"],
        cwd=folder, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert variables == [image, task.name, workflow["env"]["CHALLENGE"]]
    instructions = [line.split()[0] for line in (folder / "Dockerfile").read_text().splitlines() if line[:1].isupper()]
    assert instructions == ["ARG", "FROM", "WORKDIR", "COPY", "RUN", "COPY", "RUN", "LABEL", "ENTRYPOINT"]


def load_challenge_of(folder: Path, name: str) -> Challenge:
    return load_challenge(name if name in builtin_challenges() else str(folder / name))


@pytest.mark.parametrize(("challenge", "task"), BUILT_IN)
def test_every_file_fits_the_task(
    write: Callable[..., Path], challenge: str, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(challenge, task)
    loaded = load_challenge(challenge)
    check_files(folder, loaded, loaded.task(task), monkeypatch)


@pytest.mark.parametrize("task", ["infarct", "brain_age", "meningioma"])
def test_it_answers_without_a_container_too(
    write: Callable[..., Path], fomo25: Challenge, task: str, tmp_path: Path
) -> None:
    spec, folder = fomo25.task(task), write("fomo25", task)
    flags = [item.one_of[-1].flag if isinstance(item, Choice) else item.flag for item in spec.inputs]
    for flag in flags:
        write_volume(tmp_path / f"{flag}.nii.gz", voxels(), oblique())
    words = [word for flag in flags for word in (flag, tmp_path / f"{flag}.nii.gz")]
    output = tmp_path / spec.output.file
    ended = called(folder / "predict.py", *words, "--output", output)
    assert ended.returncode == 0, ended.stderr
    if spec.output.format == "scalar":
        assert parse_number(output.read_bytes()) == init.placeholder(spec)
    else:
        loaded: list[Any] = [nib.load(path) for path in (output, tmp_path / f"{flags[0]}.nii.gz")]
        mask, first = loaded
        assert mask.shape == first.shape
        assert np.allclose(mask.affine, first.affine, atol=1e-5)
        assert not np.asarray(mask.dataobj).any()
    for fewer in (words[2:], words[:-2]):
        assert "required" in called(folder / "predict.py", *fewer, "--output", output).stderr


def test_a_flag_that_is_not_the_tasks_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    predict = write("fomo25", "brain_age") / "predict.py"
    for flag in ("--flair", "--t"):
        ended = called(predict, "--t1", "a.nii", "--t2", "b.nii", flag, "c.nii", "--output", tmp_path / "out")
        assert "unrecognized arguments" in ended.stderr


def hostile_challenge(folder: Path) -> Path:
    """Write a challenge whose names and texts are everything that the spec lets them be."""
    source = edited_challenge(folder, "challenge.yaml", "description", "description")
    task = yaml.safe_load((source / "infarct.yaml").read_text())
    task |= {"name": NAME, "title": HOSTILE, "description": HOSTILE + "\n" + HOSTILE}
    task["inputs"] = [
        {"name": "output", "flag": "--help"},
        {"name": "1.0", "flag": "--1-0", "required": False},
        {"one_of": [{"name": name, "flag": flag, "required": False} for name, flag in (("on", "--h"), ("if", "--C"))]},
    ]
    task["output"] = {"format": "scalar", "file": "1e3.txt", "meaning": HOSTILE, "maximum": -7.5}
    task["metrics"] = [metric for metric in task["metrics"] if metric["name"] in ("auroc", "average_precision")]
    whole = yaml.safe_load((source / "challenge.yaml").read_text())
    whole |= {"tasks": [NAME], "title": HOSTILE, "tracks": {"yes": HOSTILE, "no": ""}}
    whole["ranking"]["task_weights"] = {}
    (source / f"{NAME}.yaml").write_text(yaml.safe_dump(task))
    (source / "challenge.yaml").write_text(yaml.safe_dump(whole))
    return source


def test_hostile_texts_break_no_file(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = hostile_challenge(tmp_path)
    challenge = load_challenge(str(source))
    folder = write(source, NAME, team="Null.__-")
    check_files(folder, challenge, challenge.task(NAME), monkeypatch)
    program = (folder / "predict.py").read_text()
    tree = ast.parse(program)
    assert [type(node).__name__ for node in tree.body] == [
        "Expr", "Import", "ImportFrom", "Import", "FunctionDef", "FunctionDef", "FunctionDef", "If",
    ]  # fmt: skip
    assert r"\u202e" in program
    assert program.isascii() is False  # what can be shown is left as it is
    output = tmp_path / "1e3.txt"
    write_volume(tmp_path / "a.nii.gz", voxels())
    ended = called(folder / "predict.py", "--help", tmp_path / "a.nii.gz", "--output", output)
    assert ended.returncode == 0, ended.stderr
    assert output.read_text() == "-7.5\n"


@pytest.mark.parametrize(
    ("output", "reference", "expected"),
    [
        ({}, {"minimum": 0.0, "maximum": 100.0}, 50.0),
        ({"minimum": 0.0, "maximum": 1.0}, {"values": [0.0, 1.0]}, 0.5),
        ({"minimum": 60.0}, {"minimum": 0.0, "maximum": 100.0}, 60.0),
        ({"maximum": -1.0}, {"values": [3.0]}, -1.0),
        ({}, {"minimum": -1.7e308, "maximum": 1.7e308}, 0.0),
    ],
)
def test_the_placeholder_is_a_number_that_the_task_accepts(
    fomo25: Challenge, output: dict[str, float], reference: dict[str, Any], expected: float
) -> None:
    task = fomo25.task("brain_age").model_dump(mode="json")
    task["output"] = {"format": "scalar", "file": "p.txt", "meaning": "m", **output}
    task["reference"] = {"format": "scalar", **reference}
    assert init.placeholder(TaskSpec.model_validate(task)) == expected


def test_a_challenge_that_is_not_built_in_travels_with_the_submission(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write(builtin_folder() / "fomo25", "meningioma")
    assert load_challenge(str(folder / "challenge")).spec == load_challenge("fomo25").spec
    assert "CHALLENGE := challenge\n" in (folder / "Makefile").read_text()
    assert "challenge" in (folder / ".dockerignore").read_text().splitlines()


def test_modes_are_what_a_container_needs(write: Callable[..., Path]) -> None:
    before = os.umask(0o077)
    try:
        folder = write("fomo25", "infarct")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert modes.pop("validate.sh") == 0o755
    assert set(modes.values()) == {0o644}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    written = init.init(folder, challenge="fomo25", task="infarct", team="my-team")
    assert set(written) == {path for path in folder.rglob("*") if path.is_file()}
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert read(folder / "submission.yaml", SubmissionSpec, SubmissionError).team == "my-team"


def occupied(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")


@pytest.mark.parametrize(
    ("prepare", "task", "team", "what"),
    [
        (occupied, "infarct", "a", "the folder is not empty. Name a new folder"),
        (lambda folder: folder.write_text("mine"), "infarct", "a", "is a file. Name a new folder"),
        (lambda folder: None, "infarkt", "a", "has no task 'infarkt'. Did you mean 'infarct'?"),
        (lambda folder: None, "infarct", "a b", "--team is 'a b'; it must be at most 64 letters"),
        (lambda folder: None, "infarct", "a\n", "it must be at most 64 letters"),
    ],
)
def test_what_cannot_be_started_is_refused_and_nothing_is_written(
    tmp_path: Path, prepare: Callable[[Path], None], task: str, team: str, what: str
) -> None:
    prepare(tmp_path / "place")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(UsageError) as refused:
        init.init(tmp_path / "place", challenge="fomo25", task=task, team=team)
    assert what in str(refused.value)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_the_current_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="is the current folder"):
        init.init(Path(), challenge="fomo25", task="infarct", team="my-team")


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file in the place of the parent folder: what root may not do either.
    (tmp_path / "parent").write_text("mine")
    with pytest.raises(UsageError, match="cannot be written"):
        init.init(tmp_path / "parent" / "submission", challenge="fomo25", task="infarct", team="my-team")
    assert [path.name for path in tmp_path.iterdir()] == ["parent"]
