"""Who is to blame: every ending of a trial, classified by one pure function.

One ending has two possible authors: a process that is killed (SIGKILL, SIGTERM) may have been killed by the machine, or
have killed itself in the hope of being tried again until its hard cases are forgotten. The rule that settles it:

- A kill is first held to be the machine's, and the trial is run again.
- Kills are counted over all attempts at the trial, in this run and in those before it; which of the two signals it was
  makes no difference, and neither do other faults in between.
- A kill is not counted where the next attempt found that the engine had gone away: an engine that stops takes its
  containers with it.
- At the fourth kill that counts the container has ended itself, and has crashed.

So no image can have a case left out, whatever it does with its exit codes, and no team is blamed for an engine that is
stopped or restarted, however often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness import errors
from harness.engines.engine import RunResult

KILLED, TERMINATED = 137, 143
ENDED_FROM_OUTSIDE = (KILLED, TERMINATED)
NOT_EXECUTABLE, NOT_FOUND = 126, 127
MOST_KILLS = 4
"""At the last of so many kills, a container is held to have ended itself."""


class Blame(StrEnum):
    """Whom an ending counts against."""

    NOBODY = "nobody"
    TEAM = "team"
    INFRASTRUCTURE = "infrastructure"


class Ending(StrEnum):
    """How a trial can end."""

    OK = "ok"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    NO_OUTPUT = "no_output"
    INVALID_OUTPUT = "invalid_output"
    WRONG_PLATFORM = "wrong_platform"
    CANNOT_START = "cannot_start"
    ENGINE_DOWN = "engine_down"
    ENGINE_FAULT = "engine_fault"
    IMAGE_UNAVAILABLE = "image_unavailable"
    DISK_FULL = "disk_full"
    GPU_LOST = "gpu_lost"
    INTERRUPTED = "interrupted"


class Refusal(StrEnum):
    """Why a prediction that was written is not accepted."""

    NOT_A_FILE = "not_a_file"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    NOT_ONE_NUMBER = "not_one_number"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    NOT_NIFTI = "not_nifti"
    WRONG_TYPE = "wrong_type"
    WRONG_GRID = "wrong_grid"
    NOT_BINARY = "not_binary"
    UNKNOWN_STRUCTURE = "unknown_structure"


INFRASTRUCTURE = frozenset(
    {
        Ending.ENGINE_DOWN,
        Ending.ENGINE_FAULT,
        Ending.IMAGE_UNAVAILABLE,
        Ending.DISK_FULL,
        Ending.GPU_LOST,
        Ending.INTERRUPTED,
    }
)

MESSAGES: dict[Ending | Refusal, str] = {
    Ending.OK: "The prediction was accepted.",
    Ending.CRASHED: "The container ended with an error.",
    Ending.TIMEOUT: "The container was ended at the time limit.",
    Ending.OUT_OF_MEMORY: "The container was ended at the memory limit.",
    Ending.NO_OUTPUT: "The container ended without writing its prediction.",
    Ending.WRONG_PLATFORM: "The image is for another kind of machine.",
    Ending.CANNOT_START: "The container could not be started.",
    Refusal.NOT_A_FILE: "The prediction is not a plain file.",
    Refusal.TOO_LARGE: "The container wrote more than it may.",
    Refusal.UNREADABLE: "The prediction cannot be read.",
    Refusal.NOT_ONE_NUMBER: "The prediction is not one number.",
    Refusal.NOT_FINITE: "The prediction is not finite.",
    Refusal.OUT_OF_RANGE: "The prediction is outside the allowed range.",
    Refusal.NOT_NIFTI: "The prediction is not a readable NIfTI-1 volume.",
    Refusal.WRONG_TYPE: "The prediction's voxels are not plain numbers.",
    Refusal.WRONG_GRID: "The prediction is not on the grid of the case's inputs.",
    Refusal.NOT_BINARY: "The prediction's voxels are not 0 and 1.",
    Refusal.UNKNOWN_STRUCTURE: "The prediction holds values that are no structure's.",
}
"""What a team is told: fixed sentences, which cannot carry anything of a case or of the machine."""

NOT_THE_TEAMS = "The machine failed; the trial will be run again."

REMEDIES: dict[Ending, str] = {
    Ending.OK: "",
    Ending.CRASHED: "Run the container on one case and read its log.",
    Ending.TIMEOUT: "Make inference faster, or load less before it.",
    Ending.OUT_OF_MEMORY: "Use less memory; the limit is in the task spec.",
    Ending.NO_OUTPUT: "Write the prediction to the path given by --output.",
    Ending.INVALID_OUTPUT: "Write the prediction as the task spec describes its output.",
    Ending.WRONG_PLATFORM: "Build the image for the platform of the evaluation machine.",
    Ending.CANNOT_START: "Check the image's ENTRYPOINT, that it exists and is executable by any user.",
    Ending.ENGINE_FAULT: "See the engine's log, then run the same command again.",
    Ending.ENGINE_DOWN: "Start the engine, then run the same command again.",
    Ending.IMAGE_UNAVAILABLE: "Bring the image back, then run the same command again.",
    Ending.DISK_FULL: "Free disk space, then run the same command again.",
    Ending.GPU_LOST: "Check the GPU, then run the same command again.",
    Ending.INTERRUPTED: "Run the same command again.",
}


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes
    ----------
    ending
        The code.
    detail
        What exactly happened, for organisers.
    refusal
        With ``invalid_output``, why.
    notes
        What was unusual and accepted all the same.
    """

    ending: Ending
    detail: str = ""
    refusal: Refusal | None = None
    notes: tuple[str, ...] = ()

    @property
    def blame(self) -> Blame:
        """Whom the ending counts against."""
        if self.ending is Ending.OK:
            return Blame.NOBODY
        return Blame.INFRASTRUCTURE if self.ending in INFRASTRUCTURE else Blame.TEAM

    @property
    def message(self) -> str:
        """What the team is told."""
        if self.blame is Blame.INFRASTRUCTURE:
            return NOT_THE_TEAMS
        return MESSAGES[self.refusal or self.ending]

    @property
    def remedy(self) -> str:
        """What the one to blame can do."""
        return REMEDIES[self.ending]


@dataclass(frozen=True)
class Ended:
    """How an attempt ended, as far as telling kills apart takes."""

    ending: Ending
    exit_code: int | None

    @property
    def killed(self) -> bool:
        """Whether somebody killed it from outside, or it did so itself."""
        return self.ending is Ending.INTERRUPTED and self.exit_code in ENDED_FROM_OUTSIDE


def classify(end: RunResult | errors.InfrastructureError, written: Outcome | None = None) -> Outcome:
    """Judge one attempt: how its container ended first, then what it wrote.

    Parameters
    ----------
    end
        What the engine reports or, where the machine failed, what it raised.
    written
        What was found on looking at the output; None before that.

    Returns
    -------
    Outcome
        The first ending of this order that fits: a fault of the machine, stopped, refused, output too large, timed
        out, out of memory, killed from outside, cannot start, crashed, what was found in the output. Without the last,
        ``ok`` means that the output may be looked at: that of a container that failed never is.

    Notes
    -----
    Exit codes 137 and 143 (SIGKILL and SIGTERM) without the kernel's out-of-memory mark and without our own kill are
    held to be somebody else's doing, until :func:`classify_repeated` knows better.
    """
    ended = _of_fault(end) if isinstance(end, errors.InfrastructureError) else _of_container(end)
    if ended.ending is not Ending.OK or written is None:
        return ended
    return replace(written, notes=(*ended.notes, *written.notes))


def _of_container(result: RunResult) -> Outcome:
    if result.stopped:
        return Outcome(Ending.INTERRUPTED, "the run was stopped while the container was running")
    if result.refused:
        return Outcome(Ending.CANNOT_START, result.refused)
    if result.overflowed:
        detail = "killed when /output held more than it may"
        return Outcome(Ending.INVALID_OUTPUT, detail, refusal=Refusal.TOO_LARGE)
    if result.timed_out:
        return Outcome(Ending.TIMEOUT, f"killed at the time limit after {result.seconds:.1f} s")
    code = result.exit_code
    if code != 0 and result.out_of_memory:
        return Outcome(Ending.OUT_OF_MEMORY, f"killed at the memory limit (exit code {code})")
    if code in ENDED_FROM_OUTSIDE:
        detail = f"killed from outside the container (exit code {code}, memory not exhausted)"
        return Outcome(Ending.INTERRUPTED, detail)
    if code in (NOT_EXECUTABLE, NOT_FOUND):
        return Outcome(Ending.CANNOT_START, f"its command was not found or is not executable (exit code {code})")
    if code != 0:
        return Outcome(Ending.CRASHED, f"exit code {code}")
    notes = ("a child process was killed at the memory limit",) if result.out_of_memory else ()
    return Outcome(Ending.OK, notes=notes)


def classify_repeated(outcome: Outcome, attempts: Sequence[Ended]) -> Outcome:
    """Judge an ending again in the light of all attempts at its trial, by the rule at the top of this module.

    Parameters
    ----------
    outcome
        Of the last attempt.
    attempts
        All that the machine is held to have spoiled, of this run and of earlier ones; the last one last.
    """
    if not attempts or not attempts[-1].killed:
        return outcome
    followed = zip(attempts, [*attempts[1:], None], strict=True)
    kills = sum(
        one.killed and (following is None or following.ending is not Ending.ENGINE_DOWN) for one, following in followed
    )
    if kills < MOST_KILLS:
        return outcome
    return Outcome(
        Ending.CRASHED, f"exit code {attempts[-1].exit_code}: killed in {kills} attempts, so it ended itself"
    )


def _of_fault(fault: errors.InfrastructureError) -> Outcome:
    kinds: dict[type[errors.InfrastructureError], Ending] = {
        errors.ImageUnavailable: Ending.IMAGE_UNAVAILABLE,
        errors.DiskFull: Ending.DISK_FULL,
        errors.EngineUnavailable: Ending.ENGINE_DOWN,
        errors.DeviceUnavailable: Ending.GPU_LOST,
        errors.RunInterrupted: Ending.INTERRUPTED,
    }
    return Outcome(kinds.get(type(fault), Ending.ENGINE_FAULT), fault.message)
