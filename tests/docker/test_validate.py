"""``fomo-eval validate`` on real containers: what is broken is found and named, and what is well is left alone."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import docker
import pytest

from harness.commands.validate import ValidateOptions, validate
from harness.engines.engine import RUN_LABEL
from harness.specs.challenge import Challenge
from harness.validation.check import Check, Status, Verdict
from harness.validation.synthetic import write_cases
from tests.docker.test_run import challenge_with
from tests.support.commands import COMMAND, fomo_eval
from tests.support.images import ENTRYPOINT, build_example, script_image
from tests.support.runs import write_submission
from tests.support.submissions import BROKEN, FLAGS, KEEPS_STATE, LABEL, REDERIVES_OUTPUT

pytestmark = pytest.mark.docker

TEAMS = ("constant", "forest", "surfacer", "thresholds", "ventricles")
SUBMISSIONS = Path(__file__).parent.parent.parent / "examples" / "submissions"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    """The cases that validate makes up, written once."""
    folder = tmp_path_factory.mktemp("made-up")
    for task in fomo25.tasks:
        write_cases(task, folder)
    return folder


@pytest.fixture(scope="module")
def small_challenge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in challenge with little memory, so that it is soon full."""
    folder = tmp_path_factory.mktemp("challenge")
    return challenge_with(folder, memory_gib=0.25, shared_memory_gib=0.01, scratch_gib=0.01)


def options_for(image: str, data: Path, task: str = "infarct", **more: Any) -> ValidateOptions:
    return ValidateOptions("fomo25", image=image, task=task, data=data, gpus="none", **more)


def judged(options: ValidateOptions) -> Verdict:
    [verdict] = validate(options).verdicts
    return verdict


def checks(verdict: Verdict, *statuses: Status) -> dict[str, Check]:
    return {check.name: check for check in verdict.checks if check.status in statuses}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_by_the_right_check(name: str, made_up: Path, small_challenge: Path) -> None:
    broken = BROKEN[name]
    image = script_image(broken.script, lines=broken.lines)
    options = options_for(image, made_up, broken.task, seconds=broken.seconds)
    failed = checks(judged(replace(options, challenge=str(small_challenge))), Status.FAILED)
    assert list(failed) == [broken.check], failed
    assert broken.remedy in failed[broken.check].remedy
    assert broken.evidence in failed[broken.check].evidence


def test_an_image_that_keeps_state_is_warned_of_what_it_keeps(made_up: Path) -> None:
    image = script_image(KEEPS_STATE, lines=LABEL + 'RUN ["mkdir", "-m", "777", "/app/state"]\n' + ENTRYPOINT)
    verdict = judged(options_for(image, made_up))
    assert checks(verdict, Status.FAILED) == {}
    [warned] = checks(verdict, Status.WARNING).values()
    assert warned.name == "state"
    assert "/app/state/count" in warned.evidence
    assert "Keep nothing between cases" in warned.remedy


def test_an_image_for_another_processor_is_not_run(made_up: Path, tmp_path: Path) -> None:
    archive = tmp_path / "arm64.tar"
    subprocess.run(["docker", "save", "--output", archive, build_example()], check=True)
    verdict = judged(options_for(str(as_arm64(archive, tmp_path)), made_up))
    failed = checks(verdict, Status.FAILED)
    assert list(failed) == ["platform"], failed
    assert "the image is for linux/arm64" in failed["platform"].evidence
    assert "docker build --platform linux/" in failed["platform"].remedy
    assert not {"start", "flags", "ending", "time"} & set(checks(verdict, Status.PASSED))


def as_arm64(archive: Path, folder: Path) -> Path:
    """Rewrite a saved image's configuration for another processor; the copy has no name."""
    (folder / "unpacked").mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", folder / "unpacked"], check=True)
    [listed] = json.loads((folder / "unpacked/manifest.json").read_text())
    (folder / "unpacked/manifest.json").write_text(json.dumps([{**listed, "RepoTags": None}]))
    written = folder / "unpacked" / listed["Config"]
    written.write_text(json.dumps({**json.loads(written.read_text()), "architecture": "arm64"}))
    named = folder / "arm64-named.tar"
    subprocess.run(["tar", "-cf", named, "-C", folder / "unpacked", "."], check=True)
    return named


def test_an_image_that_is_not_there_fails_its_check_alone(made_up: Path) -> None:
    verdict = judged(options_for("fomo-eval-test/[red]not-there:1", made_up))
    failed = checks(verdict, Status.FAILED)
    assert list(failed) == ["image"]
    assert failed["image"].remedy


@pytest.mark.parametrize("team", TEAMS)
def test_example_teams_are_not_faulted(team: str) -> None:
    options = ValidateOptions("fomo25", submission=SUBMISSIONS / f"{team}.yaml", gpus="none")
    for verdict in validate(options).verdicts:
        assert checks(verdict, Status.FAILED, Status.WARNING) == {}


@pytest.mark.parametrize("lines", [LABEL, LABEL + ENTRYPOINT], ids=["no entry point", "entry point"])
def test_containers_for_the_challenges_own_validator_are_not_faulted(lines: str, made_up: Path) -> None:
    verdict = judged(options_for(script_image(REDERIVES_OUTPUT, lines=lines), made_up))
    assert checks(verdict, Status.FAILED, Status.WARNING) == {}


def test_the_conditions_are_those_of_a_run(made_up: Path, cohort: Path, tmp_path: Path) -> None:
    image = build_example()
    write_submission(tmp_path / "submissions", "anybody", {"infarct": image}, track="open")
    words: list[str | Path] = [
        "--data",
        cohort,
        "--submissions",
        tmp_path / "submissions",
        "--out",
        tmp_path / "run",
        "--gpus",
        "none",
    ]
    planned = fomo_eval("run", "--challenge", "fomo25", *words, "--dry-run", "--format", "json", "--timeout", "30")
    verdict = judged(options_for(image, made_up, seconds=30.0, case=1))
    assert json.loads(planned.out)["conditions"] == {"open/anybody/infarct": verdict.conditions}
    assert f"Conditions {verdict.conditions[:16]} (anybody, infarct)" in planned.err
    assert judged(options_for(image, made_up, seconds=31.0, case=1)).conditions != verdict.conditions


def test_the_line_that_is_printed_does_the_same_by_hand(made_up: Path) -> None:
    image = script_image(FLAGS + "say(len(open(given.flair, 'rb').read()) % 97 / 100)", lines=LABEL)
    validation = validate(options_for(image, made_up, case=2, keep=True))
    [verdict] = validation.verdicts
    assert validation.kept is not None
    [predicted] = (validation.kept / "run/predictions").rglob("case-2/prediction.txt")
    [staged] = (validation.kept / "cases").iterdir()
    subprocess.run(shlex.split(verdict.by_hand), check=True, timeout=60)
    assert (staged / "out/prediction.txt").read_text() == predicted.read_text()
    subprocess.run(["rm", "-rf", validation.kept], check=True)


def test_the_line_is_printed_whole(made_up: Path) -> None:
    image = script_image(FLAGS + "say(0.5)", lines=LABEL)
    words = ("--task", "infarct", "--data", made_up, "--case", "1", "--keep", "--gpus", "none")
    ended = fomo_eval("validate", image, *words)
    assert ended.code == 0, ended.err
    [line] = [line for line in ended.out.splitlines() if line.startswith("By hand: docker run ")]
    assert line.endswith("--output /output/prediction.txt")
    subprocess.run(["rm", "-rf", ended.err.split("Work folder: ")[1].strip()], check=True)


def test_every_output_says_the_same(made_up: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    script = FLAGS + "print('\\x1b[2J::error::[bold]', file=sys.stderr); raise SystemExit('::error::100%\\x1b]0;x')"
    image = script_image(script, lines='LABEL org.fomo-eval.contract="2"\n' + ENTRYPOINT)
    words: list[str | Path] = ["validate", image, "--task", "infarct", "--data", made_up, "--gpus", "none"]
    ended = fomo_eval(*words, "--format", "json", "--junit", tmp_path / "junit.xml", environment=environment)
    assert ended.code == 1, ended.err
    [verdict] = (Verdict.model_validate(each) for each in json.loads(ended.out))
    failed, warned = checks(verdict, Status.FAILED), checks(verdict, Status.WARNING)
    assert (list(failed), list(warned)) == (["ending"], ["contract"])
    assert "\x1b" not in ended.out + ended.err
    suite = Xml.parse(tmp_path / "junit.xml").getroot()[0]
    assert suite.get("name") == "method/validated/infarct"
    assert [each.get("name") for each in suite if each.find("failure") is not None] == [failed["ending"].title]
    assert int(suite.get("tests", "")) == len(verdict.checks)
    lines = [line for line in ended.err.splitlines() if line.startswith("::")]
    assert [line.split("::")[1] for line in lines] == ["warning title=infarct%3A contract options",
                                                      "error title=infarct%3A ends without an error"]  # fmt: skip
    assert "100%25" in lines[1]
    assert "ends without an error | failed" in summary.read_text()
    table = fomo_eval(*words)
    assert table.code == 1
    assert "\x1b" not in table.out
    assert "::error::100%" in table.out


def test_a_good_image_ends_with_0_and_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = ["validate", build_example(), "--task", "meningioma", "--gpus", "none"]
    ended = fomo_eval(*words, environment={**os.environ, "TMPDIR": str(scratch)})
    assert ended.code == 0, ended.err + ended.out
    assert "0 failed" not in ended.out
    assert list(scratch.iterdir()) == []


def test_an_interrupted_validation_leaves_nothing_behind(made_up: Path, tmp_path: Path) -> None:
    image = script_image(FLAGS + "time.sleep(60)", lines=LABEL)
    words = ["validate", image, "--task", "infarct", "--data", str(made_up), "--gpus", "none"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while not (containers := containers_of(tmp_path)):
        assert time.monotonic() < deadline, "no container was started within a minute"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert containers
    assert process.returncode == 3
    assert "The validation was interrupted; nothing of it is left." in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    client = docker.from_env()
    left = [each.id for each in client.containers.list(all=True, ignore_removed=True)]
    client.close()
    assert not set(containers) & set(left)


def containers_of(folder: Path) -> list[str]:
    """List the running containers of the validation that works below a folder."""
    runs = [json.loads(file.read_text())["id"] for file in folder.glob("fomo-eval-*/run/run.json")]
    client = docker.from_env()
    try:
        found = [client.containers.list(filters={"label": f"{RUN_LABEL}={run}"}, ignore_removed=True) for run in runs]
    finally:
        client.close()
    return [each.id or "" for few in found for each in few]
