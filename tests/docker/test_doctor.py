"""``fomo-eval doctor`` on the real engine, without one, and on one that gives GPUs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.cohorts import REPOSITORY
from tests.support.commands import COMMAND, fomo_eval
from tests.support.gpu_engine import GpuEngine, gpu_engine
from tests.support.places import NO_ENGINE

pytestmark = pytest.mark.docker

CHECKS = ["versions", "engine", "permissions", "containers", "GPU", "engine's disk", "working disk", "memory", "clock"]
UUIDS = ("GPU-11111111-aaaa-bbbb-cccc-000000000001", "GPU-22222222-aaaa-bbbb-cccc-000000000002")
NVIDIA_SMI = f"""
case "$1" in
    --query-gpu=uuid) echo {UUIDS[0]}; echo {UUIDS[1]} ;;
    --query-gpu=driver_version) echo 550.54; echo 550.54 ;;
    *) exit 2 ;;
esac
"""


def nvidia_smi(folder: Path, script: str) -> str:
    """Write an nvidia-smi; return the PATH on which it is the only one."""
    command = folder / "bin" / "nvidia-smi"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return str(command.parent)


def examined(environment: Mapping[str, str], code: int) -> dict[str, dict[str, str]]:
    """Run doctor; return its findings by check, which must agree with its exit code."""
    ended = fomo_eval("doctor", "--format", "json", environment=environment)
    assert ended.code == code, ended
    assert ended.err == ""
    findings = json.loads(ended.out)["checks"]
    assert [each["name"] for each in findings] == CHECKS
    assert all(each["found"] for each in findings)
    assert all(each["remedy"] for each in findings if each["status"] == "failed")
    assert ("failed" in {each["status"] for each in findings}) is (code == 3)
    return {each["name"]: each for each in findings}


def doctors() -> list[str]:
    words = ["docker", "ps", "--all", "--quiet", "--filter", "name=^/fomo-eval-.*-doctor"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()


def test_on_an_engine_that_answers(tmp_path: Path) -> None:
    # Without any nvidia-smi, whatever this machine has.
    findings = examined({**os.environ, "PATH": str(tmp_path)}, 0)
    version = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True)
    assert version.stdout.strip() in findings["engine"]["found"]
    assert "cgroups by" in findings["engine"]["found"]
    assert findings["containers"]["status"] == findings["clock"]["status"] == "ok"
    assert findings["GPU"]["status"] == "warning"
    assert "--gpus none" in findings["GPU"]["remedy"]
    if os.getuid() == 0:
        assert "file system of limited size" in findings["permissions"]["found"]
    assert doctors() == []


def test_the_table_tells_the_same() -> None:
    ended = fomo_eval("doctor", environment={**os.environ, "COLUMNS": "200"})
    for name in CHECKS:
        assert f"\n{name} " in ended.out


def test_without_an_engine_it_says_what_is_wrong() -> None:
    findings = examined({**os.environ, "DOCKER_HOST": NO_ENGINE}, 3)
    assert findings["engine"]["status"] == "failed"
    assert NO_ENGINE in findings["engine"]["found"]
    assert "Install and start Docker" in findings["engine"]["remedy"]
    assert findings["containers"]["found"] == findings["engine's disk"]["found"] == "Not looked at: no engine answers."
    assert findings["versions"]["status"] == findings["clock"]["status"] == "ok"


@pytest.mark.parametrize("host", ["nonsense://", "tcp://127.0.0.1:1"])
def test_an_address_that_is_none_is_a_finding(host: str) -> None:
    assert examined({**os.environ, "DOCKER_HOST": host}, 3)["engine"]["status"] == "failed"


def test_a_driver_that_does_not_answer_fails(tmp_path: Path) -> None:
    findings = examined({**os.environ, "PATH": nvidia_smi(tmp_path, "exit 9")}, 3)
    assert "the driver does not answer" in findings["GPU"]["found"]


def test_a_gpu_that_the_engine_does_not_give_fails(tmp_path: Path) -> None:
    # Whether or not the machine has GPUs, it has not these.
    findings = examined({**os.environ, "PATH": nvidia_smi(tmp_path, NVIDIA_SMI)}, 3)
    assert UUIDS[0] in findings["GPU"]["found"]
    assert "nvidia-container-toolkit" in findings["GPU"]["remedy"]
    assert findings["containers"]["status"] == "ok"
    assert doctors() == []


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GpuEngine]:
    with gpu_engine(tmp_path_factory.mktemp("gpu")) as running:
        yield running


def test_each_gpu_is_given_to_a_container_once(engine: GpuEngine, tmp_path: Path) -> None:
    environment = {**engine.engine.environment, "PATH": nvidia_smi(tmp_path, NVIDIA_SMI)}
    findings = examined(environment, 0)
    assert findings["GPU"]["status"] == "ok"
    assert "2 with driver 550.54; the engine gives each to a container" in findings["GPU"]["found"]
    assert [each.devices for each in engine.given()] == [{uuid} for uuid in UUIDS]


BECOME_NOBODY = """
import os
from pathlib import Path
from harness.commands.doctor import CHECKS, Patient
os.setgroups([])
os.setgid(65533)
os.setuid(65533)
finding = CHECKS["permissions"](Patient(None, None, None, Path("/")))
print(finding.status.value, finding.found, finding.remedy)
"""


def test_who_may_not_use_the_socket_is_told_so() -> None:
    assert os.getuid() == 0, "this test becomes a user who may not use the engine: run it as root"
    # The check alone: nobody may not even read this Python's own modules on some machines.
    words = [COMMAND[0], "-c", BECOME_NOBODY]
    said = subprocess.run(words, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    assert said.startswith("failed /var/run/docker.sock: this user may not use the engine's socket.")
    assert "group 'docker'" in said
