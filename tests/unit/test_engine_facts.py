"""What Docker engines tell of themselves, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.engines.docker_facts import engine_facts

INFO = {"NCPU": 2, "MemTotal": 1 << 30, "Runtimes": {"runc": {}, "nvidia": {}}}
VERSION = {"Version": "20.10.24", "Os": "linux", "Arch": "amd64"}


def test_an_engine_that_tells_little_is_described() -> None:
    facts = engine_facts("docker", INFO, VERSION, shares_mounts=False)
    assert (facts.platform, facts.runtimes, facts.unbounded, facts.clock) == (
        "linux/amd64", ("nvidia", "runc"), (), None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "field", "expected"),
    [
        ({"SwapLimit": False, "MemoryLimit": True}, "unbounded", ("swap",)),
        ({"PidsLimit": False, "MemoryLimit": False}, "unbounded", ("memory", "processes")),
        ({"CgroupDriver": "systemd", "CgroupVersion": "2"}, "cgroups", "systemd, version 2"),
        (
            {"SystemTime": "2026-11-24T16:44:51.952046961Z"},
            "clock",
            datetime(2026, 11, 24, 16, 44, 51, 952046, tzinfo=UTC),
        ),
        ({"SystemTime": "0001"}, "clock", None),
        ({"DiscoveredDevices": None}, "cdi_devices", ()),
        (
            {"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}, {"Source": "other", "ID": "x"}]},
            "cdi_devices",
            ("nvidia.com/gpu=0",),
        ),
    ],
)
def test_what_an_engine_tells_is_taken_over(more: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(engine_facts("docker", INFO | more, VERSION, shares_mounts=True), field) == expected
