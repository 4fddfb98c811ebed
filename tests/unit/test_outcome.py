"""Who is to blame: the whole table of endings, and that no ending is without blame or remedy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from harness import errors
from harness.engines.engine import RunResult
from harness.engines.outcome import (
    INFRASTRUCTURE,
    REMEDIES,
    Blame,
    Ended,
    Ending,
    Outcome,
    Refusal,
    classify,
    classify_repeated,
)

# Without being stopped, refused, overflowed or timed out: (exit code, killed by the kernel for memory) → ending.
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


# What can be found on looking at the output.
WRITTEN = [
    Outcome(Ending.OK),
    Outcome(Ending.OK, notes=("voxels are stored as floating-point numbers",)),
    Outcome(Ending.NO_OUTPUT, "/output/prediction.txt was not written"),
    *(Outcome(Ending.INVALID_OUTPUT, "as it is", refusal=refusal) for refusal in Refusal),
]


def expected(result: RunResult) -> Ending:
    if result.stopped:
        return Ending.INTERRUPTED
    if result.refused:
        return Ending.CANNOT_START
    if result.overflowed:
        return Ending.INVALID_OUTPUT
    assert result.exit_code is not None
    return Ending.TIMEOUT if result.timed_out else BY_EXIT[result.exit_code, result.out_of_memory]


def every_end() -> Iterator[RunResult]:
    """List all ways in which a container can end: 10 exit codes, and all that five other things can say of each."""
    known = (False, True)
    for (code, out_of_memory), timed_out, stopped, overflowed, refused in itertools.product(
        BY_EXIT, known, known, known, known
    ):
        yield RunResult(
            exit_code=code,
            out_of_memory=out_of_memory,
            timed_out=timed_out,
            stopped=stopped,
            overflowed=overflowed,
            refused="no such file" if refused else "",
            seconds=120.04,
        )


def test_the_whole_table() -> None:
    for result in every_end():
        before_looking, ending = classify(result), expected(result)
        assert (before_looking.ending, before_looking.blame) == (ending, BLAMES[ending]), result
        assert before_looking.refusal is (Refusal.TOO_LARGE if ending is Ending.INVALID_OUTPUT else None)
        assert before_looking.detail or ending is Ending.OK
        for written in WRITTEN:
            outcome = classify(result, written)
            if ending is not Ending.OK:
                assert outcome == before_looking, (result, written)
                continue
            assert (outcome.ending, outcome.refusal, outcome.detail) == (
                written.ending,
                written.refusal,
                written.detail,
            )
            assert outcome.notes == (*before_looking.notes, *written.notes)


def test_whatever_was_written_a_fault_of_the_machine_is_the_machine_s() -> None:
    for (kind, ending), written in itertools.product(FAULTS.items(), [None, *WRITTEN]):
        outcome = classify(kind("It broke.", remedy="Mend it."), written)
        assert (outcome.ending, outcome.blame, outcome.detail) == (ending, Blame.INFRASTRUCTURE, "It broke.")


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
    errors.ProcessLost: Ending.ENGINE_FAULT,  # scoring's alone; a trial never meets it
    errors.RunInterrupted: Ending.INTERRUPTED,
}


def test_every_fault_of_the_machine_has_an_ending() -> None:
    assert set(FAULTS) == {errors.InfrastructureError, *errors.InfrastructureError.__subclasses__()}


K, T = Ended(Ending.INTERRUPTED, 137), Ended(Ending.INTERRUPTED, 143)
DOWN, FAULT = Ended(Ending.ENGINE_DOWN, None), Ended(Ending.ENGINE_FAULT, None)


@pytest.mark.parametrize(
    ("attempts", "blame"),
    [
        ([], Blame.INFRASTRUCTURE),
        ([K], Blame.INFRASTRUCTURE),
        ([K, K, K], Blame.INFRASTRUCTURE),
        ([K, K, K, K], Blame.TEAM),
        ([T, T, T, T], Blame.TEAM),
        ([K, T, T, K], Blame.TEAM),  # whichever signal
        ([K, T, FAULT, K, FAULT, FAULT, T], Blame.TEAM),  # whatever lies in between
        ([FAULT, FAULT, FAULT, K, K, K], Blame.INFRASTRUCTURE),
        ([K, K, K, K, FAULT], Blame.INFRASTRUCTURE),  # the last is the machine's for certain
        ([K, DOWN] * 10, Blame.INFRASTRUCTURE),  # the engine took it with it each time
        ([*[K, DOWN] * 10, K, K, K], Blame.INFRASTRUCTURE),
        ([*[K, DOWN] * 10, K, K, K, K], Blame.TEAM),
    ],
)
def test_who_kills(attempts: list[Ended], blame: Blame) -> None:
    last = Outcome(attempts[-1].ending if attempts else Ending.INTERRUPTED, "as it was")
    judged = classify_repeated(last, attempts)
    assert judged.blame is blame
    assert (judged == last) == (blame is Blame.INFRASTRUCTURE)


def test_an_interrupt_of_the_run_is_no_kill() -> None:
    interrupted = Ended(Ending.INTERRUPTED, None)
    last = Outcome(Ending.INTERRUPTED)
    assert classify_repeated(last, [interrupted] * 10) == last


def test_every_ending_has_its_blame_and_a_remedy() -> None:
    assert set(BLAMES) == set(Ending) == set(REMEDIES)
    for ending, blame in BLAMES.items():
        outcome = Outcome(ending)
        assert outcome.blame is blame
        assert bool(outcome.remedy) == (blame is not Blame.NOBODY)
        assert (ending in INFRASTRUCTURE) == (blame is Blame.INFRASTRUCTURE)


def test_the_machine_is_blamed_only_where_the_container_did_not_decide() -> None:
    """No exit code of its own, memory use or slowness lets a container be run again for free."""
    known = (False, True)
    for code, out_of_memory, timed_out, overflowed in itertools.product(range(256), known, known, known):
        outcome = classify(
            RunResult(exit_code=code, out_of_memory=out_of_memory, timed_out=timed_out, overflowed=overflowed)
        )
        if outcome.blame is Blame.INFRASTRUCTURE:
            assert code in (137, 143)
            assert not any((out_of_memory, timed_out, overflowed))
            assert classify_repeated(outcome, [Ended(outcome.ending, code)] * 4).blame is Blame.TEAM
