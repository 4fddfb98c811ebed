"""The record: how one attempt at one trial went, for good."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.engines.outcome import Blame, Ending, Outcome, Refusal
from harness.records.plan import Kept, TrialKey

__all__ = ["Blame", "Ending", "Machine", "Outcome", "OutcomeRecord", "PredictionRecord", "Record", "Refusal"]


class OutcomeRecord(Kept):
    """An outcome as kept: the code, whose fault, what happened and what helps.

    ``message`` and ``remedy`` are fixed sentences and may be told to the team; ``detail`` is for organisers.
    """

    ending: Ending
    blame: Blame
    message: str
    detail: str = ""
    refusal: Refusal | None = None
    remedy: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, outcome: Outcome) -> OutcomeRecord:
        """Keep an outcome."""
        return cls(
            ending=outcome.ending,
            blame=outcome.blame,
            message=outcome.message,
            detail=outcome.detail,
            refusal=outcome.refusal,
            remedy=outcome.remedy,
            notes=outcome.notes,
        )


class PredictionRecord(Kept):
    """A prediction that was taken into the run directory, at a path relative to it."""

    file: Path
    bytes: int
    sha256: str


class Machine(Kept):
    """Where an attempt ran."""

    host: str
    platform: str
    engine: str
    cpus: int
    fomo_eval: str


class UsageRecord(Kept):
    """What a container used; absent where this machine does not tell."""

    memory_bytes: int | None = Field(default=None, exclude_if=lambda value: value is None)
    cpu_seconds: float | None = Field(default=None, exclude_if=lambda value: value is None)
    gpu_memory_bytes: int | None = Field(default=None, exclude_if=lambda value: value is None)


class Record(Kept):
    """One attempt at one trial.

    Attributes
    ----------
    run
        The run's id.
    attempt
        1 for the first.
    spans
        Seconds by step: ``stage``, ``start`` (creating and starting the container), ``container`` (its own
        time), ``collect`` and ``verify``.
    usage
        Memory at its peak, processor time, GPU memory at its peak.
    container
        The options under which it ran, as the engine reported them.
    """

    format: Literal[1] = 1
    run: str
    trial: TrialKey
    attempt: int
    outcome: OutcomeRecord
    prediction: PredictionRecord | None = None
    image: str
    exit_code: int | None = None
    device: str | None = None
    began: str
    spans: dict[str, float]
    usage: UsageRecord = UsageRecord()
    machine: Machine
    container: dict[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether the trial is over: the machine was not to blame."""
        return self.outcome.blame is not Blame.INFRASTRUCTURE
