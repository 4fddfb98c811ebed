"""A Docker engine of a test's own: started, filled with images, and gone without a trace afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

READY_S = 60
STOP_S = 20


@dataclass(frozen=True)
class SecondEngine:
    """An engine beside the machine's own.

    Attributes
    ----------
    host
        What ``DOCKER_HOST`` is to say.
    folder
        Everything that it writes, its log included.
    """

    host: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, pointed at the engine."""
        return {**os.environ, "DOCKER_HOST": self.host}

    def load(self, tag: str) -> None:
        """Copy an image from the machine's own engine."""
        with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saving:
            load = ["docker", "load", "--quiet"]
            subprocess.run(load, stdin=saving.stdout, env=self.environment, check=True, capture_output=True)
        assert saving.returncode == 0, f"'docker save {tag}' failed"


@contextmanager
def second_engine(*, programs: Path | None = None) -> Iterator[SecondEngine]:
    """Have an engine for as long as the block runs.

    Parameters
    ----------
    programs
        A folder that comes first on its PATH: what lies there when it starts can be its GPU runtime.
    """
    missing = [command for command in ("dockerd", "unshare") if shutil.which(command) is None]
    assert os.getuid() == 0, "this test starts a Docker engine of its own, which only root may: run it as root"
    assert not missing, f"this test starts a Docker engine of its own and needs {' and '.join(missing)} (docker.io)"
    # Not pytest's tmp_path: a Unix socket's path may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    engine = SecondEngine(host=f"unix://{folder}/socket", folder=folder)
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                _command(engine), stdout=log, stderr=log, start_new_session=True, env=_environment(programs)
            )
        try:
            _wait_until_it_answers(engine, process)
            yield engine
        finally:
            _stop(engine, process)
    finally:
        _unmount_below(folder)
        shutil.rmtree(folder)


def _command(engine: SecondEngine) -> list[str]:
    folder = engine.folder
    # In a network of its own: with --bridge=none an engine removes the bridge of the one beside it.
    return [
        *("unshare", "--net", "dockerd", "--bridge=none", "--iptables=false"),
        *("--host", engine.host, "--pidfile", f"{folder}/pid"),
        *("--data-root", f"{folder}/images", "--exec-root", f"{folder}/state"),
    ]


def _environment(programs: Path | None) -> dict[str, str]:
    path = os.environ["PATH"]
    return {**os.environ, "PATH": path if programs is None else f"{programs}{os.pathsep}{path}"}


def _wait_until_it_answers(engine: SecondEngine, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run(["docker", "version"], env=engine.environment, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    end = (engine.folder / "log").read_text(errors="replace")[-2000:]
    raise AssertionError(f"the second Docker engine does not answer; the end of its log:\n{end}")


def _stop(engine: SecondEngine, process: subprocess.Popen[bytes]) -> None:
    # An engine that ends politely gives each container ten seconds; one that is dead already lists none.
    listed = subprocess.run(["docker", "ps", "--quiet"], env=engine.environment, capture_output=True, text=True)
    if running := listed.stdout.split():
        subprocess.run(["docker", "kill", *running], env=engine.environment, capture_output=True)
    process.terminate()
    try:
        process.wait(timeout=STOP_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _unmount_below(folder: Path) -> None:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((each for each in points if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=True)
