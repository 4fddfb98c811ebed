"""One engine for all tests of this folder; each leaves it running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.specs.challenge import Challenge
from tests.support.fault_runs import SLOW, Faulty, faulty_run
from tests.support.second_engine import SecondEngine, second_engine


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[SecondEngine]:
    with second_engine() as engine:
        yield engine


@pytest.fixture
def engine(shared_engine: SecondEngine) -> Iterator[SecondEngine]:
    """An engine that a test may end; the next test finds it running again."""
    yield shared_engine
    if not shared_engine.runs:
        shared_engine.start()


@pytest.fixture(scope="session")
def undisturbed(shared_engine: SecondEngine, fomo25: Challenge, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    """A finished run that nothing happened to; a test has one like it, but for its folder."""
    faulty = faulty_run(shared_engine, fomo25, tmp_path_factory.mktemp("undisturbed"), {"alpha": SLOW})
    ended = faulty.finish()
    assert ended.code == 0, ended.err
    return faulty
