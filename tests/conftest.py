"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.specs.challenge import Challenge
from harness.specs.loading import load_challenge
from tests.support.cohorts import write_cohort


@pytest.fixture(scope="session")
def fomo25() -> Challenge:
    """The built-in challenge."""
    return load_challenge("fomo25")


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of 4 / 3 / 4 cases; tests that change it work on a copy."""
    return write_cohort(tmp_path_factory.mktemp("cohort") / "small", "4,3,4")
