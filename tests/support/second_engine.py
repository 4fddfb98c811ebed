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
from dataclasses import dataclass, field
from pathlib import Path

READY_S = 60
STOP_S = 20


@dataclass
class SecondEngine:
    """An engine beside the machine's own.

    Attributes
    ----------
    folder
        Everything that it writes, its log included.
    programs
        A folder that comes first on its PATH: what lies there when it starts can be its GPU runtime.
    """

    folder: Path
    programs: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        """What ``DOCKER_HOST`` is to say."""
        return f"unix://{self.folder}/socket"

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, pointed at the engine."""
        return {**os.environ, "DOCKER_HOST": self.host}

    def load(self, tag: str) -> None:
        """Copy an image from the machine's own engine, unless it is there."""
        if (
            subprocess.run(["docker", "image", "inspect", tag], env=self.environment, capture_output=True).returncode
            == 0
        ):
            return
        with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saving:
            load = ["docker", "load", "--quiet"]
            subprocess.run(load, stdin=saving.stdout, env=self.environment, check=True, capture_output=True)
        assert saving.returncode == 0, f"'docker save {tag}' failed"

    def docker(self, *words: str) -> str:
        """Run a command of Docker's own client on it; return what it printed."""
        command = ["docker", *words]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout.strip()

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _command(self), stdout=log, stderr=log, start_new_session=True, env=_environment(self.programs)
            )
        _wait_until_it_answers(self, self._process)

    def kill(self) -> None:
        """End it without a chance to say so; its containers run on, until it is started again."""
        assert self._process is not None
        supervised = Path(f"/proc/{(self.folder / 'state/containerd/containerd.pid').read_text().strip()}")
        self._process.kill()
        self._process.wait()
        # The kernel ends containerd with it; an engine that is started before that takes the dying one for its own.
        deadline = time.monotonic() + STOP_S
        while supervised.exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it as a service manager does: it ends its containers first."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


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
    engine = SecondEngine(folder, programs)
    try:
        try:
            engine.start()
            yield engine
        finally:
            if not engine.runs:
                engine.start()  # only an engine ends what one that was killed left running
            _end_containers(engine)
            engine.stop()
    finally:
        _end_shims(engine)
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


def _end_containers(engine: SecondEngine) -> None:
    # An engine that ends politely gives each container ten seconds; one that is dead already lists none.
    listed = subprocess.run(["docker", "ps", "--quiet"], env=engine.environment, capture_output=True, text=True)
    if running := listed.stdout.split():
        subprocess.run(["docker", "kill", *running], env=engine.environment, capture_output=True)


def _end_shims(engine: SecondEngine) -> None:
    """End what watched over containers for an engine that was killed; its next start leaves some of them."""
    address = os.fsencode(engine.folder / "state/containerd/containerd.sock")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if address in (process / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def _unmount_below(folder: Path) -> None:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((each for each in points if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=True)
