"""Every example in the documentation of the code runs, and gives what it says; every metric has one."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import harness
import harness.metrics

METRICS = [module.name for module in pkgutil.iter_modules(harness.metrics.__path__, "harness.metrics.")]
WITHOUT_VALUES = {
    "harness.metrics.checking",
    "harness.metrics.metric",
    "harness.metrics.parameters",
}  # they compute nothing
MODULES = [
    module.name
    for module in pkgutil.walk_packages(harness.__path__, "harness.")
    if not module.ispkg and module.name != "harness.__main__"
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))

    assert outcome.failed == 0
    assert outcome.attempted > 0 or name not in set(METRICS) - WITHOUT_VALUES
