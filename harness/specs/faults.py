"""What is wrong with a spec, in words for the person who wrote it: which field, what it holds, what it must be."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from harness.errors import nearest
from harness.specs.part import PATTERNS

UNION_TAGS = frozenset({"input", "choice", "scalar", "mask"})
KEY_STEP = "[key]"
LONGEST_VALUE = 60

REQUIREMENTS: dict[str, str] = {
    "string_type": "must be text: put it in quotes",
    "string_too_short": "must not be empty",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be keys and values",
    "model_type": "must be keys and values",
    "model_attributes_type": "must be keys and values",
    "literal_error": "must be {expected}",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}
"""By pydantic's kind of error; ``string_pattern_mismatch`` is told by the pattern."""


def sentence(fault: ValidationError) -> str:
    """Tell the first fault of a file in one sentence that names the field and what it must be.

    Parameters
    ----------
    fault
        What checking the file against its spec raised.
    """
    first: Any = fault.errors(include_url=False)[0]
    kind, location, message = first["type"], first["loc"], first["msg"]
    if kind == "missing":
        return f"the field '{_field(location)}' is missing; add it."
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _wrong_tag(first)
    if location and location[-1] == KEY_STEP:
        owner = _field(location[:-2])
        return f"the field '{owner}' has the key {shown(first['input'])}; a key {requirement(first)}."
    place = f"the field '{_field(location)}'" if location else "the file"
    if kind == "unknown_key":
        return f"{place} {message}"
    if kind == "value_error":
        return f"{place} {message.removeprefix('Value error, ')}"
    return f"{place} is {shown(first['input'])}; it {requirement(first)}."


def others(fault: ValidationError) -> str:
    """Say how many more faults the file has; empty where the one that is told is all."""
    count = fault.error_count() - 1
    return "" if count == 0 else f"({count} more fault{'s' if count > 1 else ''} in this file.)"


def requirement(error: Any) -> str:
    """Say what a value must be, from one of pydantic's error descriptions."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch" and context["pattern"] in PATTERNS:
        return f"must be {PATTERNS[context['pattern']]}"
    if kind == "too_short":
        return f"must hold at least {context['min_length']} entr{'y' if context['min_length'] == 1 else 'ies'}"
    if kind in REQUIREMENTS:
        return REQUIREMENTS[kind].format(**context)
    return f"is not usable: {error['msg'][:1].lower()}{error['msg'][1:].rstrip('.')}"


def shown(value: object) -> str:
    """Write a value as a YAML file would, shortened."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _wrong_tag(error: Any) -> str:
    """Tell a choice of kinds (``format: scalar | mask``) that was not made, or made wrongly."""
    context = error["ctx"]
    field = f"{_field(error['loc'])}.{context['discriminator'].strip(chr(39))}"
    if error["type"] == "union_tag_not_found":
        return f"the field '{field}' is missing; add it."
    known = [tag.strip("'") for tag in context["expected_tags"].split(", ")]
    return f"the field '{field}' is '{context['tag']}'. {nearest(context['tag'], known)}"


def _field(location: tuple[int | str, ...]) -> str:
    """Write a location as a person would: ``metrics[0].direction``, without the tags of unions."""
    words: list[str] = []
    for step in location:
        if isinstance(step, int):
            words[-1:] = [f"{words[-1]}[{step}]"] if words else [f"[{step}]"]
        elif step not in UNION_TAGS:
            words.append(step)
    return ".".join(words)
