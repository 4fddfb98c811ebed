"""Trials on this machine: threads, since each of them waits for a container."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor


def open_local(workers: int) -> Executor:
    """Open an executor of so many trials side by side."""
    return ThreadPoolExecutor(workers, thread_name_prefix="trial")
