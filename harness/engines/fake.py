"""An engine without containers: a Python function stands for every image.

For tests of everything around an engine, and for simulating runs that are too large to carry out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.engines.engine import EngineFacts, ImageFacts, RunRequest, RunResult
from harness.engines.outcome import KILLED
from harness.errors import DeviceUnavailable, ImageUnavailable, RunInterrupted

Behaviour = Callable[[RunRequest], RunResult]
PLATFORM = "linux/amd64"


class FakeEngine:
    """Runs a function where another engine runs a container.

    Parameters
    ----------
    behaviours
        By image reference: called with each request, writes into its output folder, tells how it ended.
    devices
        The GPUs that this engine can give.
    """

    name = "fake"

    def __init__(self, behaviours: Mapping[str, Behaviour], *, devices: tuple[str, ...] = ()) -> None:
        self._behaviours = {image_id(reference): behaviour for reference, behaviour in behaviours.items()}
        self._devices = devices
        self._running: set[Future[RunResult]] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def facts(self) -> EngineFacts:
        """Describe the engine."""
        return EngineFacts(
            name=self.name,
            version="1",
            platform=PLATFORM,
            cpus=4,
            memory_bytes=8 << 30,
            runtimes=(),
        )

    def find_image(self, reference: str) -> ImageFacts:
        """Find an image by the reference that it was given with."""
        if image_id(reference) not in self._behaviours:
            raise ImageUnavailable(f"The image {reference} is not there.", remedy="Give it to the fake engine.")
        return ImageFacts(image_id(reference), digest="", platform=PLATFORM, size_bytes=0, has_entrypoint=True)

    def load_archive(self, archive: Path) -> ImageFacts:
        """Find an image by its archive's name without suffix."""
        return self.find_image(archive.stem)

    def probe(self, request: RunRequest) -> None:
        """Check that the GPU is one of this engine's."""
        if request.device is not None and request.device not in self._devices:
            raise DeviceUnavailable(f"The engine cannot give GPU {request.device}.", remedy="Ask for another.")

    def run(self, request: RunRequest) -> RunResult:
        """Call the image's function; at the time limit, and when stopped, its result is no longer waited for."""
        self.probe(request)
        ending: Future[RunResult] = Future()
        with self._lock:
            if self._stopping:
                raise RunInterrupted("The run is being stopped.", remedy="Run the same command again.")
            self._running.add(ending)
        behaviour = self._behaviours[request.image.id]
        threading.Thread(target=_call, args=(behaviour, request, ending), daemon=True).start()
        try:
            if not wait([ending], timeout=request.limits.seconds).done:
                return RunResult(exit_code=KILLED, timed_out=True, seconds=request.limits.seconds)
            return ending.result()
        finally:
            with self._lock:
                self._running.discard(ending)

    def is_gone(self, name: str) -> bool:  # noqa: ARG002 - part of the protocol
        """There is never a container."""
        return True

    def stop_all(self) -> None:
        """End what runs, and refuse later requests."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for ending in running:
            with suppress(InvalidStateError):
                ending.set_result(RunResult(exit_code=KILLED, stopped=True))

    def remove_leftovers(self, run: str | None = None) -> tuple[str, ...]:  # noqa: ARG002 - part of the protocol
        """There is never anything left."""
        return ()


def image_id(reference: str) -> str:
    """Return the id under which the fake engine knows an image."""
    return f"fake:{reference}"


def _call(behaviour: Behaviour, request: RunRequest, ending: Future[RunResult]) -> None:
    """Tell how a function ended, to whoever still waits for it."""
    try:
        result = behaviour(request)
    except Exception as fault:
        with suppress(InvalidStateError):
            ending.set_exception(fault)
    else:
        with suppress(InvalidStateError):
            ending.set_result(result)
