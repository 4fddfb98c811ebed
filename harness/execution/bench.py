"""Where trials are carried out: one engine, its GPUs, the data and a work folder."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.engines.engine import Engine, EngineFacts
from harness.execution.bounds import by_the_kernel


class Devices:
    """The GPUs that containers take turns on: one container has one, and gives it back.

    Parameters
    ----------
    ids
        UUIDs or indices; empty where no task gets a GPU.
    """

    def __init__(self, ids: tuple[str, ...]) -> None:
        self.ids = ids
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for each in ids:
            self._free.put(each)

    @contextmanager
    def lease(self, *, wanted: bool) -> Iterator[str | None]:
        """Have one GPU for as long as the block runs, waiting for one to come free; None where none is wanted."""
        if not wanted:
            yield None
            return
        device = self._free.get()
        try:
            yield device
        finally:
            self._free.put(device)


@dataclass(frozen=True)
class Bench:
    """Where trials are carried out.

    Attributes
    ----------
    run
        The run's id, which labels its containers.
    engine, machine
        What runs them, and what it says of itself.
    devices
        The GPUs that they take turns on.
    root
        The data folder.
    work
        Where cases are staged and predictions wait to be recorded.
    """

    run: str
    engine: Engine
    machine: EngineFacts
    devices: Devices
    root: Path
    work: Path

    @property
    def bounds_output(self) -> bool:
        """Whether output folders are file systems of limited size."""
        return by_the_kernel(self.machine)
