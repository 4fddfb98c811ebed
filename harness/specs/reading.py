"""Reading a YAML file into a frozen spec, with one sentence for whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from harness.errors import UsageError
from harness.specs import faults
from harness.specs.part import SpecPart

Part = TypeVar("Part", bound=SpecPart)
LARGEST_FILE = 1 << 20


class _SpecLoader(yaml.SafeLoader):
    """YAML that refuses repeated keys and aliases (which can expand without bound), and leaves dates as text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="uses an alias ('*name'); write the value out",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="has a list or a mapping as a key", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"has the key '{key}' twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_SpecLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path, part: type[Part], error: type[UsageError]) -> Part:
    """Read one YAML file into a spec.

    Parameters
    ----------
    path
        The file.
    part
        The spec that it must hold.
    error
        The kind of error to raise.

    Returns
    -------
    Part
        The frozen spec.

    Raises
    ------
    UsageError
        The given kind of it, naming the file and the field.
    """
    document = _document(path, error)
    try:
        return part.model_validate(document)
    except ValidationError as fault:
        raise error(f"{path}: {faults.sentence(fault)}", remedy=faults.others(fault)) from fault


def _document(path: Path, error: type[UsageError]) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise error(f"{path}: the file is larger than 1 MiB.", remedy="A spec is a short YAML file.")
        document = yaml.load(path.read_text(encoding="utf-8"), _SpecLoader)  # noqa: S506 - a SafeLoader
    except OSError as fault:
        raise error(f"{path}: cannot be read ({fault.strerror}).", remedy="Check the path.") from fault
    except UnicodeDecodeError as fault:
        raise error(f"{path}: is not UTF-8 text.", remedy="Save it as UTF-8.") from fault
    except RecursionError as fault:
        raise error(f"{path}: is nested too deeply.", remedy="A spec has a few levels only.") from fault
    except (yaml.YAMLError, ValueError) as fault:
        raise error(f"{path}: is not valid YAML ({_problem(fault)}).", remedy="Correct it there.") from fault
    if document is None:
        raise error(f"{path}: the file is empty.", remedy="Write the spec into it, or remove it.")
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else "a number" if isinstance(document, int | float) else "text"
        raise error(f"{path}: holds {kind}, not keys and values.", remedy="Write 'key: value'.")
    return document


def _problem(fault: Exception) -> str:
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark is not None:
        mark = fault.problem_mark
        problem = fault.problem or "it cannot be parsed"
        if problem.startswith("but "):
            problem = f"{fault.context}, {problem}"
        return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    if isinstance(fault, yaml.reader.ReaderError):
        return f"character {fault.position + 1}: {fault.reason}"
    return "a number in it cannot be read"
