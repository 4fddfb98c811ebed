"""``--runtime``: another OCI runtime is the plan's, the containers' and the records', or the run is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.specs.challenge import Challenge
from tests.support.commands import fomo_eval
from tests.support.datasets import write_tiny_data
from tests.support.images import script_image
from tests.support.runs import records, write_submission

pytestmark = pytest.mark.docker

ANOTHER = "io.containerd.runc.v2"
"""One that every engine has, under another name than its default."""


@pytest.fixture
def words(fomo25: Challenge, tmp_path: Path) -> list[str | Path]:
    write_tiny_data(tmp_path / "data", fomo25, ("case_1", "case_2"))
    image = script_image("import sys; open(sys.argv[-1], 'w').write('0.5')")
    write_submission(tmp_path / "submissions", "alpha", {"infarct": image})
    options: list[str | Path] = ["--challenge", "fomo25", "--data", tmp_path / "data", "--gpus", "none"]
    return ["run", *options, "--submissions", tmp_path / "submissions", "--out", tmp_path / "run"]


def test_a_runtime_reaches_plan_container_and_record(words: list[str | Path], tmp_path: Path) -> None:
    finished = fomo_eval(*words, "--runtime", ANOTHER)
    assert finished.code == 0, finished.err
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert [each["container"]["HostConfig"]["Runtime"] for each in plan["entries"]] == [ANOTHER]
    kept = records(tmp_path / "run").values()
    assert [record["container"]["HostConfig"]["Runtime"] for record in kept] == [ANOTHER] * 2
    changed = fomo_eval(*words)
    assert changed.code == 2
    assert "holds another plan: it differs in the image, command, options" in changed.err


def test_a_runtime_that_the_engine_does_not_have_is_refused(words: list[str | Path], tmp_path: Path) -> None:
    finished = fomo_eval(*words, "--runtime", "runsk")
    assert finished.code == 2
    assert "--runtime is 'runsk', which the engine does not have." in finished.err
    assert "Traceback" not in finished.err
    assert not (tmp_path / "run").exists()
