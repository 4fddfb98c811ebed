"""What a container may and may not do, as it finds out itself."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engines.docker import DockerEngine
from harness.engines.sandbox import container_user
from tests.contract.engine_contract import LIMITS
from tests.support.behaviours import ask_of, behaviours_image
from tests.support.commands import fomo_eval
from tests.support.images import script_image

pytestmark = pytest.mark.docker

LOOK = r"""
import os, sys
print(sys.argv, os.environ, os.uname(), os.listdir("/input"), os.listdir("/output"), os.listdir("/tmp"))
print(open("/proc/self/mountinfo").read(), open("/proc/self/cgroup").read(), open("/proc/self/cmdline").read())
open(sys.argv[sys.argv.index("--output") + 1], "w").write("0.5")
"""


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a container tells of itself."""
    folder = tmp_path_factory.mktemp("inside")
    with DockerEngine() as engine:
        result = engine.run(ask_of(engine, behaviours_image(), folder)("describe"))
    assert result.exit_code == 0, result
    told: dict[str, Any] = json.loads(result.log)
    return told


def test_it_is_not_root_and_cannot_become_root(inside: dict[str, Any]) -> None:
    uid, gid = container_user()
    assert uid != 0
    assert inside["ids"] == [[uid] * 3, [gid] * 3, [gid]] or inside["ids"] == [[uid] * 3, [gid] * 3, []]
    none = "0" * 16
    status = {"NoNewPrivs": "1", "CapEff": none, "CapPrm": none, "CapBnd": none, "Seccomp": "2"}
    assert inside["status"] == status


def test_it_can_write_to_output_and_scratch_alone(inside: dict[str, Any]) -> None:
    # /declared is a VOLUME of the image: scratch space as well, gone with the container.
    assert inside["writable"] == ["/tmp", "/dev/shm", "/output", "/declared"]
    assert inside["runs_from_tmp"]


def test_a_declared_volume_is_covered_and_leaves_nothing_behind(tmp_path: Path) -> None:
    fill = "import os; os.mkdir('/w'); os.chmod('/w', 0o777); open('/w/weights', 'w').write('0.75')"
    lines = f'RUN ["python", "-c", "{fill}"]\nVOLUME /w\nENTRYPOINT ["python", "/app/predict.py"]'
    script = "import os, sys; print(os.listdir('/w')); open('/w/kept', 'w')"
    image = script_image(script, lines=lines)
    with DockerEngine() as engine:
        before = volumes()
        request = replace(ask_of(engine, image, tmp_path)(), arguments=())
        for _ in range(2):
            result = engine.run(request)
            assert (result.exit_code, result.log) == (0, b"[]\n")
        assert volumes() == before


def volumes() -> list[str]:
    return subprocess.run(
        ["docker", "volume", "ls", "--quiet"], capture_output=True, text=True, check=True
    ).stdout.split()


def test_it_has_no_network(inside: dict[str, Any]) -> None:
    assert inside["interfaces"] == ["lo"]
    assert inside["egress"] == "OSError 101"


def test_its_processes_are_bounded(inside: dict[str, Any]) -> None:
    assert LIMITS.processes - 5 < inside["children"] < LIMITS.processes


def test_its_environment_says_nothing_of_where_it_runs(inside: dict[str, Any]) -> None:
    environment = inside["environment"]
    assert environment["HOME"] == "/tmp"
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert inside["hostname"] == environment["HOSTNAME"] == "case"


def test_it_is_told_neither_case_nor_team(cohort: Path, tmp_path: Path) -> None:
    submission = tmp_path / "submission.yaml"
    image = script_image(LOOK)
    submission.write_text(f"team: zebrafish\ntrack: open\nimages: {{infarct: '{image}'}}\n")
    words: list[str | Path] = ["run", "--challenge", "fomo25", "--data", cohort, "--submissions", submission]
    words += ["--out", tmp_path / "run", "--tasks", "infarct", "--gpus", "none"]
    finished = fomo_eval(*words)
    assert finished.code == 0, finished.err
    logs = sorted(tmp_path.glob("run/logs/**/*.log"))
    assert len(logs) == 4
    seen = "".join(path.read_text() for path in logs)
    assert "/input/flair.nii.gz" in seen
    for secret in ("zebrafish", *(path.stem for path in logs), str(cohort), "label.txt"):
        assert secret not in seen
