"""What a container's last words say about why it failed, and what helps."""

from __future__ import annotations

import re

LONGEST_LINE = 240

NO_NETWORK = re.compile(
    r"Network is unreachable|Temporary failure in name resolution|Name or service not known|Failed to resolve"
    r"|getaddrinfo failed|Max retries exceeded|ENETUNREACH|Could not resolve host"
)
READ_ONLY = re.compile(r"Read-only file system(?:: '([^']*)')?")
NO_PERMISSION = re.compile(r"[Pp]ermission denied(?:: '([^']*)')?")
UNKNOWN_FLAG = re.compile(r"(?:unrecognized arguments|[Nn]o such option|unrecognized option|unknown option)s?:? *(.*)")
ASKS_FOR_FLAG = re.compile(
    r"(?:arguments are required|[Mm]issing option|Unknown command line flag|flag provided but not defined): *(.*)"
)
NO_SCRIPT = re.compile(r"can't open file '(/app/predict\.py)'")

HINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"ModuleNotFoundError: No module named '([^']+)'"), "Install {0} while the image is built."),
    (re.compile(r"ImportError: (.+)"), "Install what is missing while the image is built: {0}."),
    (UNKNOWN_FLAG, "Accept the flags of the contract: {0}."),
    (NO_NETWORK, "Bring what is downloaded into the image while it is built: containers have no network."),
    (READ_ONLY, "Write to /tmp or /output only; all else is read-only (here: {0})."),
    (
        NO_PERMISSION,
        "Let any user read the image's files ('RUN chmod -R a+rX …'): containers do not run as root ({0}).",
    ),
    (re.compile(r"Found no NVIDIA driver|CUDA (?:is not available|error)"), "Fall back to the CPU without a GPU."),
    (re.compile(r"MemoryError|bad_alloc|out of memory"), "Use less memory."),
    (re.compile(r"AssertionError(?:: (.+))?"), "Mend what the program's own assertion found ({0})."),
)
"""Patterns and what they advise; braces take the pattern's group."""


def last_words(log: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:LONGEST_LINE] if lines else ""


def hint(log: str) -> str:
    r"""Return what helps against what a log tells; nothing where it tells nothing that is known.

    Examples
    --------
    >>> hint("Traceback …\nModuleNotFoundError: No module named 'torch'")
    'Install torch while the image is built.'
    """
    for pattern, advice in HINTS:
        if found := pattern.search(log):
            told = (found[1] if found.re.groups else "") or "see its log"
            return advice.format(told.strip()[:LONGEST_LINE])
    return ""
