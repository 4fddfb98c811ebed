"""What was asked for is compared with what the engine says it applied: what it left out, changed or added is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engines import sandbox
from harness.specs.submission import SubmittedImage
from tests.contract.engine_contract import LIMITS, request_of
from tests.support.plans import image_facts

IMAGE = image_facts(SubmittedImage(image="alpha:1"))
Inspected = dict[str, Any]


@pytest.fixture
def asked(tmp_path: Path) -> sandbox.Configuration:
    request = request_of(replace(IMAGE, has_entrypoint=False), ("--output", "/output/prediction.txt"), tmp_path)
    return sandbox.container(request)


def told(asked: sandbox.Configuration) -> Inspected:
    """Describe a container as an engine does that applies everything: what is empty it leaves out or calls None."""
    fields = copy.deepcopy(asked)
    host = fields.pop("HostConfig")
    fields["Env"] = [*reversed(fields["Env"]), "PATH=/bin", "TEAM=alpha"]
    fields["Labels"]["of.the.image"] = "alpha"
    del host["Mounts"][1]["ReadOnly"]
    host = {name: value or None for name, value in host.items()} | {"Privileged": False, "OomScoreAdj": 0}
    return {"Config": fields, "HostConfig": host}


def test_an_engine_that_applies_everything_is_believed(asked: sandbox.Configuration) -> None:
    assert sandbox.dropped_options(asked, told(asked)) == []


def of(part: str, field: str, value: object) -> Callable[[Inspected], object]:
    return lambda inspected: inspected[part].__setitem__(field, value)


def added(part: str, field: str, value: object) -> Callable[[Inspected], object]:
    return lambda inspected: inspected[part][field].append(value)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("Image", of("Config", "Image", "sha256:another")),
        ("Entrypoint", of("Config", "Entrypoint", ["/evil"])),
        ("User", of("Config", "User", "")),
        ("Hostname", of("Config", "Hostname", "alpha")),
        ("Healthcheck", of("Config", "Healthcheck", {"Test": ["CMD", "true"]})),
        ("Cmd", of("Config", "Cmd", [])),
        ("Env", of("Config", "Env", ["HOME=/tmp"])),
        ("Env", added("Config", "Env", "NVIDIA_VISIBLE_DEVICES=all")),
        ("Labels", of("Config", "Labels", {})),
        ("NetworkMode", of("HostConfig", "NetworkMode", "bridge")),
        ("ReadonlyRootfs", of("HostConfig", "ReadonlyRootfs", False)),
        ("CapDrop", of("HostConfig", "CapDrop", None)),
        ("SecurityOpt", of("HostConfig", "SecurityOpt", None)),
        ("SecurityOpt", added("HostConfig", "SecurityOpt", "seccomp=unconfined")),
        ("PidsLimit", of("HostConfig", "PidsLimit", None)),
        ("Memory", of("HostConfig", "Memory", 0)),
        ("MemorySwap", of("HostConfig", "MemorySwap", -1)),
        ("Ulimits", of("HostConfig", "Ulimits", None)),
        ("Tmpfs", of("HostConfig", "Tmpfs", None)),
        ("Mounts", added("HostConfig", "Mounts", {"Type": "bind", "Source": "/", "Target": "/host"})),
        ("Privileged", of("HostConfig", "Privileged", True)),
        ("Binds", of("HostConfig", "Binds", ["/:/host"])),
        ("CapAdd", of("HostConfig", "CapAdd", ["SYS_ADMIN"])),
        ("Devices", of("HostConfig", "Devices", [{"PathOnHost": "/dev/kmsg"}])),
        ("DeviceRequests", of("HostConfig", "DeviceRequests", [{"Count": -1}])),
        ("DeviceCgroupRules", of("HostConfig", "DeviceCgroupRules", ["a *:* rwm"])),
        ("GroupAdd", of("HostConfig", "GroupAdd", ["0"])),
        ("PidMode", of("HostConfig", "PidMode", "host")),
        ("UTSMode", of("HostConfig", "UTSMode", "host")),
        ("UsernsMode", of("HostConfig", "UsernsMode", "host")),
        ("VolumesFrom", of("HostConfig", "VolumesFrom", ["other"])),
    ],
)
def test_what_an_engine_leaves_out_changes_or_adds_is_named(
    asked: sandbox.Configuration, field: str, change: Callable[[Inspected], object]
) -> None:
    inspected = told(asked)
    change(inspected)
    assert sandbox.dropped_options(asked, inspected) == [field]


def test_a_gpu_that_an_engine_drops_is_named(tmp_path: Path) -> None:
    asked = sandbox.container(replace(request_of(IMAGE, (), tmp_path), device="GPU-1"))
    inspected = told(asked)
    inspected["HostConfig"]["DeviceRequests"] = None
    assert sandbox.dropped_options(asked, inspected) == ["DeviceRequests"]


def test_a_plan_holds_all_but_what_is_one_container_s_own(tmp_path: Path) -> None:
    request = replace(request_of(IMAGE, (), tmp_path), device="GPU-1", runtime="runsc")
    asked = sandbox.container(request)
    planned = sandbox.configuration(IMAGE, None, LIMITS, runtime="runsc", device=sandbox.A_GPU)
    assert set(asked) - set(planned) == {"Cmd", "Labels"}
    differ = {name for name, value in planned["HostConfig"].items() if asked["HostConfig"][name] != value}
    assert differ == {"Mounts", "DeviceRequests"}
    assert [mount["Source"] for mount in planned["HostConfig"]["Mounts"]] == ["<one case>", "<its output>"]
    assert planned["HostConfig"]["DeviceRequests"][0]["DeviceIDs"] == ["<one GPU>"]
    assert "NVIDIA_VISIBLE_DEVICES=<one GPU>" in planned["Env"]


def test_a_record_holds_no_label_of_the_image(asked: sandbox.Configuration) -> None:
    kept = sandbox.in_force(asked, told(asked))
    assert kept["Labels"] == asked["Labels"]
    assert set(kept) == {*asked, "Entrypoint"}
    assert "TEAM=alpha" in kept["Env"]


@pytest.mark.parametrize(
    ("volumes", "why"),
    [
        (tuple(f"/{number}" for number in range(64)), ""),
        (tuple(f"/{number}" for number in range(65)), "the image declares 65 volumes, more than 64"),
        (("/" + "a" * 254,), ""),
        (("/" + "a" * 255,), "the image declares a volume whose path is longer than 255 characters"),
    ],
)
def test_of_an_image_s_volumes_number_and_length_are_bounded(volumes: tuple[str, ...], why: str) -> None:
    assert sandbox.refused(replace(IMAGE, volumes=volumes)) == why
