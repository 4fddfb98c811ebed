"""``fomo-eval clean`` removes what dead runs left, and never anything else."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines.engine import OWNER_LABEL, RUN_LABEL
from harness.engines.owner import is_dead, this_process
from harness.specs.challenge import Challenge
from tests.support.commands import Finished, fomo_eval
from tests.support.fault_runs import HANGS, Faulty, faulty_run, ours, until
from tests.support.images import build_example
from tests.support.second_engine import SecondEngine

pytestmark = pytest.mark.docker


@pytest.fixture
def hanging(engine: SecondEngine, fomo25: Challenge, tmp_path: Path) -> Faulty:
    return faulty_run(engine, fomo25, tmp_path, {"alpha": HANGS, "beta": HANGS})


def started(faulty: Faulty) -> subprocess.Popen[str]:
    process = faulty.start()
    until(lambda: len(faulty.containers()) == 2, process)
    return process


def killed(faulty: Faulty) -> None:
    """Leave two containers, their mounts and the work folder behind."""
    process = started(faulty)
    process.kill()
    process.communicate()


def clean(faulty: Faulty, *words: str | Path) -> Finished:
    ended = fomo_eval("clean", *words, environment=faulty.engine.environment)
    assert "Traceback" not in ended.err
    return ended


@pytest.fixture
def look_alikes(engine: SecondEngine) -> Iterator[list[str]]:
    """Containers that somebody else made, and that could be taken for ours."""
    engine.load(build_example())
    labels = ("--label", f"{RUN_LABEL}=other", "--label", f"{OWNER_LABEL}={dead()}")
    made = {
        "foreign-name": labels,
        "fomo-eval-other": labels,  # one dash short
        "fomo-eval-nolabel-1": (),
        "fomo-eval-another-1": labels,  # another run's prefix
        "fomo-eval-living-1": ("--label", f"{RUN_LABEL}=living", "--label", f"{OWNER_LABEL}={this_process()}"),
        "fomo-eval-elsewhere-1": ("--label", f"{RUN_LABEL}=elsewhere", "--label", f"{OWNER_LABEL}=there/1/1/1"),
        "fomo-eval-unowned-1": ("--label", f"{RUN_LABEL}=unowned"),
    }
    for name, words in made.items():
        engine.docker("create", "--name", name, *words, build_example())
    yield sorted(made)
    engine.docker("rm", "--force", *made)


def dead() -> str:
    """Name a process of this machine that has ended."""
    host, space, _, start = this_process().split("/")
    with subprocess.Popen(["true"]) as process:
        pass
    return f"{host}/{space}/{process.pid}/{start}"


def names(engine: SecondEngine) -> list[str]:
    return sorted(engine.docker("ps", "--all", "--format", "{{.Names}}").split())


def test_of_one_run_everything_that_it_left_is_removed(hanging: Faulty, look_alikes: list[str]) -> None:
    killed(hanging)
    assert len(hanging.mounts()) >= 2
    left = ours(hanging.engine)
    mounts = hanging.mounts()
    work = (hanging.out / "work").read_text().strip()
    assert Path(work).parent == hanging.temporary
    ended = clean(hanging, hanging.out)
    assert ended.code == 0, ended.err
    assert names(hanging.engine) == look_alikes
    assert hanging.mounts() == []
    assert not (hanging.out / "work").exists()
    assert not Path(work).exists()
    mine = sorted(set(left) - set(look_alikes))
    assert ended.out.splitlines() == [
        *(f"Removed: container {name}" for name in mine),
        *(f"Removed: mount {point}" for point in mounts),
        f"Removed: {work}",
    ]
    again = clean(hanging, hanging.out)
    assert (again.code, again.out) == (0, "Nothing was left behind.\n")


def test_without_a_run_only_containers_of_dead_harnesses_are_removed(hanging: Faulty, look_alikes: list[str]) -> None:
    living = started(hanging)
    with_living = names(hanging.engine)
    gone = f"fomo-eval-gone-{os.getpid()}"
    words = ("--label", f"{RUN_LABEL}=gone", "--label", f"{OWNER_LABEL}={dead()}")
    hanging.engine.docker("create", "--name", gone, *words, build_example())
    ended = clean(hanging)
    assert (ended.code, ended.out) == (0, f"Removed: container {gone}\n")
    assert names(hanging.engine) == with_living
    living.kill()
    living.communicate()
    ended = clean(hanging)
    assert ended.out.count("Removed: container fomo-eval-") == 2
    assert names(hanging.engine) == look_alikes
    # What it had mounted is below its own folder, and goes when that is named.
    assert clean(hanging, hanging.out).code == 0
    assert hanging.mounts() == []


def test_a_live_run_is_left_alone(hanging: Faulty) -> None:
    process = started(hanging)
    before = names(hanging.engine)
    ended = clean(hanging, hanging.out)
    assert ended.code == 2
    assert f"process {process.pid} on " in ended.err
    assert names(hanging.engine) == before
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def test_a_folder_that_is_no_run_is_refused(hanging: Faulty, tmp_path: Path) -> None:
    ended = clean(hanging, tmp_path)
    assert ended.code == 2
    assert "is no run directory" in ended.err


def test_who_is_dead() -> None:
    mine = this_process()
    host, space, process, start = mine.split("/")
    assert not is_dead(mine)
    assert is_dead(dead())
    assert is_dead(f"{host}/{space}/{process}/{int(start) + 1}"), "a later process of the same id"
    for unknown in ("", "x", f"elsewhere/{space}/{process}/1", f"{host}/1/{process}/1", f"{host}/{space}/../1"):
        assert not is_dead(unknown)


def test_a_process_that_nobody_has_waited_for_is_dead() -> None:
    host, space, _, _ = this_process().split("/")
    process = subprocess.Popen(["sleep", "60"])
    start = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    owner = f"{host}/{space}/{process.pid}/{start}"
    assert not is_dead(owner)
    process.kill()
    until(lambda: is_dead(owner))
    process.wait()
