"""A real Docker engine that accepts GPU requests on a machine without GPUs.

An engine takes its machine for one with NVIDIA GPUs when it finds ``nvidia-container-runtime-hook`` on its PATH
as it starts, and from then on calls it before a container that was promised a GPU runs its first process.
Here the hook writes down what reached the container runtime.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.engines.engine import RUN_LABEL
from tests.support.second_engine import SecondEngine, second_engine

HOOK = """#!{python} -IS
import json, pathlib, sys, time
began = time.time()
state = json.load(sys.stdin)
process = json.loads(pathlib.Path(state["bundle"], "config.json").read_text())["process"]
seen = {{"container": state["id"], "began": began, "environment": process["env"], "arguments": process["args"]}}
folder = pathlib.Path({folder!r})
part = folder / (state["id"] + ".part")
part.write_text(json.dumps(seen))
part.rename(part.with_suffix(".json"))
lost = folder / "lost"
after_the_check = {{"--output", "/nothing"}} & set(process["args"])
if lost.exists() and after_the_check and "NVIDIA_VISIBLE_DEVICES=" + lost.read_text() in process["env"]:
    sys.exit("the GPU has fallen off the bus")
"""


@dataclass(frozen=True)
class Given:
    """A container that was promised a GPU, as the container runtime was told of it.

    Attributes
    ----------
    container
        Its id.
    began
        When, in seconds since the epoch: before its first process ran.
    environment
        ``NAME=value``, each of them.
    arguments
        The command line of its first process.
    """

    container: str
    began: float
    environment: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def devices(self) -> set[str]:
        """Every value that the runtime could take for the GPUs of this container."""
        name = "NVIDIA_VISIBLE_DEVICES="
        return {each.removeprefix(name) for each in self.environment if each.startswith(name)}

    @property
    def is_trial(self) -> bool:
        """Whether it got a case's flags; the check before the first case gives none."""
        return "--output" in self.arguments


@dataclass(frozen=True)
class GpuEngine:
    """The engine, and the folder into which its hook writes."""

    engine: SecondEngine
    folder: Path

    def given(self) -> tuple[Given, ...]:
        """List the containers that were promised a GPU since :meth:`forget`, the oldest first."""
        seen = [json.loads(path.read_text()) for path in self.folder.glob("*.json")]
        given = [
            Given(each["container"], each["began"], tuple(each["environment"]), tuple(each["arguments"]))
            for each in seen
        ]
        return tuple(sorted(given, key=lambda each: each.began))

    def forget(self) -> None:
        """Start afresh."""
        for path in self.folder.glob("*.json"):
            path.unlink()

    @contextmanager
    def losing(self, device: str) -> Iterator[None]:
        """Have one GPU fail whenever a case's container is to get it."""
        lost = self.folder / "lost"
        lost.write_text(device)
        try:
            yield
        finally:
            lost.unlink()

    def ends(self, *, since: float, until: float) -> dict[str, float]:
        """Tell when each of our containers ended, by the engine's own account, in seconds since the epoch."""
        words = ["docker", "events", "--since", str(int(since)), "--until", str(int(until) + 1)]
        words += ["--filter", "event=die", "--filter", f"label={RUN_LABEL}", "--format", "{{json .}}"]
        told = subprocess.run(words, env=self.engine.environment, check=True, capture_output=True, text=True)
        events = map(json.loads, told.stdout.splitlines())
        return {event["Actor"]["ID"]: event["timeNano"] / 1e9 for event in events}


@contextmanager
def gpu_engine(folder: Path) -> Iterator[GpuEngine]:
    """Have such an engine for as long as the block runs; ``folder`` is empty and stays."""
    programs, given = folder / "programs", folder / "given"
    programs.mkdir()
    given.mkdir()
    hook = programs / "nvidia-container-runtime-hook"
    hook.write_text(HOOK.format(python=Path(sys.executable).resolve(), folder=str(given)))
    hook.chmod(0o755)
    with second_engine(programs=programs) as engine:
        yield GpuEngine(engine, given)
