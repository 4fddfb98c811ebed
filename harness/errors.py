"""Everything that can go wrong for a person, in one tree.

::

    FomoEvalError
    ├── UsageError                  exit 2: what was handed in cannot be used
    │   ├── SpecError               a challenge or task spec
    │   ├── SubmissionError         a submission file
    │   ├── DatasetError            volumes, references, the data folder
    │   ├── MetricError             metric names, parameters and arguments
    │   └── RunDirectoryError       the run directory
    └── InfrastructureError         exit 3: the machine, not the thing evaluated
        ├── EngineUnavailable       no engine answers, or it stopped answering
        ├── EngineFault             the engine answers, and refuses what it should do
        ├── ImageUnavailable        an image is not there and cannot be had
        ├── DeviceUnavailable       a GPU that was asked for is not there
        ├── DiskFull                no space left
        ├── ProcessLost             a process of ours was killed
        └── RunInterrupted          Ctrl-C or SIGTERM; what was recorded stays

Every message names the file, field or container and what is wrong; ``remedy`` says what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class FomoEvalError(Exception):
    """A foreseeable fault, told in one sentence and ended with one exit code.

    Parameters
    ----------
    message
        What is wrong, naming the file, field or container.
    remedy
        What the reader can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        # A name from a file system, an archive or an engine may hold line breaks and terminal controls.
        return printable(f"{self.message} {self.remedy}".strip())


class UsageError(FomoEvalError):
    """What was handed in cannot be used as it is."""

    exit_code = 2


class SpecError(UsageError):
    """A challenge or task spec is missing, malformed or contradicts itself."""


class SubmissionError(UsageError):
    """A submission file is missing, malformed or contradicts another."""


class DatasetError(UsageError):
    """Volumes or references are missing, malformed or do not belong together."""


class MetricError(UsageError):
    """A metric is unknown, or was given parameters or arrays that it cannot use."""


class RunDirectoryError(UsageError):
    """A folder is not a run directory, or belongs to another plan."""


class InfrastructureError(FomoEvalError):
    """The machine or engine failed; the thing evaluated is not to blame."""

    exit_code = 3


class EngineUnavailable(InfrastructureError):
    """No container engine answers, or it stopped answering."""


class EngineFault(InfrastructureError):
    """The engine answers, and refuses or fails at what it was asked to do."""


class ImageUnavailable(InfrastructureError):
    """A container image is not on this machine and cannot be had."""


class DeviceUnavailable(InfrastructureError):
    """A GPU that was asked for is not there."""


class DiskFull(InfrastructureError):
    """The disk is full."""


class ProcessLost(InfrastructureError):
    """A process that worked for this one was killed."""


class RunInterrupted(InfrastructureError):
    """Ctrl-C or SIGTERM; everything recorded so far stays."""


def printable(text: str) -> str:
    r"""Write as escapes the characters of a text that a terminal would obey, or an editor would not show.

    Examples
    --------
    >>> printable("a\nb\u202e é")
    'a\\nb\\u202e é'
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggest the known name closest to a mistyped one.

    Parameters
    ----------
    word
        What was written.
    known
        What could have been meant.

    Returns
    -------
    str
        ``"Did you mean 'dice'?"``, or the list of known names when none is close.

    Examples
    --------
    >>> nearest("dise", ["dice", "nsd"])
    "Did you mean 'dice'?"
    >>> nearest("zzz", ["dice", "nsd"])
    'Known names: dice, nsd.'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"Did you mean '{close[0]}'?" if close else f"Known names: {', '.join(names)}."
