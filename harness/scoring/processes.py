"""Work in several processes, whose answers come back in the order of the questions."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from harness.errors import ProcessLost

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def answers(
    function: Callable[[Question], Answer], questions: Sequence[Question], *, processes: int
) -> Iterator[Answer]:
    """Call a function for each question, side by side where there is more than one process to do so.

    Parameters
    ----------
    function
        Of a module's top level, as are questions and answers of things that can be sent between processes.
    questions
        Its arguments.
    processes
        How many processes; with one, the work is done in this one.

    Yields
    ------
    Answer
        In order, whichever was ready first; and what a question raises comes where its answer would.

    Raises
    ------
    ProcessLost
        One of the processes was killed.
    """
    if processes < 2 or len(questions) < 2:
        yield from map(function, questions)
        return
    # Started afresh: a fork of a process with threads may hang on a lock that nobody holds any more.
    executor = ProcessPoolExecutor(
        min(processes, len(questions)), multiprocessing.get_context("spawn"), initializer=_end_with_parent
    )
    try:
        for future in _submitted(executor, function, questions):
            yield future.result()
    except BrokenProcessPool as fault:
        raise ProcessLost(
            "A process that was scoring was killed, perhaps for want of memory.", remedy="Run the same command again."
        ) from fault
    finally:
        executor.shutdown(cancel_futures=True)


def _submitted(
    executor: ProcessPoolExecutor, function: Callable[[Question], Answer], questions: Sequence[Question]
) -> list[Future[Answer]]:
    """Hand out the work. Ctrl-C reaches every process of a terminal; only this one is to answer it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [executor.submit(function, question) for question in questions]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Have this process end with the one that started it, even where that one is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_and_end, args=(parent.sentinel,), daemon=True).start()


def _wait_and_end(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
