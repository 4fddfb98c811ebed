"""Work in several processes: in order, and ended in one sentence whichever of them is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import DatasetError, ProcessLost
from harness.scoring.processes import answers

SOON_S = 20.0
SLOW = """
import os, sys
from pathlib import Path
from functools import partial
from harness.commands.interrupts import interruptible
from harness.errors import FomoEvalError
from harness.scoring.processes import answers
from tests.unit.test_processes import say_and_wait
try:
    with interruptible():
        list(answers(partial(say_and_wait, Path(sys.argv[1])), range(6), processes=2))
except FomoEvalError as fault:
    print(fault, file=sys.stderr)
    sys.exit(fault.exit_code)
"""


def whose(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def refuse_odd(number: int) -> int:
    if number % 2:
        raise DatasetError(f"{number} is odd.", remedy="Take another.")
    return number


def kill_the_process_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def say_and_wait(folder: Path, _: int) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(2)


@pytest.mark.parametrize("processes", [1, 2])
def test_answers_come_in_order(processes: int) -> None:
    found = list(answers(whose, range(10), processes=processes))
    assert [square for square, _ in found] == [number * number for number in range(10)]
    assert (os.getpid() in {process for _, process in found}) == (processes == 1)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_first_fault_in_order_is_raised_as_it_is(processes: int) -> None:
    with pytest.raises(DatasetError) as caught:
        list(answers(refuse_odd, [0, 2, 5, 3], processes=processes))
    assert str(caught.value) == "5 is odd. Take another."


def test_a_killed_process_is_told_in_one_sentence() -> None:
    with pytest.raises(ProcessLost) as caught:
        list(answers(kill_the_process_at_three, range(8), processes=2))
    assert str(caught.value) == (
        "A process that was scoring was killed, perhaps for want of memory. Run the same command again."
    )


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with two others that wait, in a session of their own, as in a terminal."""
    command = [sys.executable, "-c", SLOW, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        yield process
        process.kill()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_ctrl_c_reaches_all_and_one_of_them_answers(slow: subprocess.Popen[str]) -> None:
    os.killpg(slow.pid, signal.SIGINT)
    output, errors = slow.communicate(timeout=SOON_S)
    assert (slow.returncode, output, errors) == (3, "", "Interrupted. Run the same command again.\n")


def test_processes_end_with_a_parent_that_is_killed(slow: subprocess.Popen[str], tmp_path: Path) -> None:
    others = [int(path.name) for path in tmp_path.iterdir()]
    assert all(is_running(each) for each in others)
    slow.kill()
    wait_until(lambda: not any(is_running(each) for each in others))
