"""The plan: its hash says what can change a result, and a run accepts additions and nothing else."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RunDirectoryError
from harness.execution.plan import extend, shuffled
from harness.records.plan import Plan
from harness.specs.challenge import Challenge
from tests.support.datasets import volume_of, write_inputs, write_tiny_data
from tests.support.plans import MACHINE, all_cases, make_plan, submission
from tests.support.specs import one_line

TASKS = ("infarct", "meningioma", "brain_age")
ALPHA = submission("alpha", *TASKS)
BETA = submission("beta", "infarct", "meningioma", track="open")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    return write_tiny_data(tmp_path_factory.mktemp("data") / "data", fomo25)


def plan_of(challenge: Challenge, root: Path, *submissions: Any, tasks: tuple[str, ...] = TASKS, **more: Any) -> Plan:
    return make_plan(challenge, all_cases(challenge, root, *tasks), *(submissions or (ALPHA, BETA)), **more)


def with_spec(challenge: Challenge, task: str, **changes: Any) -> Challenge:
    tasks = tuple(each.model_copy(update=changes) if each.name == task else each for each in challenge.tasks)
    return replace(challenge, tasks=tasks)


def test_the_order_of_submissions_changes_nothing(fomo25: Challenge, root: Path) -> None:
    assert plan_of(fomo25, root, BETA, ALPHA) == plan_of(fomo25, root, ALPHA, BETA)


def test_where_the_data_lie_and_when_they_were_written_change_no_hash(
    fomo25: Challenge, root: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(root, tmp_path / "elsewhere")
    for path in copy.rglob("*.nii.gz"):
        os.utime(path, ns=(1, 1))
    assert plan_of(fomo25, copy).hash == plan_of(fomo25, root).hash


def test_a_title_changes_no_hash(fomo25: Challenge, root: Path) -> None:
    titled = submission("alpha", *TASKS, title="The Alphas")
    assert plan_of(fomo25, root, titled).hash == plan_of(fomo25, root, ALPHA).hash


def test_what_can_change_a_result_changes_the_hash(fomo25: Challenge, root: Path, tmp_path: Path) -> None:
    other_data = shutil.copytree(root, tmp_path / "other")
    write_inputs(other_data, fomo25.task("infarct"), "case_2", seed=77)
    image = ALPHA.images["infarct"].model_copy(update={"image": "alpha:2"})
    hashes = {
        "as it is": plan_of(fomo25, root, ALPHA).hash,
        "image": plan_of(fomo25, root, ALPHA.model_copy(update={"images": {**ALPHA.images, "infarct": image}})).hash,
        "command": plan_of(
            fomo25,
            root,
            ALPHA.model_copy(
                update={
                    "images": {
                        **ALPHA.images,
                        "infarct": ALPHA.images["infarct"].model_copy(update={"command": ("x",)}),
                    }
                }
            ),
        ).hash,
        "baseline": plan_of(fomo25, root, submission("alpha", *TASKS, baseline=True)).hash,
        "team": plan_of(fomo25, root, submission("alphb", *TASKS)).hash,
        "track": plan_of(fomo25, root, submission("alpha", *TASKS, track="open")).hash,
        "tasks": plan_of(fomo25, root, ALPHA, tasks=("infarct",)).hash,
        "time limit": plan_of(fomo25, root, ALPHA, seconds=60).hash,
        "smaller machine": plan_of(fomo25, root, ALPHA, machine=replace(MACHINE, cpus=1)).hash,
        "gpu": plan_of(fomo25, root, ALPHA, gpu=True).hash,
        "seed": plan_of(fomo25, root, ALPHA, seed=1).hash,
        "a volume": plan_of(fomo25, other_data, ALPHA).hash,
        "spec": plan_of(with_spec(fomo25, "infarct", description="another"), root, ALPHA).hash,
        "another team": plan_of(fomo25, root, ALPHA, BETA).hash,
    }
    assert len(set(hashes.values())) == len(hashes)


def test_a_plan_survives_being_written(fomo25: Challenge, root: Path) -> None:
    plan = plan_of(fomo25, root)
    again = Plan.model_validate_json(plan.model_dump_json())
    assert (again, again.hash) == (plan, plan.hash)


def test_limits_are_capped_at_what_the_machine_has(fomo25: Challenge, root: Path) -> None:
    limits = plan_of(fomo25, root, machine=replace(MACHINE, cpus=2, memory_bytes=1 << 30)).task("infarct").limits
    assert (limits.cpus, limits.memory_bytes, limits.shared_memory_bytes) == (2, 1 << 30, 1 << 30)
    assert limits.seconds == 120


def test_cases_are_in_one_order_for_every_team_and_another_for_another_seed(fomo25: Challenge, root: Path) -> None:
    cases = list(all_cases(fomo25, root, "infarct")["infarct"]) * 5
    assert shuffled(cases, 0, "infarct") == shuffled(cases, 0, "infarct")
    assert shuffled(cases, 0, "infarct") != shuffled(cases, 1, "infarct")


def test_the_same_command_again_is_the_same_plan(fomo25: Challenge, root: Path) -> None:
    plan = plan_of(fomo25, root)
    assert extend(None, plan) == plan
    assert extend(plan, plan_of(fomo25, root)) == plan


def test_a_part_of_the_run_is_the_same_plan(fomo25: Challenge, root: Path) -> None:
    plan = plan_of(fomo25, root)
    assert extend(plan, plan_of(fomo25, root, BETA, tasks=("meningioma",))) == plan


def test_teams_and_tasks_may_be_added_in_any_order(fomo25: Challenge, root: Path) -> None:
    whole = plan_of(fomo25, root)
    by_team = extend(plan_of(fomo25, root, BETA, tasks=("infarct", "meningioma")), plan_of(fomo25, root, ALPHA))
    by_task = plan_of(fomo25, root, tasks=("brain_age",))
    for name in ("meningioma", "infarct"):
        by_task = extend(by_task, plan_of(fomo25, root, tasks=(name,)))
    assert by_team == by_task == whole
    assert by_team.hash == by_task.hash == whole.hash


def test_a_new_title_is_taken_over(fomo25: Challenge, root: Path) -> None:
    titled = plan_of(fomo25, root, submission("alpha", *TASKS, title="The Alphas"), BETA)
    assert {entry.title for entry in extend(plan_of(fomo25, root), titled).entries} == {"The Alphas", "beta"}


def refusal(kept: Plan, new: Plan) -> str:
    with pytest.raises(RunDirectoryError) as caught:
        extend(kept, new)
    said = one_line(caught.value)
    assert said.startswith("The run directory holds another plan: it differs in ")
    assert said.endswith("Run the same command as before, or choose a new --out.")
    return said.removeprefix("The run directory holds another plan: it differs in ")


def test_another_image_is_refused(fomo25: Challenge, root: Path) -> None:
    image = ALPHA.images["infarct"].model_copy(update={"image": "alpha:2"})
    other = ALPHA.model_copy(update={"images": {**ALPHA.images, "infarct": image}})
    said = refusal(plan_of(fomo25, root), plan_of(fomo25, root, other))
    assert said.startswith("the image, command, options or baseline flag of team 'alpha' for infarct (method track).")


def test_other_limits_are_refused_with_both_values(fomo25: Challenge, root: Path) -> None:
    said = refusal(plan_of(fomo25, root), plan_of(fomo25, root, seconds=60))
    assert said.startswith("the limits of infarct ('seconds': 120.0, now 60.0) and 2 more.")


def test_other_volumes_are_refused_with_their_case(fomo25: Challenge, root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "other")
    write_inputs(other, fomo25.task("infarct"), "case_2", seed=77)
    assert refusal(plan_of(fomo25, root), plan_of(fomo25, other)).startswith("the cases of infarct ('case_2').")


def test_a_case_more_or_less_is_refused(fomo25: Challenge, root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "other")
    folder = fomo25.task("infarct").files.folder
    shutil.rmtree(other / folder / "labels" / "case_3")
    shutil.rmtree(volume_of(other, fomo25.task("infarct"), "case_3", "adc").parent)
    assert refusal(plan_of(fomo25, root), plan_of(fomo25, other)).startswith("the cases of infarct ('case_3' is gone).")
    assert refusal(plan_of(fomo25, other), plan_of(fomo25, root)).startswith("the cases of infarct ('case_3' is new).")


def test_another_seed_spec_or_challenge_is_refused(fomo25: Challenge, root: Path) -> None:
    plan = plan_of(fomo25, root)
    assert refusal(plan, plan_of(fomo25, root, seed=7)).startswith("the seed (0, now 7).")
    spec = with_spec(fomo25, "infarct", title="Strokes")
    assert refusal(plan, plan_of(spec, root)).startswith(
        "the task spec of infarct ('title': Infarct classification, now Strokes)."
    )
    challenge = replace(fomo25, spec=fomo25.spec.model_copy(update={"title": "Another"}))
    assert refusal(plan, plan_of(challenge, root)).startswith("the challenge spec of fomo25.")


def test_an_extended_plan_has_a_hash_of_its_own(fomo25: Challenge, root: Path) -> None:
    kept, new = plan_of(fomo25, root), plan_of(fomo25, root, ALPHA.model_copy(update={"team": "gamma"}))
    assert kept.hash != new.hash
    both = extend(kept, new)
    assert both.hash not in (kept.hash, new.hash)
    assert both.hash == Plan.model_validate_json(both.model_dump_json()).hash
