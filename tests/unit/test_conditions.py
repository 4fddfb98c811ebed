"""The hash of the conditions under which an image meets a task, and that a run lifts none of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines import sandbox
from harness.engines.engine import Relaxation, RunRequest
from harness.records.plan import Plan
from harness.specs.challenge import Challenge
from harness.specs.submission import SubmittedImage
from tests.contract.engine_contract import LIMITS
from tests.support.datasets import write_tiny_data
from tests.support.plans import all_cases, image_facts, make_plan, submission


@pytest.fixture
def data(tmp_path: Path, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path, fomo25)


def plan_of(challenge: Challenge, data: Path, *, title: str = "", track: str = "method", **more: float) -> Plan:
    entered = submission("alpha", "infarct", track=track, title=title)
    return make_plan(challenge, all_cases(challenge, data, "infarct"), entered, **more)  # type: ignore[arg-type]


def test_neither_who_enters_nor_the_cases_nor_the_seed_change_them(fomo25: Challenge, data: Path) -> None:
    before = plan_of(fomo25, data)
    renamed = before.entries[0].model_copy(update={"team": "beta", "baseline": True})
    fewer = before.tasks[0].model_copy(update={"cases": before.tasks[0].cases[:1]})
    after = plan_of(fomo25, data, title="Alpha", track="open", seed=7)
    others = before.model_copy(update={"entries": (renamed,), "tasks": (fewer,)})
    assert {*before.conditions.values(), *after.conditions.values(), *others.conditions.values()} == {
        before.conditions["method/alpha/infarct"]
    }


def test_image_limits_and_spec_change_them(fomo25: Challenge, data: Path) -> None:
    before = plan_of(fomo25, data)
    entry, task = before.entries[0], before.tasks[0]
    changed = [
        before.model_copy(update={"entries": (entry.model_copy(update=what),)})
        for what in (
            {"image": entry.image.model_copy(update={"id": "sha256:another"})},
            {"command": ("python",)},
            {"container": {**entry.container, "User": "1:1"}},
        )
    ]
    spec = task.spec.model_copy(update={"description": "another"})
    changed += [
        plan_of(fomo25, data, seconds=7.0),
        before.model_copy(update={"tasks": (task.model_copy(update={"spec": spec}),)}),
    ]
    hashes = [next(iter(each.conditions.values())) for each in (before, *changed)]
    assert len(set(hashes)) == len(hashes)


def test_the_configuration_names_no_team_and_no_case(fomo25: Challenge, data: Path) -> None:
    plan = plan_of(fomo25, data, title="A title of its own")
    text = str({name: value for name, value in plan.entries[0].container.items() if name != "Image"})
    assert not any(word in text for word in ("alpha", "title", "case_1", "infarct", "method"))


def request() -> RunRequest:
    image = image_facts(SubmittedImage(image="alpha:1"))
    return RunRequest("name", {}, image, None, (), Path("/in"), Path("/out"), LIMITS)


@pytest.mark.parametrize(
    ("relaxed", "lifted"),
    [
        (Relaxation.NETWORK, {"NetworkMode": "bridge"}),
        (Relaxation.WRITABLE, {"ReadonlyRootfs": False}),
        (Relaxation.ROOT, {"CapAdd": ["CAP_DAC_OVERRIDE"]}),
    ],
)
def test_a_relaxation_lifts_one_restriction_and_keeps_all_others(
    relaxed: Relaxation, lifted: dict[str, object]
) -> None:
    strict = sandbox.container(request())
    assert strict["HostConfig"]["CapAdd"] == []
    loose = sandbox.container(replace(request(), relaxed=frozenset({relaxed})))
    assert loose["HostConfig"] == {**strict["HostConfig"], **lifted}
    assert loose["User"] == ("0:0" if relaxed is Relaxation.ROOT else strict["User"])
    assert {**loose, "HostConfig": 0, "User": 0} == {**strict, "HostConfig": 0, "User": 0}
