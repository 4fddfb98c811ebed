"""The Docker engine holds what every engine holds, and tells apart how containers end."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from harness.engines import docker_containers, sandbox
from harness.engines.docker import LOG_BYTES, DockerEngine
from harness.engines.engine import RUN_LABEL, container_prefix
from harness.engines.outcome import Ending, Refusal, classify
from harness.errors import EngineFault
from tests.contract.engine_contract import LIMITS, PROMPT_S, RUN, Ask, EngineContract, running
from tests.support.behaviours import ask_of, behaviours_image
from tests.support.images import ENTRYPOINT, script_image

pytestmark = pytest.mark.docker

MIB = 1 << 20


@pytest.fixture(scope="module")
def image() -> str:
    return behaviours_image()


class OnDockerEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> Iterator[DockerEngine]:
        with DockerEngine() as engine:
            yield engine
        assert docker("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}={RUN}") == ""

    @pytest.fixture
    def ask(self, engine: DockerEngine, image: str, tmp_path: Path) -> Ask:
        return ask_of(engine, image, tmp_path)

    def test_what_it_knows_of_an_image(self, engine: DockerEngine, image: str) -> None:
        facts = engine.find_image(image)
        assert facts.id == docker("image", "inspect", "--format", "{{.Id}}", image)
        assert facts.platform == engine.facts().platform
        assert facts.has_entrypoint
        assert facts.volumes == ("/declared",)
        assert engine.find_image(facts.id) == facts

    def test_an_archive_is_the_image_that_was_saved(self, engine: DockerEngine, image: str, tmp_path: Path) -> None:
        docker("save", "--output", str(tmp_path / "saved.tar"), image)
        assert engine.load_archive(tmp_path / "saved.tar") == engine.find_image(image)

    def test_the_log_holds_both_streams(self, engine: DockerEngine, ask: Ask) -> None:
        lines = engine.run(ask("print", "300")).log.decode().splitlines()
        # Each stream in its own order; the engine reads the two side by side.
        assert [line for line in lines if line != "a warning"] == ["the first line", *["x" * 99] * 3, "the last line"]
        assert "a warning" in lines

    def test_of_a_long_log_the_end_is_kept(self, engine: DockerEngine, ask: Ask) -> None:
        log = engine.run(ask("print", str(5 * MIB))).log
        assert LOG_BYTES // 2 < len(log) <= LOG_BYTES
        assert b"the last line\n" in log[-200:]

    def test_a_log_without_line_ends_is_capped(self, engine: DockerEngine, ask: Ask) -> None:
        assert len(engine.run(ask("shout", str(5 * MIB))).log) == LOG_BYTES

    def test_more_memory_than_allowed_is_told_from_a_crash(self, engine: DockerEngine, ask: Ask) -> None:
        result = engine.run(replace(ask("eat"), limits=replace(LIMITS, memory_bytes=64 * MIB)))
        assert result.out_of_memory
        assert classify(result).ending is Ending.OUT_OF_MEMORY

    def test_a_child_that_ran_out_of_memory_is_noted(self, engine: DockerEngine, ask: Ask) -> None:
        result = engine.run(replace(ask("let a child eat"), limits=replace(LIMITS, memory_bytes=64 * MIB)))
        assert (result.exit_code, result.out_of_memory) == (0, True)
        assert classify(result).notes

    def test_scratch_space_is_bounded(self, engine: DockerEngine, ask: Ask) -> None:
        result = engine.run(ask("fill", "/tmp", "2", "40"))
        assert classify(result).ending is Ending.CRASHED
        assert b"No space left on device" in result.log

    def test_a_large_file_in_the_output_is_bounded(self, engine: DockerEngine, ask: Ask) -> None:
        request = ask("fill", "/output", "1", "100")
        result = engine.run(request)
        outcome = classify(result)
        assert (outcome.ending, outcome.refusal) == (Ending.INVALID_OUTPUT, Refusal.TOO_LARGE)
        assert (request.output_folder / "0").stat().st_size <= 64 * MIB

    @pytest.mark.parametrize(
        "lines",
        [
            'ENTRYPOINT ["/not/there"]',
            'ENTRYPOINT ["/etc"]',
            f"VOLUME /\n{ENTRYPOINT}",
            f"VOLUME /proc\n{ENTRYPOINT}",
            f'RUN ["python", "-c", "import os; os.symlink(\'/proc\', \'/output\')"]\n{ENTRYPOINT}',
            f'RUN ["python", "-c", "import os; os.symlink(\'/input\', \'/input\')"]\n{ENTRYPOINT}',
            f'RUN ["python", "-c", "import os; os.symlink(\'/proc\', \'/a\')"]\nVOLUME /a/b\n{ENTRYPOINT}',
            f'RUN ["python", "-c", "open(\'/output\', \'w\')"]\n{ENTRYPOINT}',
        ],
        ids=[
            "missing",
            "folder",
            "volume at root",
            "volume at proc",
            "output in proc",
            "input in a circle",
            "parent",
            "file",
        ],
    )
    def test_an_image_that_cannot_start_is_to_blame_itself(
        self, engine: DockerEngine, tmp_path: Path, lines: str
    ) -> None:
        result = engine.run(ask_of(engine, script_image("pass", lines=lines), tmp_path)())
        assert classify(result).ending is Ending.CANNOT_START
        assert classify(result).detail

    def test_stopping_reaches_a_container_that_is_just_starting(
        self, engine: DockerEngine, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start = docker_containers.start

        def stop_and_start(*arguments: Any) -> None:
            engine.stop_all()
            start(*arguments)

        monkeypatch.setattr(docker_containers, "start", stop_and_start)
        result = engine.run(ask("hang"))
        assert result.stopped
        assert result.seconds < PROMPT_S

    def test_containers_are_ended_side_by_side(self, image: str, tmp_path: Path) -> None:
        both = threading.Barrier(2, timeout=LIMITS.seconds)

        class AtOnce(DockerEngine):
            def _kill(self, identity: str) -> bool:
                both.wait()
                return super()._kill(identity)

        with AtOnce() as engine:
            ask = ask_of(engine, image, tmp_path)
            with running(engine, ask("hang")) as one, running(engine, ask("hang")) as other:
                engine.stop_all()
                assert one.result(timeout=PROMPT_S).stopped
                assert other.result(timeout=PROMPT_S).stopped

    def test_it_describes_what_confines_containers_and_where_it_keeps_them(self, engine: DockerEngine) -> None:
        facts = engine.facts()
        assert facts.filters_system_calls
        assert facts.storage == (
            Path(docker("info", "--format", "{{.DockerRootDir}}")) if facts.shares_mounts else None
        )

    def test_what_a_container_ran_under_is_told_as_the_engine_tells_it(self, engine: DockerEngine, ask: Ask) -> None:
        request = ask("exit", "0")
        told = engine.run(request).configuration
        assert told["Entrypoint"] == ["python", "/app/predict.py"]  # the image's
        assert told["Cmd"] == ["exit", "0"]
        assert set(told["Env"]) >= {"HOME=/tmp", "NVIDIA_VISIBLE_DEVICES=void", "LD_LIBRARY_PATH=/nowhere"}
        assert told["Healthcheck"] == {"Test": ["NONE"]}
        assert told["Labels"] == request.labels
        assert told["HostConfig"]["CapDrop"] == ["ALL"]
        assert told["HostConfig"]["Mounts"][0]["Source"] == str(request.input_folder)

    def test_what_a_refused_container_was_to_run_under_is_told(self, engine: DockerEngine, tmp_path: Path) -> None:
        image = script_image("pass", lines=f"VOLUME /proc\n{ENTRYPOINT}")
        request = ask_of(engine, image, tmp_path)()
        result = engine.run(request)
        assert result.refused
        assert result.configuration == sandbox.container(request)

    def test_an_engine_that_applies_another_option_is_refused_by_its_name(
        self, engine: DockerEngine, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = ask("exit", "0")
        asked = sandbox.container(request)
        weaker = {**asked, "HostConfig": {**asked["HostConfig"], "CapAdd": ["CHOWN"]}}
        make: Callable[[sandbox.Configuration, str], object] = engine._client.api.create_container_from_config

        monkeypatch.setattr(engine._client.api, "create_container_from_config", lambda _, name: make(weaker, name))
        with pytest.raises(EngineFault, match="the option CapAdd of a container"):
            engine.run(request)

    @pytest.mark.parametrize(
        "lines",
        [
            f'WORKDIR "/input/no space left on device"\n{ENTRYPOINT}',
            f'VOLUME ["/input/no space left on device"]\n{ENTRYPOINT}',
        ],
        ids=["working folder", "volume"],
    )
    def test_no_image_can_pass_for_a_full_disk(self, engine: DockerEngine, tmp_path: Path, lines: str) -> None:
        request = ask_of(engine, script_image("pass", lines=lines), tmp_path)()
        engine.probe(request)
        outcome = classify(engine.run(request))
        assert outcome.ending is Ending.CANNOT_START
        assert "no space left on device" in outcome.detail

    def test_an_engine_that_starts_no_container_is_at_fault_itself(
        self, engine: DockerEngine, ask: Ask, tmp_path: Path
    ) -> None:
        request = replace(ask("exit", "0"), input_folder=tmp_path / "gone")
        with pytest.raises(EngineFault):
            engine.run(request)

    def test_a_container_that_stays_is_not_said_to_be_removed(
        self, engine: DockerEngine, image: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = f"{RUN}-stays"
        name = f"{container_prefix(run)}1"
        docker("create", "--label", f"{RUN_LABEL}={run}", "--name", name, image, "hang")
        try:
            with monkeypatch.context() as engine_refuses:
                engine_refuses.setattr(Container, "remove", refuse)
                with pytest.raises(EngineFault, match=name) as caught:
                    engine.remove_leftovers(run)
            assert caught.value.remedy
            assert engine.remove_leftovers(run) == (name,)
        finally:
            docker_quietly("rm", "--force", name)

    def test_an_engine_that_is_left_ends_what_it_runs(self, image: str, tmp_path: Path) -> None:
        with DockerEngine() as engine, running(engine, ask_of(engine, image, tmp_path)("hang")) as result:
            engine.__exit__(None, None, None)
            assert result.result(timeout=PROMPT_S).stopped

    def test_leftovers_are_this_runs_alone(self, engine: DockerEngine, image: str) -> None:
        run = f"{RUN}-left"
        stranger = docker("create", image, "hang")
        other = docker("create", "--label", f"{RUN_LABEL}={run}-not", image, "hang")
        # An image can carry our label, and somebody else can run it under a name of their own.
        alike = docker("create", "--label", f"{RUN_LABEL}={run}", image, "hang")
        ours = ("--label", f"{RUN_LABEL}={run}", "--name")
        try:
            docker("create", *ours, f"{container_prefix(run)}1", image, "hang")
            docker("run", "--detach", *ours, f"{container_prefix(run)}2", image, "hang")
            assert engine.remove_leftovers(run) == (f"{container_prefix(run)}1", f"{container_prefix(run)}2")
            assert docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={RUN_LABEL}={run}") == alike
            assert docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"id={stranger}") == stranger
            assert docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"id={other}") == other
        finally:
            docker("rm", "--force", "--volumes", stranger, other, alike)


def refuse(*_: object, **__: object) -> None:
    raise APIError("500 Server Error", explanation="device or resource busy")


def docker_quietly(*words: str) -> None:
    subprocess.run(["docker", *words], check=False, capture_output=True)


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()
