"""``fomo-eval run`` on real containers, from submissions to leaderboard."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import docker
import numpy as np
import pytest

from harness.datasets import images
from harness.engines.engine import RUN_LABEL
from tests.support.commands import COMMAND, Finished, fomo_eval
from tests.support.images import build_example, script_image
from tests.support.runs import board, derived_bytes, records, write_submission

pytestmark = pytest.mark.docker

TASKS = ("infarct", "meningioma", "brain_age")
ANSWER = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
output = parser.parse_known_args()[0].output
"""
MISBEHAVIOURS = {
    "crashes": ANSWER + "raise SystemExit(3)",
    "hangs": ANSWER + "time.sleep(600)",
    "silent": ANSWER,
    "wordy": ANSWER + "open(output, 'w').write('0.4 and 0.6')",
    "beyond": ANSWER + "open(output, 'w').write('1.5')",
    "hungry": ANSWER + "b = []\nwhile True: b.append(bytearray(10**7))",
    "missing": "import a_package_that_is_not_there",
}
EXPECTED = {
    "crashes": ("crashed", "exit code 3"),
    "hangs": ("timeout", "time limit"),
    "silent": ("no_output", "was not written"),
    "wordy": ("invalid_output", "must hold one number"),
    "beyond": ("invalid_output", "above 1"),
    "hungry": ("out_of_memory", "memory limit"),
    "missing": ("crashed", "exit code 1"),
}


def challenge_with(tmp_path: Path, **limits: float) -> Path:
    """Copy the built-in challenge with other limits, without GPUs."""
    from harness.specs.loading import builtin_folder

    target = tmp_path / "challenge"
    target.mkdir()
    for file in (builtin_folder() / "fomo25").glob("*.yaml"):
        text = file.read_text().replace("gpu: true", "gpu: false")
        for name, value in limits.items():
            text = "\n".join(
                line if not line.startswith("limits:") else _with_limit(line, name, value) for line in text.split("\n")
            )
        (target / file.name).write_text(text)
    return target


def _with_limit(line: str, name: str, value: float) -> str:
    import yaml

    limits = yaml.safe_load(line)["limits"]
    return "limits: " + json.dumps({**limits, name: value})


def run(cohort: Path, submissions: Path, out: Path, *more: str | Path, challenge: str | Path = "fomo25") -> Finished:
    options = ("--challenge", challenge, "--data", cohort, "--submissions", submissions, "--out", out)
    return fomo_eval("run", *options, "--gpus", "none", *more)


def left_behind(out: Path) -> list[str]:
    """List the containers of a run that are still on the engine."""
    identity = json.loads((out / "run.json").read_text())["id"]
    client = docker.from_env()
    try:
        return [
            each.name or ""
            for each in client.containers.list(
                all=True, filters={"label": f"{RUN_LABEL}={identity}"}, ignore_removed=True
            )
        ]
    finally:
        client.close()


@pytest.fixture(scope="module")
def whole(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two teams and a baseline over all tasks."""
    folder = tmp_path_factory.mktemp("whole")
    constant = build_example()
    half = script_image(ANSWER + "open(output, 'w').write('0.5')")
    write_submission(folder / "submissions", "constant", dict.fromkeys(TASKS, constant))
    write_submission(folder / "submissions", "half", {"infarct": half, "brain_age": {"image": half}})
    write_submission(folder / "submissions", "floor", {"infarct": half}, baseline=True)
    ended = run(cohort, folder / "submissions", folder / "run")
    assert ended.code == 0, ended.err
    assert "method track" in ended.out
    return folder / "run"


def test_every_case_has_a_record_and_nothing_is_left_behind(whole: Path, cohort: Path) -> None:
    kept = records(whole)
    assert len(kept) == 4 + 3 + 4 + 4 + 4 + 4
    for record in kept.values():
        assert record["outcome"] | {"notes": []} == {
            "message": "The prediction was accepted.",
            "ending": "ok", "blame": "nobody", "detail": "", "refusal": None, "remedy": "", "notes": [],
        }  # fmt: skip
        prediction = whole / record["prediction"]["file"]
        assert prediction.stat().st_size == record["prediction"]["bytes"]
        assert prediction.stat().st_mode & 0o777 == 0o644
        assert record["container"]["HostConfig"]["NetworkMode"] == "none"
        assert 0 < record["usage"]["cpu_seconds"] < 30
        assert 1 << 20 < record["usage"]["memory_bytes"] < 1 << 30
        assert record["container"]["HostConfig"]["ReadonlyRootfs"] is True
        assert set(record["spans"]) == {"stage", "start", "container", "collect", "verify"}
    assert left_behind(whole) == []
    assert not (whole / "work").exists()


def test_leaderboard_is_right_by_hand(whole: Path, cohort: Path) -> None:
    rows = board(whole)
    ages = [float(file.read_text()) for file in sorted((cohort / "fomo-task3-val/labels").glob("*/label.txt"))]
    half = rows["method/half"]["tasks"]
    assert half["infarct"]["metrics"]["auroc"] == {"status": "scored", "value": 0.5}
    assert half["brain_age"]["metrics"]["mae"]["value"] == pytest.approx(
        np.mean([age - 0.5 for age in ages]), abs=1e-12
    )
    assert half["brain_age"]["metrics"]["pearson_r"]["status"] == "undefined"
    empty = [
        not images.read_voxels(file, images.read_header(file)).any()
        for file in sorted((cohort / "fomo-task2-val/labels").glob("*/seg.nii.gz"))
    ]
    assert rows["method/constant"]["tasks"]["meningioma"]["metrics"]["dice"]["value"] == np.mean(empty)
    # Infarct is a tie; 'constant' alone enters meningioma; its one constant age lies nearer to the ages than 0.5 does.
    assert rows["method/constant"]["placement"] == 1
    assert half["infarct"]["rank"] == rows["method/constant"]["tasks"]["infarct"]["rank"] == 1
    assert half["meningioma"] == {
        "entered": False,
        "provisional": False,
        "rank": 2.0,
        "valid": 0,
        "cases": 0,
        "metric_ranks": {},
        "groups": {},
        "metrics": {},
        "intervals": {},
    }
    assert "placement" not in rows["method/floor"]
    assert rows["method/floor"]["endings"] == {"ok": 4}


def test_running_again_runs_nothing_and_changes_no_byte(whole: Path, cohort: Path) -> None:
    before, began = derived_bytes(whole), {name: record["began"] for name, record in records(whole).items()}
    ended = run(cohort, whole.parent / "submissions", whole)
    assert ended.code == 0, ended.err
    assert "Every trial is recorded already." in ended.err
    assert derived_bytes(whole) == before
    assert {name: record["began"] for name, record in records(whole).items()} == began


def test_only_what_is_missing_is_run(whole: Path, cohort: Path) -> None:
    before, kept = derived_bytes(whole), records(whole)
    gone = "method/constant/brain_age/" + next(name for name in kept if "constant/brain_age" in name).split("/")[-1]
    (whole / "records" / f"{gone}.json").unlink()
    ended = run(cohort, whole.parent / "submissions", whole)
    assert ended.code == 0, ended.err
    now = records(whole)
    assert [name for name in now if now[name]["began"] != kept[name]["began"]] == [gone]
    assert derived_bytes(whole) == before


@pytest.mark.parametrize("command", ["score", "leaderboard"])
def test_scores_are_recomputed_to_the_same_bytes_without_an_engine(whole: Path, command: str) -> None:
    before = derived_bytes(whole)
    for name in before:
        (whole / name).unlink()
    ended = fomo_eval(command, whole, environment={**os.environ, "DOCKER_HOST": "unix:///nowhere.sock"})
    assert ended.code == 0, ended.err
    assert derived_bytes(whole) == before


def test_a_team_can_be_added_later(whole: Path, cohort: Path, tmp_path: Path) -> None:
    late = write_submission(tmp_path, "late", {"brain_age": build_example()}, track="open")
    ended = run(cohort, late, whole)
    assert ended.code == 0, ended.err
    assert {"method/constant", "method/half", "open/late"} <= set(board(whole))


def test_dry_run_prints_the_plan_and_writes_nothing(cohort: Path, tmp_path: Path) -> None:
    write_submission(tmp_path / "submissions", "constant", dict.fromkeys(TASKS, build_example()))
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run", "--dry-run", "--timeout", "30", "--workers", "2")
    assert ended.code == 0, ended.err
    assert "11 trials, 11 of them to run, 2 at a time, no GPU." in ended.err
    assert "At most 2 min 45 s" in ended.err
    assert '"ReadonlyRootfs": true' in ended.err
    assert not (tmp_path / "run").exists()


def test_containers_run_as_the_plan_says(whole: Path, cohort: Path) -> None:
    plan = json.loads((whole / "plan.json").read_text())
    planned = {"/".join((each["track"], each["team"], each["task"])): each["container"] for each in plan["entries"]}
    for name, record in records(whole).items():
        asked, told = planned[name.rpartition("/")[0]], record["container"]
        for field in ("Image", "User", "Hostname", "Healthcheck"):
            assert told[field] == asked[field]
        assert set(asked["Env"]) <= set(told["Env"])
        assert told["Entrypoint"]
        assert told["Cmd"][-1].startswith("/output/prediction.")
        for mount in (*asked["HostConfig"]["Mounts"], *told["HostConfig"]["Mounts"]):
            assert mount["Target"] in ("/input", "/output")
        for option, value in asked["HostConfig"].items():
            if option == "Mounts":  # their folders are each trial's own
                continue
            assert told["HostConfig"][option] == value or not (told["HostConfig"][option] or value)
    ended = run(cohort, whole.parent / "submissions", whole, "--dry-run", "--format", "json")
    assert ended.code == 0, ended.err
    printed = json.loads(ended.out)
    assert len(printed.pop("hash")) == 64
    assert [entry for entry in plan["entries"] if entry["team"] != "late"] == printed["entries"]
    assert printed["tasks"] == plan["tasks"]


def test_every_way_to_fail_is_told_apart_and_scored_as_missing(cohort: Path, tmp_path: Path) -> None:
    for team, script in MISBEHAVIOURS.items():
        write_submission(tmp_path / "submissions", team, {"infarct": script_image(script)})
    challenge = challenge_with(tmp_path, memory_gib=0.0625, shared_memory_gib=0.01, scratch_gib=0.01)
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run", "--timeout", "4", challenge=challenge)
    assert ended.code == 0, ended.err
    rows, kept = board(tmp_path / "run"), records(tmp_path / "run")
    for team, (ending, detail) in EXPECTED.items():
        assert rows[f"method/{team}"]["endings"] == {ending: 4}, team
        cell = rows[f"method/{team}"]["tasks"]["infarct"]
        assert (cell["valid"], cell["cases"], cell["provisional"]) == (0, 4, False)
        assert cell["metrics"]["auroc"] == {"status": "scored", "value": 0.0}
        for name, record in kept.items():
            if f"/{team}/" in name:
                assert detail in record["outcome"]["detail"]
                assert record["outcome"]["blame"] == "team"
    assert "a_package_that_is_not_there" in next((tmp_path / "run/logs/method/missing").rglob("*.log")).read_text()
    assert left_behind(tmp_path / "run") == []


def test_an_archive_and_a_command_are_entered_like_an_image(cohort: Path, tmp_path: Path) -> None:
    archive = tmp_path / "submissions" / "image.tar"
    archive.parent.mkdir()
    without_entrypoint = script_image(ANSWER + "open(output, 'w').write('0.25')", lines="")
    subprocess.run(["docker", "save", "--output", archive, without_entrypoint], check=True)
    by_command = {"image": build_example(), "command": ["python", "-c", ANSWER + "open(output, 'w').write('0.75')"]}
    write_submission(archive.parent, "archive", {"infarct": {"archive": archive.name}})
    write_submission(archive.parent, "command", {"infarct": by_command})
    ended = run(cohort, archive.parent, tmp_path / "run")
    assert ended.code == 0, ended.err
    values = {
        team: {each.read_text() for each in (tmp_path / "run/predictions/method" / team).rglob("*.txt")}
        for team in ("archive", "command")
    }
    assert values == {"archive": {"0.25"}, "command": {"0.75"}}


def respelled(archive: Path, target: Path, spelled: str) -> None:
    """Copy an archive, with its list of images under another name that the engine unpacks to the same file."""
    with tarfile.open(archive) as source, tarfile.open(target, "w") as copy:
        if "link" in spelled:
            link = tarfile.TarInfo("folder")
            link.type, link.linkname = tarfile.SYMTYPE, "."
            copy.addfile(link)
        for member in source:
            if member.name == "manifest.json":
                member.name = "folder/manifest.json" if "link" in spelled else spelled
            copy.addfile(member, source.extractfile(member) if member.isreg() else None)


@pytest.mark.parametrize("spelled", ["manifest.json", "./manifest.json", "by way of a link"])
def test_an_archive_does_not_move_anothers_tag(spelled: str, cohort: Path, tmp_path: Path) -> None:
    victim, attacker = (script_image(ANSWER + f"open(output, 'w').write('{value}')") for value in ("0.5", "0.9"))
    for tag, image in (("fomo-eval-test/victim:1", attacker), ("fomo-eval-test/victim:1", victim)):
        subprocess.run(["docker", "tag", image, tag], check=True)
        if image == attacker:
            (tmp_path / "submissions").mkdir()
            subprocess.run(["docker", "save", "--output", tmp_path / "saved.tar", tag], check=True)
            respelled(tmp_path / "saved.tar", tmp_path / "submissions" / "evil.tar", spelled)
    write_submission(tmp_path / "submissions", "attacker", {"infarct": {"archive": "evil.tar"}})
    write_submission(tmp_path / "submissions", "victim", {"infarct": "fomo-eval-test/victim:1"})
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run")
    if "link" in spelled:  # refused as a whole: no honest archive does so
        assert ended.code == 3
        assert "evil.tar" in ended.err
        (tmp_path / "submissions/method-attacker.yaml").unlink()
        ended = run(cohort, tmp_path / "submissions", tmp_path / "run")
    assert ended.code == 0, ended.err
    predicted = {
        team: {each.read_text() for each in (tmp_path / "run/predictions/method" / team).rglob("*.txt")}
        for team in (("victim",) if "link" in spelled else ("attacker", "victim"))
    }
    assert {"attacker": {"0.9"}, **predicted} == {"attacker": {"0.9"}, "victim": {"0.5"}}


@pytest.mark.parametrize(
    "lines",
    ["WORKDIR /input/x/y", "RUN [\"python\", \"-c\", \"import os; os.unlink('/sbin'); os.symlink('/proc', '/sbin')\"]"],
    ids=["working directory below /input", "/sbin in /proc"],
)
def test_an_image_that_no_engine_can_start_stops_nobody_else(lines: str, cohort: Path, tmp_path: Path) -> None:
    honest = script_image(ANSWER + "open(output, 'w').write('0.5')")
    broken = script_image(ANSWER, lines=f'{lines}\nENTRYPOINT ["python", "/app/predict.py"]')
    write_submission(tmp_path / "submissions", "broken", {"infarct": broken})
    write_submission(tmp_path / "submissions", "honest", {"infarct": honest})
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run")
    assert ended.code == 0, ended.err
    rows = board(tmp_path / "run")
    assert rows["method/honest"]["endings"] == {"ok": 4}
    assert rows["method/broken"]["endings"] in ({"cannot_start": 4}, {"crashed": 4})


def test_an_image_that_is_not_there_stops_before_anything_is_written(cohort: Path, tmp_path: Path) -> None:
    write_submission(tmp_path / "submissions", "absent", {"infarct": "fomo-eval-test/not-there:1"})
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run")
    assert ended.code == 3
    assert "The image fomo-eval-test/not-there:1 is not on this machine" in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "run").exists()


def test_a_changed_image_is_another_plan(cohort: Path, tmp_path: Path) -> None:
    write_submission(
        tmp_path / "submissions", "team", {"infarct": script_image(ANSWER + "open(output, 'w').write('0')")}
    )
    assert run(cohort, tmp_path / "submissions", tmp_path / "run").code == 0
    before = {file: file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file()}
    write_submission(
        tmp_path / "submissions", "team", {"infarct": script_image(ANSWER + "open(output, 'w').write('1')")}
    )
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run")
    assert ended.code == 2
    assert "differs in the image, command, options or baseline flag of team 'team' for infarct" in ended.err
    assert {file: file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file()} == before


SLOW = ANSWER + "import hashlib; time.sleep(1.5); open(output, 'w').write('0.5')"


def start_slow_run(cohort: Path, folder: Path) -> subprocess.Popen[str]:
    """Start a run of slow cases and wait until one is recorded and others are running."""
    write_submission(folder / "submissions", "slow", {"infarct": script_image(SLOW), "brain_age": script_image(SLOW)})
    options: list[Any] = ["--challenge", "fomo25", "--data", cohort, "--submissions", folder / "submissions"]
    options += ["--out", folder / "run", "--gpus", "none", "--workers", "2"]
    process = subprocess.Popen(
        [*COMMAND, "run", *map(str, options)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (len(list((folder / "run/records").rglob("*.json"))) >= 1 and left_behind(folder / "run")):
        assert time.monotonic() < deadline, "no trial was recorded within a minute"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_containers_and_goes_on_later(number: int, cohort: Path, tmp_path: Path) -> None:
    process = start_slow_run(cohort, tmp_path)
    began = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 3
    assert "everything recorded so far is kept" in err
    assert "Traceback" not in err
    assert left_behind(tmp_path / "run") == []
    recorded = {name: record["began"] for name, record in records(tmp_path / "run").items()}
    assert 0 < len(recorded) < 8
    assert run(cohort, tmp_path / "submissions", tmp_path / "run").code == 0
    finished = records(tmp_path / "run")
    assert len(finished) == 8
    assert {name: finished[name]["began"] for name in recorded} == recorded


def test_a_killed_run_goes_on_to_the_same_leaderboard(cohort: Path, tmp_path: Path) -> None:
    process = start_slow_run(cohort, tmp_path)
    process.kill()
    process.communicate()
    assert left_behind(tmp_path / "run"), "a killed harness cannot end its containers"
    assert run(cohort, tmp_path / "submissions", tmp_path / "run").code == 0
    assert left_behind(tmp_path / "run") == []
    assert run(cohort, tmp_path / "submissions", tmp_path / "undisturbed").code == 0
    assert derived_bytes(tmp_path / "run") == derived_bytes(tmp_path / "undisturbed")


def test_a_second_run_on_the_same_directory_is_refused(cohort: Path, tmp_path: Path) -> None:
    process = start_slow_run(cohort, tmp_path)
    ended = run(cohort, tmp_path / "submissions", tmp_path / "run")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert ended.code == 2
    assert f"process {process.pid} on " in ended.err
