"""Runs of hostile images, on small limits, with an eye on what they cost the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from harness.specs.loading import builtin_folder, load_challenge
from tests.support.adversarial import Attack, attack_image
from tests.support.commands import COMMAND, becoming
from tests.support.datasets import reference_of, volume_of, write_tiny_data
from tests.support.runs import records, write_submission

MIB = 1 << 20
CASE, SECOND = "patient-7f3a", "patient-9c21"
HONEST, HONEST_TASKS, HONEST_TRIALS = "honest", ("infarct", "brain_age"), 3
HONEST_LINES = 'ENTRYPOINT ["python", "/app/honest.py"]\n'
SECONDS = 5.0
OUTPUT_MIB, ENTRIES = 16, 64
LIMITS = {
    "seconds": SECONDS, "cpus": 1, "memory_gib": 0.125, "shared_memory_gib": 0.03, "scratch_gib": 0.03,
    "processes": 64, "output_mib": OUTPUT_MIB, "output_entries": ENTRIES, "gpu": False,
}  # fmt: skip
STRANGER = 12345
"""A user id without an account, which may use the engine all the same."""
ENGINE_SOCKET = Path("/var/run/docker.sock")
LOOK_S = 0.1
TEMPORARY = "temporary"
"""Where cases are staged."""


@dataclass(frozen=True)
class Cost:
    """What a run cost the machine at most, in bytes: the harness's own memory, and disk space while it went on."""

    memory: int
    run_folder: int
    disk: int


@dataclass(frozen=True)
class Attacked:
    """A run of hostile images.

    Attributes
    ----------
    out
        The run directory.
    data
        The data folder.
    code, err
        How the command ended and what it said.
    cost
        What it cost.
    """

    out: Path
    data: Path
    code: int
    err: str
    cost: Cost

    def records(self, team: str) -> list[dict[str, Any]]:
        """Return the records of one team."""
        return [record for key, record in records(self.out).items() if key.split("/")[1] == team]

    def logs(self, team: str) -> list[bytes]:
        """Return what the containers of one team wrote."""
        return [path.read_bytes() for path in (self.out / "logs").rglob("*.log") if team in path.parts]


@contextmanager
def place_for(user: int) -> Iterator[Path]:
    """Have a folder that this user can reach and write to; those of pytest are closed to everybody else."""
    folder = Path(tempfile.mkdtemp(prefix="run-"))
    os.chown(folder, user, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def attack(folder: Path, attacks: Iterable[Attack], *, user: int | None = None) -> Attacked:
    """Run attacks, and honest images beside and after them.

    Parameters
    ----------
    folder
        Holds everything.
    attacks
        What is run.
    user
        As whom the command runs; None for the caller.
    """
    prepared = _prepared(folder, list(attacks))
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
    # Named as an organiser may name it, and as no container may come to know.
    attacked = _run(prepared, folder / f"{HONEST}-brain_age-{CASE}", folder / "hostile", user)
    assert attacked.code == 0, attacked.err
    return attacked


def run_honest(folder: Path, *, user: int | None = None) -> Attacked:
    """Run the honest image alone, on what :func:`attack` has prepared."""
    return _run(folder, folder / "afterwards", folder / "friendly", user)


def _prepared(folder: Path, attacks: list[Attack]) -> Path:
    challenge = folder / "challenge"
    challenge.mkdir()
    (folder / TEMPORARY).mkdir()
    for file in (builtin_folder() / "fomo25").glob("*.yaml"):
        spec = yaml.safe_load(file.read_text())
        (challenge / file.name).write_text(yaml.safe_dump(spec | ({"limits": LIMITS} if "limits" in spec else {})))
    fomo25 = load_challenge("fomo25")
    write_tiny_data(folder / "data", fomo25, (CASE, SECOND))
    for task in (fomo25.task("meningioma"), fomo25.task("brain_age")):  # one attack of each kind is enough
        shutil.rmtree(volume_of(folder / "data", task, SECOND, "any").parent.parent)
        shutil.rmtree(reference_of(folder / "data", task, SECOND).parent)
    with ThreadPoolExecutor(2) as threads:
        honest, *images = threads.map(attack_image, (HONEST_LINES, *(each.lines for each in attacks)))
    for each, image in zip(attacks, images, strict=True):
        write_submission(folder / "hostile", each.team, {each.task: image})
    for track in ("method", "open"):
        write_submission(folder / "hostile", HONEST, dict.fromkeys(HONEST_TASKS, honest), track=track)
    write_submission(folder / "friendly", HONEST, dict.fromkeys(HONEST_TASKS, honest))
    return folder


def _run(folder: Path, out: Path, submissions: Path, user: int | None) -> Attacked:
    words: list[str | Path] = ["run", "--challenge", folder / "challenge", "--data", folder / "data", "--out", out]
    words += ["--submissions", submissions, "--gpus", "none", "--workers", "2", "--no-report"]
    with (folder / "messages").open("wb+") as messages, _Watch(folder) as watch:
        process = subprocess.Popen(
            [*becoming(user, ENGINE_SOCKET), *COMMAND, *map(str, words)],
            env={**os.environ, "TMPDIR": str(folder / TEMPORARY)},
            stdout=subprocess.DEVNULL,
            stderr=messages,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    cost = Cost(memory=usage.ru_maxrss * 1024, run_folder=watch.run_folder, disk=watch.disk)
    return Attacked(out, folder / "data", process.returncode, (folder / "messages").read_text(), cost)


class _Watch:
    """Looks at the disk for as long as the block runs."""

    def __init__(self, folder: Path) -> None:
        self.run_folder, self.disk = 0, 0
        self._folder, self._over = folder, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        # Where the engine keeps images and logs, and where the runs lie.
        places = (Path("/var/lib"), Path(tempfile.gettempdir()))
        before = [shutil.disk_usage(place).used for place in places]
        while not self._over.wait(LOOK_S):
            used = [shutil.disk_usage(place).used for place in places]
            self.disk = max(self.disk, *(now - then for now, then in zip(used, before, strict=True)))
            self.run_folder = max(self.run_folder, _held(self._folder))


def _held(folder: Path) -> int:
    """Return the bytes that a folder holds, as far as it can be read while it changes."""
    held = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                held += os.lstat(os.path.join(parent, name)).st_blocks * 512  # noqa: PTH118 - as long as need be
            except OSError:
                continue
    return held
