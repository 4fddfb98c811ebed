"""The fake engine holds what every engine holds."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines.engine import RunRequest, RunResult
from harness.engines.fake import FakeEngine
from tests.contract.engine_contract import LIMITS, STARTED, Ask, EngineContract, request_of

IMAGE = "behaviours:1"


class OnFakeEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> Iterator[FakeEngine]:
        released = threading.Event()

        def behave(request: RunRequest) -> RunResult:
            match request.arguments:
                case ("copy",):
                    shutil.copy(request.input_folder / "words.txt", request.output_folder)
                case ("exit", code):
                    return RunResult(exit_code=int(code))
                case ("hang",):
                    (request.output_folder / STARTED).touch()
                    released.wait(LIMITS.seconds)
            return RunResult(exit_code=0)

        with FakeEngine({IMAGE: behave}) as engine:
            yield engine
        released.set()

    @pytest.fixture
    def ask(self, engine: FakeEngine, tmp_path: Path) -> Ask:
        image = engine.find_image(IMAGE)
        return lambda *words: request_of(image, words, tmp_path)

    def test_a_gpu_that_is_there_can_be_given(self, tmp_path: Path) -> None:
        given: list[str | None] = []

        def note(request: RunRequest) -> RunResult:
            given.append(request.device)
            return RunResult(exit_code=0)

        with FakeEngine({IMAGE: note}, devices=("0",)) as engine:
            request = replace(request_of(engine.find_image(IMAGE), (), tmp_path), device="0")
            engine.probe(request)
            engine.run(request)
        assert given == ["0"]

    def test_what_a_behaviour_raises_reaches_the_caller(self, tmp_path: Path) -> None:
        def fail(_: RunRequest) -> RunResult:
            raise TimeoutError("of the behaviour itself")

        with FakeEngine({IMAGE: fail}) as engine, pytest.raises(TimeoutError, match="of the behaviour itself"):
            engine.run(request_of(engine.find_image(IMAGE), (), tmp_path))
