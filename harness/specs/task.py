"""The task spec: everything in which one task differs from another."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from harness.specs.part import (
    FLAG_PATTERN,
    VOLUME_FILE_PATTERN,
    Finite,
    Line,
    Name,
    Positive,
    SpecPart,
    Switch,
    Whole,
)

Direction = Literal["higher", "lower", "zero", "none"]
"""Which values are better: higher ones, lower ones, those closer to zero, or neither."""

Flag = Annotated[str, Field(pattern=FLAG_PATTERN)]
Code = Annotated[int, Field(strict=True, ge=1, le=254)]
OUTPUT_FLAG = "--output"


class Input(SpecPart):
    """One volume of a case and the flag by which a container receives it."""

    name: Name
    flag: Flag
    required: Switch = True


class OneOf(SpecPart):
    """Inputs of which each case has one; where it has several, the first in this order is passed."""

    one_of: tuple[Input, ...] = Field(min_length=2)


def _input_or_choice(value: Any) -> str:
    is_choice = "one_of" in value if isinstance(value, dict) else isinstance(value, OneOf)
    return "choice" if is_choice else "input"


InputOrChoice = Annotated[
    Annotated[Input, Tag("input")] | Annotated[OneOf, Tag("choice")], Discriminator(_input_or_choice)
]


def _relative_pattern(pattern: str, placeholders: tuple[str, ...]) -> str:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"is '{pattern}'; it must be a path below the data folder, without '..'.")
    for placeholder in placeholders:
        if pattern.count(placeholder) != 1:
            raise ValueError(f"is '{pattern}'; it must contain {placeholder} exactly once.")
    rest = pattern
    for placeholder in placeholders:
        rest = rest.replace(placeholder, "")
    foreign = next((character for character in rest if character in "*?[]{}\\" or not character.isprintable()), None)
    if foreign is not None:
        meant = f"other than {' and '.join(placeholders)}" if placeholders else "at all"
        raise ValueError(f"is '{pattern}'; it must hold no placeholder or wildcard {meant}.")
    return pattern


def _require_order(minimum: float | None, maximum: float | None) -> None:
    if minimum is not None and maximum is not None and minimum >= maximum:
        raise ValueError(f"has the minimum {minimum:g} and the maximum {maximum:g}; the minimum must be smaller.")


class Files(SpecPart):
    """Where a task's volumes and references lie below the data folder, and the table of groups, where there is one."""

    folder: str
    volume: str
    reference: str
    groups: str | None = None

    @field_validator("folder")
    @classmethod
    def _folder_is_relative(cls, value: str) -> str:
        return _relative_pattern(value, ())

    @field_validator("groups")
    @classmethod
    def _groups_are_one_file(cls, value: str | None) -> str | None:
        return None if value is None else _relative_pattern(value, ())

    @field_validator("volume")
    @classmethod
    def _volume_names_case_and_input(cls, value: str) -> str:
        if not value.endswith((".nii", ".nii.gz")):
            raise ValueError(f"is '{value}'; it must end in .nii or .nii.gz.")
        return _relative_pattern(value, ("{case}", "{input}"))

    @field_validator("reference")
    @classmethod
    def _reference_names_case(cls, value: str) -> str:
        return _relative_pattern(value, ("{case}",))


class ScalarOutput(SpecPart):
    """One number in a UTF-8 text file; bounds are inclusive."""

    format: Literal["scalar"]
    file: Name
    meaning: Line
    minimum: Finite | None = None
    maximum: Finite | None = None

    @model_validator(mode="after")
    def _ordered(self) -> ScalarOutput:
        _require_order(self.minimum, self.maximum)
        return self


class MaskOutput(SpecPart):
    """One NIfTI mask (0 is background) on the grid of one of the case's inputs.

    It is binary, unless it names ``structures``: then each has a code of its own, and metrics are computed for each and
    averaged. References hold the same codes.
    """

    format: Literal["mask"]
    file: Annotated[Name, Field(pattern=VOLUME_FILE_PATTERN)]
    meaning: Line
    structures: dict[Name, Code] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _codes_differ(self) -> MaskOutput:
        codes = list(self.structures.values())
        repeated = next((code for code in codes if codes.count(code) > 1), None)
        if repeated is not None:
            raise ValueError(f"has the code {repeated} twice in 'structures'; each must have its own.")
        return self


class ScalarReference(SpecPart):
    """One number per case: either from a closed list, or within the plausible range."""

    format: Literal["scalar"]
    values: tuple[Finite, ...] | None = None
    minimum: Finite | None = None
    maximum: Finite | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> ScalarReference:
        bounds = [each for each in (self.minimum, self.maximum) if each is not None]
        if bool(self.values) == bool(bounds) or len(bounds) == 1:
            raise ValueError("must hold either 'values', at least one, or both 'minimum' and 'maximum'.")
        if self.values and len(set(self.values)) < len(self.values):
            raise ValueError("must not hold the same of its 'values' twice.")
        _require_order(self.minimum, self.maximum)
        return self


class MaskReference(SpecPart):
    """One NIfTI mask per case: 0 and 1, or the codes of the output's structures."""

    format: Literal["mask"]


class Limits(SpecPart):
    """What one container may use for one case."""

    seconds: Positive
    cpus: Positive
    memory_gib: Positive
    shared_memory_gib: Positive = 1.0
    scratch_gib: Positive = 1.0
    processes: Whole = Field(default=512, ge=1)
    output_mib: Positive = 256.0
    output_entries: int = Field(default=1024, ge=1)
    gpu: Switch = False


class EmptyMasks(SpecPart):
    """What a case is worth when masks are empty, where the metric itself has no say."""

    both: Finite = 1.0
    one: Finite = 0.0


class MetricSpec(SpecPart):
    """One metric of a task and every policy that decides its value.

    ``missing`` is what a missing or invalid prediction costs: ``worst`` is the worst that the metric
    knows; a number is the case's value for a metric per case, and the imputed prediction for a metric
    over all cases; ``omit`` leaves the case out, where the metric is not ranked. ``decimals`` rounds the
    task's value before it is ranked and shown.
    """

    name: Name
    direction: Direction
    decimals: Whole = Field(default=3, ge=0, le=12)
    ranked: Switch = True
    weight: Positive = 1.0
    missing: Finite | Literal["worst", "omit"] = "worst"
    empty: EmptyMasks | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("missing", mode="before")
    @classmethod
    def _number_or_word(cls, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number and value not in ("worst", "omit"):
            raise ValueError(f"is {value!r:.60}; it must be 'worst', 'omit' or a finite number.")
        return value

    @model_validator(mode="after")
    def _rankable(self) -> MetricSpec:
        if self.ranked and self.direction == "none":
            raise ValueError(f"ranks '{self.name}', of which no value is better than another; set 'ranked: false'.")
        if self.ranked and self.missing == "omit":
            raise ValueError(
                f"ranks '{self.name}' and leaves out cases without a prediction, so that failing would pay; "
                "set 'ranked: false', or 'missing' to 'worst' or a number."
            )
        return self


class Release(SpecPart):
    """What each team may be told of its own results, in its page of the report.

    ``scores``: values over all cases, and failures with their remedies. ``case_scores``: each case as well, with its
    prediction and what it is worth on the ranked metrics. ``overlays``: the references too: outlines over slices,
    numbers beside predictions.
    """

    to_teams: Literal["scores", "case_scores", "overlays"] = "scores"


class TaskSpec(SpecPart):
    """One task: what goes into a container, what must come out, and what it is worth."""

    name: Name
    title: Line
    description: str
    inputs: tuple[InputOrChoice, ...] = Field(min_length=1)
    files: Files
    output: Annotated[ScalarOutput | MaskOutput, Field(discriminator="format")]
    reference: Annotated[ScalarReference | MaskReference, Field(discriminator="format")]
    limits: Limits
    metrics: tuple[MetricSpec, ...] = Field(min_length=1)
    release: Release = Field(default=Release(), exclude_if=lambda value: value == Release())

    @model_validator(mode="after")
    def _consistent(self) -> TaskSpec:
        inputs = self.all_inputs
        for field, what, words in (
            ("inputs", "name", [each.name for each in inputs]),
            ("inputs", "flag", [each.flag for each in inputs]),
            ("metrics", "name", [each.name for each in self.metrics]),
        ):
            repeated = sorted({word for word in words if words.count(word) > 1})
            if repeated:
                raise ValueError(f"has two '{field}' with the {what} '{repeated[0]}'; each must have its own.")
        if OUTPUT_FLAG in [each.flag for each in inputs]:
            raise ValueError(f"has the flag '{OUTPUT_FLAG}' among its 'inputs'; it is the prediction's.")
        if self.output.format != self.reference.format:
            raise ValueError(
                f"has the output.format '{self.output.format}' and the reference.format '{self.reference.format}'; "
                "they must be the same."
            )
        if not self.ranked_metrics:
            raise ValueError("has no 'metrics' with 'ranked: true'; at least one must be ranked.")
        return self

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """Every input that the task names, choices unfolded, in order."""
        return tuple(each for item in self.inputs for each in (item.one_of if isinstance(item, OneOf) else (item,)))

    @property
    def structures(self) -> dict[str, int]:
        """The codes of a mask's structures by name; empty for a binary mask and for numbers."""
        return self.output.structures if isinstance(self.output, MaskOutput) else {}

    @property
    def ranked_metrics(self) -> tuple[MetricSpec, ...]:
        """The metrics that decide the task's rank."""
        return tuple(metric for metric in self.metrics if metric.ranked)
