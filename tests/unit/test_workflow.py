"""The workflow that examples/ offers for copying is the one that ``fomo-eval init`` writes, and does what it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.commands.init import init
from tests.support.cohorts import REPOSITORY

WORKFLOW = REPOSITORY / "examples" / "workflow"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    init(tmp_path / "start", challenge="fomo25", task="meningioma", team="my-team")
    return tmp_path / "start"


def workflow() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((WORKFLOW / "validate.yml").read_text())
    return content


def steps() -> list[dict[str, Any]]:
    (job,) = workflow()["jobs"].values()
    listed: list[dict[str, Any]] = job["steps"]
    return listed


def test_it_is_what_init_writes(written: Path) -> None:
    remedy = "copy what 'fomo-eval init --task meningioma' writes to examples/workflow"
    for name, place in (("validate.sh", "validate.sh"), ("validate.yml", ".github/workflows/validate.yml")):
        assert (WORKFLOW / name).read_bytes() == (written / place).read_bytes(), remedy
    assert os.access(WORKFLOW / "validate.sh", os.X_OK)


def test_it_may_do_no_more_than_it_must() -> None:
    assert workflow()["permissions"] == {"contents": "read"}
    assert workflow()["on"] == ["push", "pull_request"]
    assert "secrets" not in (WORKFLOW / "validate.yml").read_text()
    (checkout,) = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["persist-credentials"] is False


def test_actions_are_githubs_own_and_pinned_to_a_version() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert [name.partition("@")[0] for name in used] == [
        "actions/checkout", "actions/setup-python", "actions/upload-artifact",
    ]  # fmt: skip
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)


def test_what_it_runs_is_the_script() -> None:
    assert [step["run"] for step in steps() if "run" in step] == ["./validate.sh"]
    subprocess.run(["bash", "-n", WORKFLOW / "validate.sh"], check=True)
    # What the script asks of its surroundings is what the workflow sets, but for the base image.
    asked = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", (WORKFLOW / "validate.sh").read_text())) - {"REPORT", "BASH_SOURCE"}
    assert asked == {*workflow()["env"], "BASE_IMAGE"}
    upload = steps()[-1]
    assert (upload["if"], upload["with"]["path"]) == ("always()", "validation.xml")


def test_the_report_is_kept_out_of_the_image(written: Path) -> None:
    assert "validation.xml" in (written / ".dockerignore").read_text().splitlines()


STUB = '#!/bin/sh\necho "$(basename $0) $*" >> "$LOG"\n'


def run_script(written: Path, commands: list[str], *words: str, **variables: str) -> tuple[int, str, list[str]]:
    """Run the script where only these commands are there, each of which notes how it was called and does nothing."""
    folder, log = written.parent / "bin", written.parent / "log"
    folder.mkdir()
    for name in ("bash", "dirname", "basename"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    for name in commands:
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    environment = {"PATH": str(folder), "LOG": str(log), **variables}
    ended = subprocess.run(
        ["/usr/bin/bash", written / "validate.sh", *words], env=environment, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stderr, log.read_text().splitlines() if log.exists() else []


VARIABLES = {"IMAGE": "a/b:1", "TASK": "meningioma"}


def test_the_script_builds_and_validates(written: Path) -> None:
    code, said, called = run_script(written, ["docker", "fomo-eval", "python"], **VARIABLES, BASE_IMAGE="base")
    assert (code, said) == (0, "")
    assert called == [
        "docker build --build-arg BASE_IMAGE=base --tag a/b:1 .",
        "fomo-eval validate a/b:1 --task meningioma --challenge fomo25 --junit validation.xml",
    ]


def test_the_script_can_build_alone(written: Path) -> None:
    code, _, called = run_script(written, ["docker", "fomo-eval"], "--build-only", **VARIABLES)
    assert (code, called) == (0, ["docker build --tag a/b:1 ."])


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({}, "fomo-eval is not installed; install it, or set FOMO_EVAL"),
        ({"FOMO_EVAL": workflow()["env"]["FOMO_EVAL"]}, "set it in .github/workflows/validate.yml"),
    ],
    ids=["unset", "as it comes"],
)
def test_the_script_says_where_fomo_eval_is_to_come_from(written: Path, variables: dict[str, str], what: str) -> None:
    code, said, called = run_script(written, ["docker", "python"], **VARIABLES, **variables)
    assert code == 2
    assert what in said
    assert len(called) == 1


def test_the_script_installs_what_is_named(written: Path) -> None:
    _, _, called = run_script(written, ["docker", "python"], **VARIABLES, FOMO_EVAL="git+https://example.org/f@v1")
    assert "python -m pip install --quiet git+https://example.org/f@v1" in called
