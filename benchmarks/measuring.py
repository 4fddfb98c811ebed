"""Times and memory: medians of interleaved runs, and peaks of processes of their own."""

from __future__ import annotations

import importlib.metadata
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    what, figure
        What was measured, and what came of it.
    target
        What was promised; empty where nothing was.
    met
        Whether the promise is kept.
    """

    what: str
    figure: str
    target: str = ""
    met: bool = True


def medians_s(candidates: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Time several ways of doing one thing, turn by turn, so that a slow moment of the machine slows them all."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, candidate in candidates.items():
            began = time.perf_counter()
            candidate()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}


def alone(function: Callable[..., Answer], *arguments: object) -> Answer:
    """Call a function of a module in a fresh process, whose peak of memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        return executor.submit(function, *arguments).result()


def peak_mb() -> float:
    """Return the largest memory that this process has held, as the kernel counts it since the program started.

    The peak that ``getrusage`` gives includes that of the process which started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def machine() -> str:
    """Describe the machine, its load, and the versions of what was measured."""
    names = ("numpy", "scipy", "nibabel", "isal", "surface-distance")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, load {load:.1f} at the start; "
        f"Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d}"
    )
