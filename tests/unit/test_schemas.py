"""The JSON Schemas that editors read: in step with the loader, and true of the YAML files that name them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.commands.tasks import SCHEMAS, schema
from harness.specs.loading import builtin_folder
from tests.support.cohorts import REPOSITORY

SPEC_FILES = sorted(
    [*builtin_folder().glob("*/*.yaml"), *(REPOSITORY / "examples" / "submissions").glob("*.yaml")],
)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_committed_schema_is_the_current_one(kind: str) -> None:
    committed = json.loads((builtin_folder() / "schema" / f"{kind}.schema.json").read_text())
    assert committed == schema(kind), "run 'make schemas'"


@pytest.mark.parametrize("file", SPEC_FILES, ids=lambda file: file.name)
def test_every_spec_names_a_schema_that_accepts_it(file: Path) -> None:
    first = file.read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    named = file.parent / first.partition("=")[2]
    jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(named.read_text()))


@pytest.mark.parametrize(("line", "kind"), [("limits: {seconds: 120}", "task"), ("trak: open", "submission")])
def test_schemas_refuse_what_the_loader_refuses(line: str, kind: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(line), schema(kind))
