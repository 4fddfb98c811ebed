"""Who is to blame: the whole table of endings, and that no ending is without blame or remedy."""

from __future__ import annotations

import itertools

import pytest

from harness import errors
from harness.engines.engine import RunResult
from harness.engines.outcome import (
    INFRASTRUCTURE,
    REMEDIES,
    Blame,
    Ending,
    Outcome,
    classify,
    classify_fault,
)

# Without being stopped, refused or timed out: (exit code, killed by the kernel for memory) → ending.
BY_EXIT = {
    (0, False): Ending.OK,
    (0, True): Ending.OK,
    (1, False): Ending.CRASHED,
    (1, True): Ending.OUT_OF_MEMORY,
    (2, False): Ending.CRASHED,
    (2, True): Ending.OUT_OF_MEMORY,
    (126, False): Ending.CANNOT_START,
    (126, True): Ending.OUT_OF_MEMORY,
    (127, False): Ending.CANNOT_START,
    (127, True): Ending.OUT_OF_MEMORY,
    (134, False): Ending.CRASHED,
    (134, True): Ending.OUT_OF_MEMORY,
    (137, False): Ending.INTERRUPTED,
    (137, True): Ending.OUT_OF_MEMORY,
    (139, False): Ending.CRASHED,
    (139, True): Ending.OUT_OF_MEMORY,
    (143, False): Ending.INTERRUPTED,
    (143, True): Ending.OUT_OF_MEMORY,
    (255, False): Ending.CRASHED,
    (255, True): Ending.OUT_OF_MEMORY,
}

BLAMES = {
    Ending.OK: Blame.NOBODY,
    Ending.CRASHED: Blame.TEAM,
    Ending.TIMEOUT: Blame.TEAM,
    Ending.OUT_OF_MEMORY: Blame.TEAM,
    Ending.NO_OUTPUT: Blame.TEAM,
    Ending.INVALID_OUTPUT: Blame.TEAM,
    Ending.WRONG_PLATFORM: Blame.TEAM,
    Ending.CANNOT_START: Blame.TEAM,
    Ending.ENGINE_DOWN: Blame.INFRASTRUCTURE,
    Ending.ENGINE_FAULT: Blame.INFRASTRUCTURE,
    Ending.IMAGE_UNAVAILABLE: Blame.INFRASTRUCTURE,
    Ending.DISK_FULL: Blame.INFRASTRUCTURE,
    Ending.GPU_LOST: Blame.INFRASTRUCTURE,
    Ending.INTERRUPTED: Blame.INFRASTRUCTURE,
}


def expected(code: int, *, out_of_memory: bool, timed_out: bool, stopped: bool, refused: bool) -> Ending:
    if stopped:
        return Ending.INTERRUPTED
    if refused:
        return Ending.CANNOT_START
    return Ending.TIMEOUT if timed_out else BY_EXIT[code, out_of_memory]


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("timed_out", [False, True])
def test_the_whole_table(timed_out: bool, refused: bool, stopped: bool) -> None:
    for code, out_of_memory in BY_EXIT:
        result = RunResult(
            exit_code=code,
            out_of_memory=out_of_memory,
            timed_out=timed_out,
            stopped=stopped,
            refused="no such file" if refused else "",
            seconds=120.04,
        )
        outcome = classify(result)
        ending = expected(code, out_of_memory=out_of_memory, timed_out=timed_out, stopped=stopped, refused=refused)
        assert (outcome.ending, outcome.blame) == (ending, BLAMES[ending])
        assert outcome.detail or ending is Ending.OK


def test_a_container_that_never_started_and_was_not_refused_is_a_crash() -> None:
    assert classify(RunResult(exit_code=None)).ending is Ending.CRASHED


def test_what_is_said_of_a_crash_a_timeout_and_a_refusal() -> None:
    assert classify(RunResult(exit_code=3)).detail == "exit code 3"
    assert classify(RunResult(exit_code=137, timed_out=True, seconds=120.04)).detail == (
        "killed at the time limit after 120.0 s"
    )
    assert classify(RunResult(exit_code=None, refused="exec: no such file")).detail == "exec: no such file"


def test_a_survivor_of_an_out_of_memory_kill_is_noted() -> None:
    assert classify(RunResult(exit_code=0, out_of_memory=True)).notes == (
        "a child process was killed at the memory limit",
    )
    assert classify(RunResult(exit_code=0)).notes == ()


FAULTS = {
    errors.InfrastructureError: Ending.ENGINE_FAULT,
    errors.EngineUnavailable: Ending.ENGINE_DOWN,
    errors.EngineFault: Ending.ENGINE_FAULT,
    errors.ImageUnavailable: Ending.IMAGE_UNAVAILABLE,
    errors.DeviceUnavailable: Ending.GPU_LOST,
    errors.DiskFull: Ending.DISK_FULL,
    errors.RunInterrupted: Ending.INTERRUPTED,
}


def test_every_fault_of_the_machine_has_an_ending_that_blames_the_machine() -> None:
    assert set(FAULTS) == {errors.InfrastructureError, *errors.InfrastructureError.__subclasses__()}
    for kind, ending in FAULTS.items():
        outcome = classify_fault(kind("It broke.", remedy="Mend it."))
        assert (outcome.ending, outcome.blame, outcome.detail) == (ending, Blame.INFRASTRUCTURE, "It broke.")


def test_every_ending_has_its_blame_and_a_remedy() -> None:
    assert set(BLAMES) == set(Ending) == set(REMEDIES)
    for ending, blame in BLAMES.items():
        outcome = Outcome(ending)
        assert outcome.blame is blame
        assert bool(outcome.remedy) == (blame is not Blame.NOBODY)
        assert (ending in INFRASTRUCTURE) == (blame is Blame.INFRASTRUCTURE)


def test_the_machine_is_blamed_only_where_the_container_did_not_decide() -> None:
    """No exit code of its own, memory use or slowness lets a container be run again for free."""
    for code, out_of_memory, timed_out in itertools.product(range(256), (False, True), (False, True)):
        outcome = classify(RunResult(exit_code=code, out_of_memory=out_of_memory, timed_out=timed_out))
        if outcome.blame is Blame.INFRASTRUCTURE:
            assert (code in (137, 143), out_of_memory, timed_out) == (True, False, False)
