"""What is checked of an engine before the first case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines.docker_facts import filters_system_calls
from harness.engines.engine import EngineFacts
from harness.errors import DiskFull, EngineFault, EngineUnavailable, UsageError
from harness.execution import preflight
from harness.records.plan import Plan
from harness.specs.challenge import Challenge
from tests.support.datasets import write_tiny_data
from tests.support.plans import all_cases, make_plan, submission
from tests.support.specs import one_line

DOCKER = EngineFacts(
    name="docker",
    version="20.10.24+dfsg1",
    platform="linux/amd64",
    cpus=4,
    memory_bytes=8 << 30,
    runtimes=("runc", "runsc"),
    filters_system_calls=True,
)
WITHOUT_SPACE = Path("/proc")
"""A file system that has no room for anything."""


@pytest.mark.parametrize("version", ["20.10", "20.10.24+dfsg1", "28.5.2", "100.0.1-rc.1"])
def test_an_engine_that_is_recent_enough_will_do(version: str) -> None:
    preflight.require_engine(replace(DOCKER, version=version), None)


@pytest.mark.parametrize("version", ["19.03.15", "20.9.9", "1.13.1"])
def test_an_engine_that_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        preflight.require_engine(replace(DOCKER, version=version), None)
    assert one_line(caught.value) == f"The Docker engine is version {version}. Install 20.10 or newer."


def test_a_runtime_that_the_engine_has_will_do() -> None:
    preflight.require_engine(DOCKER, "runsc")


def test_a_runtime_that_the_engine_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        preflight.require_engine(DOCKER, "runcs")
    assert one_line(caught.value).startswith("--runtime is 'runcs', which the engine does not have. Did you mean 'run")


def test_an_engine_that_filters_no_system_calls_is_refused() -> None:
    with pytest.raises(EngineFault, match="does not filter the system calls") as caught:
        preflight.require_engine(replace(DOCKER, filters_system_calls=False), None)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("security", "filters"),
    [
        (["name=seccomp,profile=default"], True),
        (["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"], True),
        (["name=seccomp,profile=/etc/docker/seccomp.json"], True),
        (["name=seccomp"], True),
        (["name=apparmor", "name=seccomp,profile=unconfined"], False),
        (["name=apparmor", "name=rootless"], False),
        ([], False),
    ],
)
def test_what_an_engine_says_of_system_calls(security: list[str], filters: bool) -> None:
    assert filters_system_calls(security) is filters


@pytest.fixture
def plan(fomo25: Challenge, tmp_path: Path) -> Plan:
    write_tiny_data(tmp_path / "data", fomo25, ("case_1",))
    return make_plan(fomo25, all_cases(fomo25, tmp_path / "data", "infarct"), submission("alpha", "infarct"))


def test_room_for_the_cases_side_by_side_is_required_where_the_run_will_lie(plan: Plan, tmp_path: Path) -> None:
    out = tmp_path / "not" / "there" / "yet"
    preflight.require_space(out, plan, 1)
    with pytest.raises(DiskFull) as caught:
        preflight.require_space(out, plan, 1 << 40)
    message = one_line(caught.value)
    assert message.startswith(f"{out}: ")
    assert "GiB are needed. Free space, or choose another folder: with --out" in message


def test_room_is_required_where_the_engine_keeps_logs_and_layers(tmp_path: Path) -> None:
    preflight.require_engine_space(DOCKER)  # elsewhere: nobody here can tell
    preflight.require_engine_space(replace(DOCKER, storage=tmp_path))
    with pytest.raises(DiskFull) as caught:
        preflight.require_engine_space(replace(DOCKER, storage=WITHOUT_SPACE))
    assert one_line(caught.value) == (
        "/proc: 0.0 GiB are free, and 1.0 GiB are needed. Free space, or remove images that nobody needs."
    )
