"""A harness that is not root shares its user id with its containers: what they leave, and what they still do, once the
harness or the engine is killed must neither hold it up nor reach anything else that is its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.specs.challenge import Challenge
from tests.support.adversarial_runs import STRANGER, place_for
from tests.support.commands import COMMAND
from tests.support.fault_runs import QUICK, Faulty, assert_whole, faulty_run, finished, ours, until
from tests.support.images import script_image
from tests.support.runs import write_submission
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker

PROMPT_S = 20

LEAVES = """
import os, time
time.sleep(1)  # until the harness is stopped, so that its watch does not end this
os.chdir("/output")
os.mkfifo(".fomo-eval-fifo")
open(".fomo-eval-closed", "w").close()
os.chmod(".fomo-eval-closed", 0)
for name, depth in (("y" * 200, 40), ("x", 1500)):
    os.chdir("/output")
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
os.chmod("/output", 0)
os.open("/tmp/ready", os.O_CREAT)
time.sleep(600)
"""

SWAPS = """
import os, time
run, = [line.split()[3] for line in open("/proc/self/mountinfo") if line.split()[4] == "/input"]
victim = "VICTIM"
os.chdir("/output")
names = [f"d{number:03d}" for number in range(900)]
for name in names:
    os.mkdir(name)
open("/tmp/ready", "w").close()
end = time.time() + 600
while time.time() < end:
    if len(os.listdir(".")) < len(names):
        for name in [*reversed(names), *os.listdir(".")]:
            try:
                os.rmdir(name)
                os.symlink(victim, name)
            except OSError:
                pass
"""


@pytest.fixture
def place(engine: SecondEngine) -> Iterator[Path]:
    """A folder of a user who is not root and may use the engine."""
    engine.folder.chmod(0o755)
    with place_for(STRANGER) as folder:
        yield folder


def theirs(faulty: Faulty) -> Faulty:
    """Have a run be that user's, with all that it reads."""
    for path in (faulty.data.parent, *faulty.data.parent.rglob("*")):
        os.chown(path, STRANGER, STRANGER)
    return replace(faulty, user=STRANGER)


def ready(faulty: Faulty) -> bool:
    """Say whether a container of a run has done what it does before it waits."""
    look = ["python", "-c", "import os, sys; sys.exit(not os.path.exists('/tmp/ready'))"]
    return any(
        subprocess.run(
            ["docker", "exec", each, *look], env=faulty.engine.environment, capture_output=True, check=False
        ).returncode
        == 0
        for each in faulty.containers()
    )


def clean(faulty: Faulty) -> None:
    command = [*faulty.becoming, *COMMAND, "clean", str(faulty.out)]
    ended = subprocess.run(
        command, env=faulty.engine.environment, capture_output=True, text=True, timeout=PROMPT_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def go_on(faulty: Faulty) -> None:
    process = faulty.start()
    try:
        until(lambda: faulty.recorded(), process)  # the honest team's
    finally:
        process.send_signal(signal.SIGINT)
        finished(process)


@pytest.mark.parametrize("then", [clean, go_on])
def test_what_a_container_leaves_holds_up_neither_the_next_run_nor_clean(
    engine: SecondEngine, fomo25: Challenge, place: Path, then: Callable[[Faulty], None]
) -> None:
    """A FIFO and a closed file named like our own half-written files, a path that is too long, and too many folders."""
    faulty = theirs(faulty_run(engine, fomo25, place, {"hostile": LEAVES}, cases=2))
    process = faulty.start()
    until(lambda: (faulty.out / "plan.json").exists() and faulty.containers(), process)  # after the probe
    process.send_signal(signal.SIGSTOP)
    until(lambda: ready(faulty))
    process.kill()
    process.communicate()
    image = script_image(QUICK)
    engine.load(image)
    write_submission(faulty.submissions, "honest", {"infarct": image})
    (work,) = faulty.temporary.iterdir()
    then(faulty)
    assert not work.exists()
    clean(faulty)
    assert list(faulty.temporary.iterdir()) == []
    assert ours(engine) == []


def test_a_container_that_lives_on_without_its_engine_reaches_no_record(
    engine: SecondEngine, fomo25: Challenge, place: Path
) -> None:
    """The harness may not clear a folder that such a container can still write to: it would follow it elsewhere."""
    honest = theirs(faulty_run(engine, fomo25, place, {"alpha": QUICK}, cases=3))
    assert honest.finish().code == 0
    kept = assert_whole(honest.out, 3)
    image = script_image(SWAPS.replace("VICTIM", f"{honest.out}/records/method/alpha/infarct"))
    engine.load(image)
    write_submission(honest.submissions, "zulu", {"infarct": image})
    process = honest.start("--workers", "1")
    until(lambda: ready(honest), process)
    (work,) = honest.temporary.iterdir()
    engine.kill()
    ended = finished(process)
    assert ended.code == 3, ended.err
    assert ended.err.strip().splitlines()[-1].startswith("Stopped: method/zulu/infarct/case_")
    assert list(work.glob("*/out")), "it is cleared once its container is gone, and not before"
    engine.start()
    clean(honest)
    assert not work.exists()
    (honest.submissions / "method-zulu.yaml").unlink()
    again = honest.finish()
    assert again.code == 0, again.err
    assert assert_whole(honest.out, 3) == kept
    assert ours(engine) == []


def test_of_two_runs_started_together_on_a_new_directory_one_is_refused_and_changes_nothing(
    engine: SecondEngine, fomo25: Challenge, tmp_path: Path
) -> None:
    faulty = faulty_run(engine, fomo25, tmp_path, {"alpha": "import time\ntime.sleep(600)"}, cases=2)
    with faulty.start() as first, faulty.start() as second:
        try:
            until(lambda: first.poll() is not None or second.poll() is not None)
            refused, living = (first, second) if first.poll() is not None else (second, first)
            ended = finished(refused)
            assert ended.code == 2, ended.err
            assert f"another run is using it (process {living.pid} on " in ended.err
            # By the label of the run that run.json names; a plan is written after the probe.
            until(lambda: (faulty.out / "plan.json").exists() and len(faulty.containers()) == 1, living)
            assert len(ours(engine)) == 1
            living.send_signal(signal.SIGINT)
            assert finished(living).code == 3
            assert ours(engine) == []
        finally:
            first.kill()
            second.kill()
