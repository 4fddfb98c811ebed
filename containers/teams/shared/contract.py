"""The container contract as a model sees it: flags in, one file out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from volumes import Volume, read

ORDER = ("flair", "dwi_b1000", "adc", "t2s", "swi", "t1", "t2")


@dataclass(frozen=True)
class Request:
    """What one run is asked for: the inputs by name, and where the prediction goes."""

    inputs: dict[str, Path]
    output: Path

    @property
    def task(self) -> str:
        """The task, which the inputs tell."""
        if "t1" in self.inputs:
            return "brain_age"
        return "infarct" if "adc" in self.inputs else "meningioma"

    def volumes(self) -> dict[str, Volume]:
        """Read the inputs."""
        return {name: read(path) for name, path in self.inputs.items()}

    def write_number(self, number: float) -> None:
        """Write a probability or an age as the prediction."""
        self.output.write_text(f"{number:.4f}\n", encoding="utf-8")


def request(arguments: list[str] = sys.argv[1:]) -> Request:
    """Read ``--flair PATH … --output PATH``."""
    given = {flag.removeprefix("--"): Path(path) for flag, path in zip(arguments[::2], arguments[1::2], strict=True)}
    output = given.pop("output")
    unknown = given.keys() - set(ORDER)
    if unknown:
        sys.exit(f"unknown inputs: {', '.join(sorted(unknown))}")
    return Request({name: given[name] for name in ORDER if name in given}, output)
