"""Every example in a metric's documentation runs, and gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import harness.metrics

MODULES = [module.name for module in pkgutil.iter_modules(harness.metrics.__path__, "harness.metrics.")]
WITHOUT_VALUES = {
    "harness.metrics.checking",
    "harness.metrics.metric",
    "harness.metrics.parameters",
}  # they compute nothing


@pytest.mark.parametrize("name", sorted(set(MODULES) - WITHOUT_VALUES))
def test_examples_of_a_module(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))

    assert outcome.attempted > 0
    assert outcome.failed == 0
