"""What ``scores.json`` holds: every value, or the reason why there is none."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.records.plan import Kept

PENDING = "pending"


class Scored(Kept):
    """A metric's value at full precision."""

    status: Literal["scored"] = "scored"
    value: float = Field(allow_inf_nan=False)


class Unscored(Kept):
    """A metric without a value: ``undefined`` for these cases, or ``pending`` until cases have run."""

    status: Literal["undefined", "pending"]
    reason: str


MetricScore = Annotated[Scored | Unscored, Field(discriminator="status")]


class CaseScore(Kept):
    """One case of one entry.

    Attributes
    ----------
    ending
        How its trial ended, or ``pending``.
    prediction
        The predicted number, for tasks that predict one.
    values
        By metric, for metrics that have a value per case.
    structures
        By structure and metric, for masks of several structures; ``values`` are their means.
    """

    case: str
    ending: str
    prediction: float | None = Field(default=None, exclude_if=lambda value: value is None)
    values: dict[str, float] = Field(default_factory=dict)
    structures: dict[str, dict[str, float]] = Field(default_factory=dict, exclude_if=lambda value: not value)


class EntryScore(Kept):
    """One team's scores in one task.

    Attributes
    ----------
    cases, valid
        How many cases there are, and how many of them have a valid prediction.
    endings
        How often trials ended in which way.
    provisional
        Some cases have no result yet, for reasons that are not the team's: no value here is final.
    """

    track: str
    team: str
    title: str
    baseline: bool
    task: str
    cases: int
    valid: int
    endings: dict[str, int]
    provisional: bool
    metrics: dict[str, MetricScore]
    case_scores: tuple[CaseScore, ...]


class Scores(Kept):
    """Everything that was scored.

    Attributes
    ----------
    rules
        SHA-256 of the challenge and task specs.
    evidence
        SHA-256 over every record's ending and prediction. Scores of the same rules and evidence are the same,
        whichever machine the predictions come from.
    references
        By task and case, for tasks whose references are numbers.
    """

    format: Literal[1] = 1
    challenge: str
    rules: str
    evidence: str
    references: dict[str, dict[str, float]]
    entries: tuple[EntryScore, ...]
