"""``fomo-eval clean``: removes what harnesses that were killed left behind, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.commands.interrupts import interruptible
from harness.engines.docker import DockerEngine
from harness.engines.engine import Engine
from harness.execution.bounds import release
from harness.records.lock import locked
from harness.records.store import RunStore


@dataclass(frozen=True)
class Removed:
    """What was removed.

    Attributes
    ----------
    containers
        Their names.
    mounts
        Where the file systems of output folders were.
    paths
        The work folder and half-written files.
    """

    containers: tuple[str, ...] = ()
    mounts: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()


def clean(folder: Path | None) -> Removed:
    """Remove what a dead run left, or the containers of all runs whose harness is dead.

    Parameters
    ----------
    folder
        The run directory; None for the containers of every run on this engine.

    Raises
    ------
    RunDirectoryError
        A live run uses the directory.
    EngineUnavailable
        No engine answers.
    """
    with interruptible():
        if folder is None:
            with DockerEngine() as engine:
                return Removed(containers=engine.remove_leftovers())
        store = RunStore.open(folder)
        with locked(folder), DockerEngine() as engine:
            return remove_leftovers(store, engine)


def remove_leftovers(store: RunStore, engine: Engine) -> Removed:
    """Remove what a run left, containers first: they write to the work folder, and hold the mounts in it.

    Parameters
    ----------
    store
        The run directory, locked.
    engine
        Where its containers are.
    """
    containers = engine.remove_leftovers(store.facts.id)
    mounts = () if store.work is None else release(store.work)
    return Removed(containers, mounts, store.remove_leftovers())
