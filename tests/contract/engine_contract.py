"""What every engine holds. A test class of an engine inherits these tests and says how it runs each behaviour."""

from __future__ import annotations

import abc
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from harness.engines.engine import RUN_LABEL, ContainerLimits, Engine, ImageFacts, RunRequest, RunResult
from harness.engines.outcome import Ending, classify
from harness.errors import DeviceUnavailable, ImageUnavailable, RunInterrupted

RUN = f"contract-{secrets.token_hex(4)}"
"""Nobody else's on an engine that others use too."""

LIMITS = ContainerLimits(
    seconds=30,
    cpus=1,
    memory_bytes=256 << 20,
    shared_memory_bytes=64 << 20,
    scratch_bytes=64 << 20,
    output_bytes=4 << 20,
    processes=64,
)
PROMPT_S = 2.0
STARTED = "started"


class Ask(Protocol):
    """Writes the request of a behaviour: its name, then its arguments."""

    def __call__(self, *words: str) -> RunRequest: ...


class EngineContract(abc.ABC):
    """Tests of an engine.

    Behaviours that its ``request`` fixture can ask for: ``copy`` writes the content of ``/input/words.txt`` to
    ``/output/words.txt``; ``exit CODE`` ends with that code; ``hang`` writes ``/output/started`` and goes on for
    longer than any test, whatever signal it is asked to end by.
    """

    @pytest.fixture
    @abc.abstractmethod
    def engine(self) -> Iterator[Engine]:
        """An engine of the test's own."""

    @pytest.fixture
    @abc.abstractmethod
    def ask(self, engine: Engine, tmp_path: Path) -> Ask:
        """What writes the requests of the test."""

    def test_it_describes_itself(self, engine: Engine) -> None:
        facts = engine.facts()
        assert facts.name
        assert facts.version
        assert facts.platform.startswith("linux/")
        assert facts.cpus >= 1
        assert facts.memory_bytes > LIMITS.memory_bytes

    def test_an_unknown_image_is_unavailable(self, engine: Engine) -> None:
        with pytest.raises(ImageUnavailable, match="fomo-eval-test/never-built:1") as caught:
            engine.find_image("fomo-eval-test/never-built:1")
        assert caught.value.remedy

    def test_an_archive_that_is_not_there_is_unavailable(self, engine: Engine, tmp_path: Path) -> None:
        with pytest.raises(ImageUnavailable, match="never-saved"):
            engine.load_archive(tmp_path / "never-saved.tar")

    def test_a_container_reads_its_input_and_writes_its_output(self, engine: Engine, ask: Ask) -> None:
        request = ask("copy")
        (request.input_folder / "words.txt").write_text("some words")
        result = engine.run(request)
        assert classify(result).ending is Ending.OK, result
        assert (request.output_folder / "words.txt").read_text() == "some words"

    @pytest.mark.parametrize(
        ("code", "ending"), [(0, Ending.OK), (3, Ending.CRASHED), (127, Ending.CANNOT_START), (137, Ending.INTERRUPTED)]
    )
    def test_an_exit_code_is_passed_on_as_it_is(self, engine: Engine, ask: Ask, code: int, ending: Ending) -> None:
        result = engine.run(ask("exit", str(code)))
        assert result.exit_code == code
        assert (result.out_of_memory, result.timed_out, result.stopped, result.refused) == (False, False, False, "")
        assert classify(result).ending is ending

    def test_at_its_time_limit_a_container_is_ended(self, engine: Engine, ask: Ask) -> None:
        result = engine.run(replace(ask("hang"), limits=replace(LIMITS, seconds=1.0)))
        assert classify(result).ending is Ending.TIMEOUT
        assert not result.stopped
        assert 1.0 <= result.seconds < 1.0 + PROMPT_S

    def test_stopping_ends_what_runs_and_refuses_what_follows(self, engine: Engine, ask: Ask) -> None:
        request = ask("hang")
        with running(engine, request) as result:
            began = time.monotonic()
            engine.stop_all()
            assert classify(result.result(timeout=PROMPT_S)).ending is Ending.INTERRUPTED
            assert result.result().stopped
            assert time.monotonic() - began < PROMPT_S
        with pytest.raises(RunInterrupted):
            engine.run(request)

    def test_containers_run_side_by_side(self, engine: Engine, ask: Ask) -> None:
        with running(engine, ask("hang")) as hanging:
            assert engine.run(ask("exit", "0")).exit_code == 0
            assert not hanging.done()
            engine.stop_all()

    def test_a_gpu_that_is_not_there_cannot_be_given(self, engine: Engine, ask: Ask) -> None:
        request = replace(ask("exit", "0"), device="GPU-ffffffff-ffff-ffff-ffff-ffffffffffff")
        for give in (engine.probe, engine.run):
            with pytest.raises(DeviceUnavailable, match="GPU-ffffffff"):
                give(request)

    def test_nothing_of_a_run_is_left(self, engine: Engine, ask: Ask) -> None:
        engine.run(ask("exit", "0"))
        engine.run(replace(ask("hang"), limits=replace(LIMITS, seconds=0.5)))
        assert engine.remove_leftovers(RUN) == ()


@contextmanager
def running(engine: Engine, request: RunRequest) -> Iterator[Future[RunResult]]:
    """Have a request that hangs run in another thread; the block must end it."""
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(engine.run, request)
        deadline = time.monotonic() + LIMITS.seconds
        while not (request.output_folder / STARTED).exists():
            assert time.monotonic() < deadline, "the container does not start"
            assert not result.done(), result.result()
            time.sleep(0.02)
        yield result


def request_of(image: ImageFacts, words: tuple[str, ...], folder: Path) -> RunRequest:
    """Write a request whose folders lie below ``folder``."""
    name = secrets.token_hex(4)
    inside, outside = folder / name / "in", folder / name / "out"
    inside.mkdir(parents=True)
    outside.mkdir()
    return RunRequest(
        name=f"fomo-eval-{RUN}-{name}",
        labels={RUN_LABEL: RUN},
        image=image,
        command=None,
        arguments=words,
        input_folder=inside,
        output_folder=outside,
        limits=LIMITS,
    )
