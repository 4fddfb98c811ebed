"""Hostile images, run as a challenge runs them: each ends as it must, and harms neither the machine nor the others."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines import docker_images
from harness.engines.docker import LOG_BYTES, DockerEngine
from harness.engines.engine import RUN_LABEL
from harness.engines.outcome import Blame, Ending, Outcome, Refusal
from harness.errors import ImageUnavailable
from tests.support import adversarial
from tests.support.adversarial import ATTACKS, Attack, Ended, attack_image
from tests.support.adversarial_runs import (
    CASE,
    HONEST,
    HONEST_LINES,
    HONEST_TRIALS,
    MIB,
    OUTPUT_MIB,
    SECONDS,
    STRANGER,
    TEMPORARY,
    Attacked,
    attack,
    place_for,
    run_honest,
)
from tests.support.commands import fomo_eval
from tests.support.runs import write_submission

pytestmark = pytest.mark.docker

WATCHED = [each for each in ATTACKS if each.watched]
AS_STRANGER = [
    *WATCHED,
    *(
        each
        for each in ATTACKS
        if each.name
        in (
            "closed_file",
            "setuid_file",
            "volumes",
            "folders_of_root",
            "many_volumes",
            "long_volume",
            "full_disk_folder",
        )
    ),
]
UNCONFINED = {
    "egress": [],
    "escalation": [],
    "writing": ["--tmpfs=/input"],
    "remembering": [],
}
SUCCEEDED = 66
MOST_MEMORY = 512 * MIB
"""Of the harness: five times what it takes to start, and a twentieth of what the bombs hold."""
MOST_DISK = 1024 * MIB
"""Of the whole machine, on which others may write as well."""
KILLED_WITHIN_S = 3.0


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    """A finished run of every attack, by whoever runs the tests."""
    with place_for(os.getuid()) as folder:
        yield attack(folder, ATTACKS)


@pytest.fixture(scope="module")
def by_a_stranger() -> Iterator[Attacked]:
    """A finished run by a user who is not root, of the attacks for which that makes a difference."""
    user = STRANGER if os.getuid() == 0 else os.getuid()
    with place_for(user) as folder:
        yield attack(folder, AS_STRANGER, user=STRANGER if os.getuid() == 0 else None)


def ended(record: dict[str, dict[str, str]]) -> Ended:
    outcome = record["outcome"]
    refusal = Refusal(outcome["refusal"]) if outcome["refusal"] else None
    return Ended(Ending(outcome["ending"]), refusal)


def expect(attacked: Attacked, one: Attack, expected: Ended) -> None:
    kept = attacked.records(one.team)
    assert len(kept) == (2 if one.task == "infarct" else 1)
    for record in kept:
        log = b"\n".join(attacked.logs(one.team))[-500:]
        assert ended(record) == expected, (record["outcome"], record["exit_code"], log)
        assert record["outcome"]["blame"] == Outcome(expected.ending).blame
        assert record["spans"].get("container", 0.0) < SECONDS + KILLED_WITHIN_S
        assert record["spans"].get("collect", 0.0) + record["spans"].get("verify", 0.0) < KILLED_WITHIN_S


@pytest.mark.parametrize("one", ATTACKS, ids=lambda one: one.team)
def test_an_attack_ends_as_the_table_says(attacked: Attacked, one: Attack) -> None:
    as_root = os.getuid() == 0
    expect(attacked, one, one.ended if as_root or one.watched is None else one.watched)


@pytest.mark.parametrize("one", AS_STRANGER, ids=lambda one: one.team)
def test_an_attack_that_is_watched_ends_as_the_table_says(by_a_stranger: Attacked, one: Attack) -> None:
    expect(by_a_stranger, one, one.watched or one.ended)


def test_no_attack_counts_against_the_machine_or_keeps_the_run_from_its_end(attacked: Attacked) -> None:
    assert "Traceback" not in attacked.err
    board = json.loads((attacked.out / "leaderboard.json").read_text())
    rows = {row["team"]: row for track in board["tracks"] for row in track["rows"]}
    assert set(rows) == {HONEST, *(each.team for each in ATTACKS)}
    assert not any(task["provisional"] for row in rows.values() for task in row["tasks"].values())


@pytest.mark.parametrize("runner", ["attacked", "by_a_stranger"])
def test_honest_images_are_unaffected_beside_and_after_attacks(request: pytest.FixtureRequest, runner: str) -> None:
    run: Attacked = request.getfixturevalue(runner)
    user = STRANGER if runner == "by_a_stranger" and os.getuid() == 0 else None
    afterwards = run_honest(run.out.parent, user=user)
    assert afterwards.code == 0, afterwards.err
    beside = run.records(HONEST)
    assert len(beside) == 2 * HONEST_TRIALS
    for record in (*beside, *afterwards.records(HONEST)):
        assert record["outcome"]["ending"] == "ok", record["outcome"]
        assert record["attempt"] == 1
        assert record["spans"]["container"] < SECONDS


@pytest.mark.parametrize("runner", ["attacked", "by_a_stranger"])
def test_memory_and_disk_stay_bounded(request: pytest.FixtureRequest, runner: str) -> None:
    run: Attacked = request.getfixturevalue(runner)
    assert 0 < run.cost.memory < MOST_MEMORY
    # Two containers side by side may fill their output; the watch looks ten times a second.
    assert 0 < run.cost.run_folder < 2 * OUTPUT_MIB * MIB + MOST_DISK // 4
    assert run.cost.disk < MOST_DISK


@pytest.mark.parametrize("runner", ["attacked", "by_a_stranger"])
def test_nothing_is_left_of_a_run_but_its_results(request: pytest.FixtureRequest, runner: str) -> None:
    run: Attacked = request.getfixturevalue(runner)
    identity = json.loads((run.out / "run.json").read_text())["id"]
    assert docker("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}={identity}") == ""
    assert not (run.out / "work").exists()
    assert list((run.out.parent / TEMPORARY).iterdir()) == []
    assert os.fspath(run.out.parent) not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("runner", ["attacked", "by_a_stranger"])
def test_predictions_are_plain_files_of_the_callers(request: pytest.FixtureRequest, runner: str) -> None:
    run: Attacked = request.getfixturevalue(runner)
    user = STRANGER if runner == "by_a_stranger" and os.getuid() == 0 else os.getuid()
    everything = [path.lstat() for path in run.out.rglob("*")]
    assert {status.st_uid for status in everything} == {user}
    predictions = [path for path in (run.out / "predictions").rglob("*") if not path.is_dir()]
    assert {path.lstat().st_mode for path in predictions} == {0o100644}
    assert {path.read_bytes() for path in predictions if path.name.endswith("txt")} >= {b"0.5"}
    for path in predictions:
        if "setuid_file" in str(path) or "changing_child" in str(path):
            assert path.read_bytes() == b"0.5"


def test_a_child_that_was_killed_is_noted(attacked: Attacked) -> None:
    (record,) = attacked.records("machine.memory_bomb_in_a_child")
    assert record["outcome"]["notes"] == ["a child process was killed at the memory limit"]


def test_a_pretended_kill_counts_once_it_came_each_time(attacked: Attacked) -> None:
    (record,) = attacked.records("machine.pretended_kill")
    assert (record["exit_code"], record["attempt"]) == (137, 4)
    assert record["outcome"]["detail"] == "exit code 137: killed in 4 attempts, so it ended itself"


def test_what_is_kept_of_logs_is_bounded(attacked: Attacked) -> None:
    for team in ("machine.log_flood", "machine.log_flood_in_one_line"):
        (log,) = attacked.logs(team)
        assert LOG_BYTES // 2 < len(log) <= LOG_BYTES


def test_nothing_that_it_sees_tells_case_team_or_data(attacked: Attacked) -> None:
    (log,) = attacked.logs("sandbox.looking")
    assert b"/input/t1.nii.gz" in log
    assert b"/output" in log
    for secret in (CASE, "sandbox.looking", os.fspath(attacked.data), "label.txt", "brain_age", HONEST):
        assert secret.encode() not in log


@pytest.mark.parametrize("name", UNCONFINED)
def test_without_the_sandbox_they_succeed(name: str) -> None:
    (one,) = (each for each in ATTACKS if (each.script, each.name) == ("sandbox", name))
    container = docker("create", *UNCONFINED[name], attack_image(one.lines), "/tmp/prediction")
    try:
        for _ in range(2):  # a second time, to find what the first left
            subprocess.run(["docker", "start", "--attach", container], capture_output=True, check=False)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", container) == str(SUCCEEDED)
    finally:
        docker("rm", "--force", "--volumes", container)


def test_labels_neither_hide_nor_expose_a_container(attacked: Attacked) -> None:
    """An image that bears a run's own label is somebody else's container until this run has named it."""
    identity = json.loads((attacked.out / "run.json").read_text())["id"]
    image = attack_image(f'{HONEST_LINES}LABEL {RUN_LABEL}="{identity}"')
    stranger = docker("create", image)
    try:
        with DockerEngine() as engine:
            engine.remove_leftovers(identity)
        assert docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"id={stranger}") == stranger
    finally:
        docker("rm", "--force", stranger)
    (record,) = attacked.records("image.spoofed_labels")
    assert record["run"] == identity


@pytest.fixture
def victim() -> Iterator[str]:
    """A tag that is another team's."""
    tag = "fomo-eval-test/victim:1"
    docker("tag", attack_image(HONEST_LINES), tag)
    yield tag
    docker("rmi", tag)


@pytest.mark.parametrize("listing", ["manifest.json", "./manifest.json", "link", "folder behind a link"])
def test_an_archive_cannot_take_another_teams_name(
    tmp_path: Path, attacked: Attacked, victim: str, listing: str
) -> None:
    archive = stealing(tmp_path, victim, listing)
    write_submission(archive.parent, "thief", {"infarct": {"archive": archive.name}})
    folder = attacked.out.parent
    options = ("--challenge", folder / "challenge", "--data", attacked.data, "--gpus", "none")
    words = ("run", *options, "--submissions", archive.parent, "--out", tmp_path / "run", "--dry-run")
    finished = fomo_eval(*words)
    # What is no archive of Docker's without its trick is refused.
    assert finished.code == (0 if listing.endswith(".json") else 3), finished.err
    assert "Traceback" not in finished.err
    assert image_id(victim) == image_id(attack_image(HONEST_LINES))


def test_a_name_that_an_archive_has_taken_is_given_back(
    tmp_path: Path, victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = stealing(tmp_path, victim, "manifest.json")
    monkeypatch.setattr(docker_images, "without_names", lambda path: path.open("rb"))
    with DockerEngine() as engine, pytest.raises(ImageUnavailable, match=f"took the name {victim}") as caught:
        engine.load_archive(archive)
    assert str(archive) in str(caught.value)
    assert image_id(victim) == image_id(attack_image(HONEST_LINES))


def test_a_name_that_nobody_had_is_taken_away_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "fomo-eval-test/never-built:2"
    archive = stealing(tmp_path, name, "manifest.json")
    monkeypatch.setattr(docker_images, "without_names", lambda path: path.open("rb"))
    with DockerEngine() as engine, pytest.raises(ImageUnavailable, match=f"took the name {name}"):
        engine.load_archive(archive)
    assert docker("images", "--quiet", name) == ""


def stealing(folder: Path, name: str, listing: str) -> Path:
    """Write a saved image that claims a name, in a list that lies where it is or where a link leads to."""
    saved, target = folder / "saved.tar", folder / "submissions" / "image.tar"
    docker("save", "--output", os.fspath(saved), attack_image(adversarial.ATTACKS[0].lines))
    target.parent.mkdir()
    with tarfile.open(saved) as source, tarfile.open(target, "w") as changed:
        for member in source:
            content = source.extractfile(member) if member.isreg() else None
            if member.name == "manifest.json" and content is not None:
                (image,) = json.load(content)
                text = json.dumps([{**image, "RepoTags": [name]}]).encode()
                member.size, content = len(text), io.BytesIO(text)
                member.name = {"link": "x.json", "folder behind a link": "here/manifest.json"}.get(listing, listing)
                if listing == "folder behind a link":
                    changed.addfile(link("here", "."))
            if member.name != "repositories":
                changed.addfile(member, content)
        if listing == "link":
            changed.addfile(link("manifest.json", "x.json"))
    return target


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def image_id(tag: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", tag)


def test_the_table_for_readers_is_the_one_that_is_tested() -> None:
    overview = adversarial.OVERVIEW.read_text(encoding="utf-8")
    assert overview == adversarial.with_table(overview, adversarial.table()), "run python -m tests.support.adversarial"
    assert sorted((each.name, each.script) for each in ATTACKS) == sorted(adversarial.scripted())
    assert len({each.team for each in ATTACKS}) == len(ATTACKS)
    here = sys.modules[__name__]
    assert all(callable(getattr(here, each.proof)) for each in ATTACKS if each.proof)


def test_only_what_a_team_is_to_blame_for_is_in_the_table() -> None:
    endings = {ended.ending for each in ATTACKS for ended in (each.ended, each.watched) if ended}
    assert Blame.INFRASTRUCTURE not in {Outcome(ending).blame for ending in endings}


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()
