"""Ctrl-C and SIGTERM: the first stops in good order, a second at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.errors import RunInterrupted

KILLED_BY_SIGNAL = 128


@contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that a stopped service ends its containers too.

    Raises
    ------
    RunInterrupted
        The block was interrupted.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    seen = []

    def interrupt(number: int, _: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(KILLED_BY_SIGNAL + number)
        raise KeyboardInterrupt

    before = [signal.signal(each, interrupt) for each in signals]
    try:
        yield
    except KeyboardInterrupt as fault:
        raise RunInterrupted("Interrupted.", remedy="Run the same command again.") from fault
    finally:
        for each, earlier in zip(signals, before, strict=True):
            signal.signal(each, earlier)
