"""A submission that ``fomo-eval init`` wrote, built as its Makefile says and run as organisers run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.commands import fomo_eval
from tests.support.runs import records
from tests.support.starts import TEAM, started, with_base

pytestmark = pytest.mark.docker

TASKS = ("infarct", "meningioma", "brain_age")


@pytest.fixture(scope="module", params=TASKS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission for one task, its image built, by a person whose files nobody else may read."""
    folder = started(tmp_path_factory.mktemp("start") / request.param, request.param)
    for file in folder.rglob("*.[pt][yx]*"):
        file.chmod(0o600)
    subprocess.run(["make", "build"], cwd=folder, env=with_base(), check=True, capture_output=True)
    return folder


def test_every_case_gets_a_valid_prediction(built: Path, cohort: Path, tmp_path: Path) -> None:
    options = ("--challenge", "fomo25", "--data", cohort, "--submissions", built / "submission.yaml")
    ended = fomo_eval("run", *options, "--out", tmp_path / "run", "--gpus", "none")
    assert ended.code == 0, ended.err
    kept = records(tmp_path / "run")
    assert len(kept) == {"infarct": 4, "meningioma": 3, "brain_age": 4}[built.name]
    outcomes = {name: record["outcome"] for name, record in kept.items()}
    assert {each["ending"] for each in outcomes.values()} == {"ok"}, outcomes
    assert not any(each["notes"] for each in outcomes.values()), outcomes


def test_the_image_holds_the_model_and_nothing_else(built: Path) -> None:
    image = f"{TEAM}/{built.name.replace('_', '-')}:1"
    command = ["docker", "run", "--rm", "--network=none", "--user=65532:65532", "--entrypoint=ls", image, "-A", "/app"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert sorted(listed) == ["__pycache__", "predict.py", "requirements.txt"]
    inspected = subprocess.run(["docker", "image", "inspect", image], check=True, capture_output=True, text=True).stdout
    assert json.loads(inspected)[0]["Config"]["Labels"]["org.fomo-eval.contract"] == "1"


def test_it_is_valid_as_it_stands(built: Path) -> None:
    beside = Path(sys.executable).parent
    environment = {**with_base(), "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(
        ["make", "validate"], cwd=built, env=environment, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = ElementTree.parse(built / "validation.xml").getroot()
    assert {suite.get("failures") for suite in report.iter("testsuite")} == {"0"}
