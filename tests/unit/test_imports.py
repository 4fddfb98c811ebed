"""Dependencies point one way; this reads every import of the package and holds it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "specs": {"errors"},
    "datasets": {"errors", "specs"},
    "metrics": {"errors", "specs"},
    "engines": {"errors"},
    "executors": set(),
    "records": {"errors", "specs", "datasets", "engines"},
    "execution": {"errors", "specs", "datasets", "engines", "records"},
    "validation": {"errors", "specs", "datasets", "metrics", "engines", "records", "execution"},
    "scoring": {"errors", "specs", "datasets", "metrics", "records"},
    "reports": {"errors", "specs", "datasets", "metrics", "records", "validation", "scoring"},
    "commands": {
        *(
            "errors",
            "specs",
            "datasets",
            "metrics",
            "engines",
            "executors",
            "records",
            "execution",
            "validation",
            "scoring",
            "reports",
        )
    },
    "cli": {"errors", "commands", "reports", "records", "scoring"},
}
FORBIDDEN_WORDS = {"utils", "helpers", "manager", "handler"}
HEAVY = ("numpy", "scipy", "nibabel", "docker", "pydantic", "rich", "sklearn", "yaml", "requests", "harness.commands")


def imported_by(module: Path) -> set[tuple[str, bool]]:
    """Return the names a module imports, and whether at its top level."""
    tree = ast.parse(module.read_text())
    top = {id(node) for node in tree.body}
    found = set()
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom) and node.module
            else []
        )
        found |= {(name, id(node) in top) for name in names}
    return found


def layer_of(name: str) -> str | None:
    words = name.split(".")
    return words[1] if words[0] == "harness" and len(words) > 1 and words[1] in LAYERS else None


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_one_way(module: Path) -> None:
    parts = module.relative_to(PACKAGE).with_suffix("").parts
    own = parts[0]
    if own in {"__init__", "__main__"}:
        return
    assert own in LAYERS, f"{own} is in no layer"
    used = {layer for name, _ in imported_by(module) if (layer := layer_of(name))} - {own}
    assert used <= LAYERS[own], f"{own} may not import {sorted(used - LAYERS[own])}"


def test_execution_never_sees_references_or_metrics() -> None:
    for module in (PACKAGE / "execution").glob("*.py"):
        for name, _ in imported_by(module):
            assert "references" not in name, module
            assert not name.startswith("harness.metrics"), module


def test_the_command_line_imports_nothing_heavy() -> None:
    for module in (PACKAGE / "cli").glob("*.py"):
        for name, at_top in imported_by(module):
            assert not (at_top and name.startswith(HEAVY)), (module, name)


def test_help_loads_nothing_heavy() -> None:
    script = "import sys, harness.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert not {"numpy", "scipy", "nibabel", "docker", "pydantic", "sklearn", "yaml", "requests"} & set(loaded)


def test_modules_are_short_and_named_in_the_projects_words() -> None:
    for module in MODULES:
        assert len(module.read_text().splitlines()) <= 330, f"{module} holds more than one thing"
        assert module.stem not in FORBIDDEN_WORDS, module


def test_no_task_is_named_in_code() -> None:
    for module in MODULES:
        words = {node.value for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Constant)}
        assert not {"infarct", "meningioma", "brain_age"} & words, module
