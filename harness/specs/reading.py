"""Reading a YAML file into a frozen spec, with one sentence for whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from harness.errors import UsageError
from harness.specs.part import SpecPart

Part = TypeVar("Part", bound=SpecPart)
LARGEST_FILE = 1 << 20
UNION_TAGS = frozenset({"input", "choice", "scalar", "mask"})


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
        raise error(f"{path}: {_sentence(fault)}", remedy=_more(fault)) from fault


def _document(path: Path, error: type[UsageError]) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise error(f"{path}: the file is larger than 1 MiB.", remedy="A spec is a short YAML file.")
        document = yaml.load(path.read_text(encoding="utf-8"), _SpecLoader)  # noqa: S506 - a SafeLoader
    except OSError as fault:
        raise error(f"{path}: cannot be read ({fault.strerror}).", remedy="Check the path.") from fault
    except UnicodeDecodeError as fault:
        raise error(f"{path}: is not UTF-8 text.", remedy="Save it as UTF-8.") from fault
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as fault:
        raise error(f"{path}: is not valid YAML{_place(fault)}.", remedy="Correct it there.") from fault
    if document is None:
        raise error(f"{path}: the file is empty.", remedy="Write the spec into it, or remove it.")
    if not isinstance(document, dict):
        raise error(f"{path}: holds a {type(document).__name__}, not keys and values.", remedy="Write 'key: value'.")
    return document


def _place(fault: Exception) -> str:
    mark = getattr(fault, "problem_mark", None)
    problem = getattr(fault, "problem", None) or "it cannot be parsed"
    return f" (line {mark.line + 1}, column {mark.column + 1}: {problem})" if mark else f" ({problem})"


def _sentence(fault: ValidationError) -> str:
    first = fault.errors(include_url=False)[0]
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    field = _field(first["loc"])
    if first["type"] == "missing":
        return f"the field '{field}' is missing."
    place = f"the field '{field}'" if field else "the file"
    if first["type"] == "unknown_key":
        return f"{place} {first['msg']}"
    if first["type"] == "value_error":
        return f"{place}: {message}."
    return f"{place} is not usable: {message[0].lower()}{message[1:]} (it is {_short(first['input'])})."


def _field(location: tuple[int | str, ...]) -> str:
    """Write a location as a person would: ``metrics[0].direction``, without the tags of unions."""
    words: list[str] = []
    for step in location:
        if isinstance(step, int):
            words[-1:] = [f"{words[-1]}[{step}]"] if words else [f"[{step}]"]
        elif step not in UNION_TAGS:
            words.append(step)
    return ".".join(words)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _more(fault: ValidationError) -> str:
    others = fault.error_count() - 1
    return "" if others == 0 else f"({others} more fault{'s' if others > 1 else ''} in this file.)"
