"""GPUs: each container gets the one that it has leased, or none; on a real engine, whose GPU runtime is a stub."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from harness.records.record import Ending, Record
from tests.support.cohorts import REPOSITORY
from tests.support.commands import Finished, fomo_eval
from tests.support.gpu_engine import Given, GpuEngine, gpu_engine
from tests.support.images import script_image

pytestmark = pytest.mark.docker

WANTED = "gpu: true"
UUIDS = ("GPU-11111111-aaaa-bbbb-cccc-000000000001", "GPU-22222222-aaaa-bbbb-cccc-000000000002")
SMI_ARGUMENTS = "--query-gpu=uuid --format=csv,noheader"
NO_SUCH_GPU = "GPU-ffffffff-ffff-ffff-ffff-ffffffffffff"
TRACKS = ("method", "open")
CASES = 4
ONE_TEAM = ("--teams", "greedy-method")

# Long enough that two containers on one GPU would be caught overlapping.
SCRIPT = """
import os, sys, time
print(os.environ.get("NVIDIA_VISIBLE_DEVICES"), os.environ.get("NVIDIA_DRIVER_CAPABILITIES"))
time.sleep(0.5)
open(sys.argv[sys.argv.index("--output") + 1], "w").write("50")
"""
GREEDY = 'ENV NVIDIA_VISIBLE_DEVICES=all\nENTRYPOINT ["python", "/app/predict.py"]'


@dataclass(frozen=True)
class Carried:
    """A run of the command line, and what came of it."""

    finished: Finished
    records: tuple[Record, ...]
    seen_inside: tuple[str, ...]
    given: tuple[Given, ...]
    ends: dict[str, float]

    @property
    def trials(self) -> tuple[Given, ...]:
        """The cases' containers that were promised a GPU."""
        return tuple(each for each in self.given if each.is_trial)


@dataclass(frozen=True)
class Bed:
    """What a run needs, but for the engine and the GPUs."""

    challenge: Path
    data: Path
    submissions: Path

    def command(self, out: Path, gpus: str, *more: str) -> list[str | Path]:
        """Write the command line of a run."""
        words: list[str | Path] = ["run", "--challenge", self.challenge, "--data", self.data]
        words += ["--submissions", self.submissions, "--out", out]
        return [*words, "--tasks", "brain_age", "--gpus", gpus, *more]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, greedy_image: str) -> Iterator[GpuEngine]:
    with gpu_engine(tmp_path_factory.mktemp("gpu")) as engine:
        engine.engine.load(greedy_image)
        yield engine


@pytest.fixture(scope="session")
def greedy_image() -> str:
    """An image that asks for every GPU by its own environment, as NVIDIA's CUDA images do."""
    return script_image(SCRIPT, lines=GREEDY)


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory, cohort: Path, greedy_image: str) -> Bed:
    """A challenge whose brain-age task wants a GPU, entered by one team in each track."""
    folder = tmp_path_factory.mktemp("bed")
    challenge = shutil.copytree(REPOSITORY / "task_specs" / "fomo25", folder / "challenge")
    assert WANTED in (challenge / "brain_age.yaml").read_text()
    submissions = folder / "submissions"
    submissions.mkdir()
    for track in TRACKS:
        text = f"team: greedy-{track}\ntrack: {track}\nimages: {{brain_age: '{greedy_image}'}}\n"
        (submissions / f"{track}.yaml").write_text(text)
    return Bed(challenge, cohort, submissions)


def carry_out(engine: GpuEngine, bed: Bed, out: Path, gpus: str, *more: str, path: str | None = None) -> Carried:
    engine.forget()
    environment = engine.engine.environment | ({} if path is None else {"PATH": path})
    since = time.time()
    finished = fomo_eval(*bed.command(out, gpus, *more), environment=environment)
    return Carried(
        finished,
        records=tuple(Record.model_validate_json(path.read_text()) for path in sorted(out.glob("records/**/*.json"))),
        seen_inside=tuple(path.read_text().strip() for path in sorted(out.glob("logs/**/*.log"))),
        given=engine.given(),
        ends=engine.ends(since=since, until=time.time()),
    )


@pytest.fixture(scope="module")
def shared(engine: GpuEngine, bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """Eight cases by four workers on two GPUs."""
    carried = carry_out(engine, bed, tmp_path_factory.mktemp("shared") / "run", "0,1", "--workers", "4")
    assert carried.finished.code == 0, carried.finished.err
    assert len(carried.trials) == len(carried.records) == len(TRACKS) * CASES
    return carried


def test_each_container_gets_one_of_the_gpus_and_both_are_used(shared: Carried) -> None:
    assert [len(each.devices) for each in shared.trials] == [1] * len(shared.trials)
    assert {device for each in shared.trials for device in each.devices} == {"0", "1"}
    assert set(shared.seen_inside) == {"0 compute,utility", "1 compute,utility"}


def test_each_gpu_is_tried_before_the_first_case(shared: Carried) -> None:
    tried, first_trial = [each for each in shared.given if not each.is_trial], shared.trials[0]
    assert sorted(device for each in tried for device in each.devices) == ["0", "1"]
    assert all(shared.ends[each.container] < first_trial.began for each in tried)


def test_containers_on_one_gpu_never_overlap(shared: Carried) -> None:
    for device in ("0", "1"):
        turns = [each for each in shared.trials if each.devices == {device}]
        assert len(turns) > 1
        for before, after in pairwise(turns):
            assert shared.ends[before.container] <= after.began


def test_never_more_containers_than_gpus_and_both_work_at_once(shared: Carried) -> None:
    beside = [
        sum(other.began <= each.began < shared.ends[other.container] for other in shared.trials)
        for each in shared.trials
    ]
    assert max(beside) == 2


def test_the_record_names_the_gpu_that_the_container_had(shared: Carried) -> None:
    for record, seen in zip(shared.records, shared.seen_inside, strict=True):
        (request,) = record.container["HostConfig"]["DeviceRequests"]
        assert request["DeviceIDs"] == [record.device]
        assert seen.split()[0] == record.device


def test_gpus_none_gives_none_and_takes_back_what_the_image_claims(engine: GpuEngine, bed: Bed, tmp_path: Path) -> None:
    carried = carry_out(engine, bed, tmp_path / "run", "none", *ONE_TEAM)
    assert carried.finished.code == 0, carried.finished.err
    assert_without_gpu(carried)


def test_a_task_that_wants_no_gpu_gets_none(engine: GpuEngine, bed: Bed, tmp_path: Path) -> None:
    challenge = shutil.copytree(bed.challenge, tmp_path / "challenge")
    spec = challenge / "brain_age.yaml"
    spec.write_text(spec.read_text().replace(WANTED, "gpu: false"))
    carried = carry_out(engine, Bed(challenge, bed.data, bed.submissions), tmp_path / "run", "0", *ONE_TEAM)
    assert carried.finished.code == 0, carried.finished.err
    assert_without_gpu(carried)


def assert_without_gpu(carried: Carried) -> None:
    assert carried.given == ()
    assert carried.seen_inside == ("void None",) * CASES
    assert [record.device for record in carried.records] == [None] * CASES
    assert not any(record.container["HostConfig"]["DeviceRequests"] for record in carried.records)


def test_gpus_all_leases_what_nvidia_smi_lists(engine: GpuEngine, bed: Bed, tmp_path: Path) -> None:
    path = nvidia_smi(tmp_path, f'[ "$*" = "{SMI_ARGUMENTS}" ] && echo {UUIDS[0]} && echo {UUIDS[1]}')
    carried = carry_out(engine, bed, tmp_path / "run", "all", *ONE_TEAM, path=path)
    assert carried.finished.code == 0, carried.finished.err
    assert {device for each in carried.trials for device in each.devices} == set(UUIDS)
    assert {record.device for record in carried.records} == set(UUIDS)


def test_a_gpu_that_fails_during_the_run_is_not_the_teams_fault(engine: GpuEngine, bed: Bed, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with engine.losing("1"):
        carried = carry_out(engine, bed, out, "0,1", *ONE_TEAM)
    assert carried.finished.code == 0, carried.finished.err
    spoiled = [Record.model_validate_json(path.read_text()) for path in out.glob("attempts/**/*.json")]
    assert spoiled
    assert {(each.outcome.ending, each.device) for each in spoiled} == {(Ending.GPU_LOST, "1")}
    # Each was tried again, in the same run, until it had the GPU that works.
    assert [(record.outcome.ending, record.device) for record in carried.records] == [(Ending.OK, "0")] * CASES


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "nvidia-smi is not installed"),
        ("exit 9", "nvidia-smi fails"),
        ("exit 0", "nvidia-smi lists none"),
    ],
    ids=["absent", "failing", "empty"],
)
def test_gpus_all_without_any_stops_before_anything_is_written(
    bed: Bed, tmp_path: Path, script: str | None, why: str
) -> None:
    path = str(tmp_path) if script is None else nvidia_smi(tmp_path, script)
    ended = fomo_eval(*bed.command(tmp_path / "run", "all"), environment={**os.environ, "PATH": path})
    assert_stopped_for_want_of_a_gpu(ended)
    assert why in ended.err
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_the_engine_cannot_give_stops_the_run_before_the_first_case(bed: Bed, tmp_path: Path) -> None:
    # On the machine's own engine: whether or not it has GPUs, it has not this one.
    out = tmp_path / "run"
    ended = fomo_eval(*bed.command(out, NO_SUCH_GPU))
    assert_stopped_for_want_of_a_gpu(ended)
    assert NO_SUCH_GPU in ended.err
    assert not out.exists()
    assert containers_of_probes() == []


def assert_stopped_for_want_of_a_gpu(ended: Finished) -> None:
    assert ended.code == 3
    last = ended.err.strip().rpartition("\nStopped: ")[2]
    assert "\n" not in last
    assert "Install the NVIDIA driver and nvidia-container-toolkit" in last


@pytest.mark.parametrize("gpus", ["0,0", ",", "0,,1", ""])
def test_a_list_of_gpus_that_is_none_is_a_usage_error(bed: Bed, tmp_path: Path, gpus: str) -> None:
    ended = fomo_eval(*bed.command(tmp_path / "run", gpus))
    assert ended.code == 2
    assert f"--gpus is '{gpus}'" in ended.err
    assert not (tmp_path / "run").exists()


def nvidia_smi(folder: Path, script: str) -> str:
    """Write an nvidia-smi; return the PATH on which it is the only one."""
    command = folder / "bin" / "nvidia-smi"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return str(command.parent)


def containers_of_probes() -> list[str]:
    words = ["docker", "ps", "--all", "--quiet", "--filter", "name=^/fomo-eval-.*-probe$"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
