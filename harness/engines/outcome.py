"""Who is to blame: every ending of a trial, classified by one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness import errors
from harness.engines.engine import RunResult

KILLED, TERMINATED = 137, 143
ENDED_FROM_OUTSIDE = (KILLED, TERMINATED)
NOT_EXECUTABLE, NOT_FOUND = 126, 127


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


def classify(result: RunResult) -> Outcome:
    """Judge how a container ended; ``ok`` means that its prediction may be looked at.

    Parameters
    ----------
    result
        What the engine reports.

    Returns
    -------
    Outcome
        The first ending of this order that fits: stopped, refused, output too large, timed out, out of memory,
        killed from outside, cannot start, crashed, ok.

    Notes
    -----
    Exit codes 137 and 143 (SIGKILL and SIGTERM) without the kernel's out-of-memory mark and without our own kill are
    somebody else's doing; an engine that shuts down sends SIGTERM first. The machine is to blame,
    and the trial is repeated.
    """
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


def classify_repeated(outcome: Outcome, exit_code: int | None, attempts: int) -> Outcome:
    """Judge an ending that came out the same in every attempt of a run.

    Nobody else kills the same container each time: an image that ends with 137 or 143 in all of several attempts, on
    an engine that answers, ended itself so.

    Parameters
    ----------
    outcome, exit_code
        Of the last attempt; the others ended alike.
    attempts
        How many there were.
    """
    if outcome.ending is Ending.INTERRUPTED and exit_code in ENDED_FROM_OUTSIDE and attempts > 1:
        return Outcome(Ending.CRASHED, f"exit code {exit_code} in each of {attempts} attempts: it ended itself")
    return outcome


def classify_fault(fault: errors.InfrastructureError) -> Outcome:
    """Judge a fault of the machine.

    Parameters
    ----------
    fault
        What an engine raised.

    Returns
    -------
    Outcome
        An infrastructure ending, with the fault's own sentence.
    """
    kinds: dict[type[errors.InfrastructureError], Ending] = {
        errors.ImageUnavailable: Ending.IMAGE_UNAVAILABLE,
        errors.DiskFull: Ending.DISK_FULL,
        errors.EngineUnavailable: Ending.ENGINE_DOWN,
        errors.DeviceUnavailable: Ending.GPU_LOST,
        errors.RunInterrupted: Ending.INTERRUPTED,
    }
    return Outcome(kinds.get(type(fault), Ending.ENGINE_FAULT), fault.message)
