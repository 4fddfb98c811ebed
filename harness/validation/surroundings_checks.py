"""What an image relies on besides its input: network, writable folders, root, luck, and what it did before.

A case that fails is tried again with one restriction lifted; what it then succeeds by is what it needs. Nothing is
lifted in a run.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.engines.engine import Relaxation
from harness.engines.outcome import Ending
from harness.validation.check import Finding, failed, not_run, passed, warning
from harness.validation.compare import difference
from harness.validation.evidence import Evidence, Relaxed, Seen
from harness.validation.hints import NO_NETWORK, NO_PERMISSION, READ_ONLY, last_words

UNCHANGED: Relaxed = frozenset()
NETWORK: Relaxed = frozenset({Relaxation.NETWORK})
ROOT: Relaxed = frozenset({Relaxation.ROOT})
WRITABLE: Relaxed = frozenset({Relaxation.WRITABLE})
ROOT_AND_WRITABLE: Relaxed = ROOT | WRITABLE
LADDER: tuple[Relaxed, ...] = (UNCHANGED, NETWORK, ROOT, WRITABLE)
"""What a failed case is tried again with, one after the other; the first, to see that it fails each time."""

EXPLICABLE = (Ending.CRASHED, Ending.NO_OUTPUT, Ending.CANNOT_START)
"""Endings that a restriction may explain."""

IGNORED = ("tmp", "output", "input", "dev", "proc", "sys", "run", "etc")
"""Folders of the container that are mounted, or that the engine itself writes to."""

OF_THE_ENGINE = ("/.dockerenv", "/sbin/docker-init", "/usr/sbin/docker-init")
CACHES = ("__pycache__", ".pyc", ".cache")
SHOWN = 3


def network(evidence: Evidence) -> Finding:
    """Judge whether an image needs a network."""
    if _succeeds(evidence, NETWORK):
        return failed(
            f"{_case(evidence)} fails as it will run, and succeeds with a network: {_words(evidence, NO_NETWORK)}",
            "Bring what is downloaded (weights, tokenisers, licences) into the image while it is built; "
            "containers have no network.",
        )
    if blamed := [each for each in evidence.ended(*EXPLICABLE) if NO_NETWORK.search(each.log)]:
        return failed(
            f"{blamed[0].case.id} says so itself: {_words_of(blamed[0], NO_NETWORK)}",
            "Bring what is downloaded into the image while it is built; containers have no network.",
        )
    return _otherwise(evidence, "none was there")


def writes(evidence: Evidence) -> Finding:
    """Judge whether an image needs to write where it may not."""
    remedy = "Write to /tmp (scratch, HOME) or /output only; set cache folders there, or fill them while building."
    if _succeeds(evidence, WRITABLE) or (_succeeds(evidence, ROOT_AND_WRITABLE) and not _succeeds(evidence, ROOT)):
        where = _written(evidence.relaxed[ROOT_AND_WRITABLE])
        return failed(
            f"{_case(evidence)} fails as it will run, and succeeds where it may write anywhere"
            f"{' (it wrote ' + where + ')' if where else ''}: {_words(evidence, READ_ONLY)}",
            remedy,
        )
    if blamed := [each for each in evidence.ended(*EXPLICABLE) if READ_ONLY.search(each.log)]:
        return failed(f"{blamed[0].case.id} says so itself: {_words_of(blamed[0], READ_ONLY)}", remedy)
    return _otherwise(evidence, "all else was read-only")


def root(evidence: Evidence) -> Finding:
    """Judge whether an image needs to be root."""
    if _succeeds(evidence, ROOT):
        return failed(
            f"{_case(evidence)} fails as it will run, and succeeds as root: {_words(evidence, NO_PERMISSION)}",
            "Let any user read the image's files and run its programs, as with 'RUN chmod -R a+rX /app'.",
        )
    return _otherwise(evidence, "none ran as root")


def deterministic(evidence: Evidence) -> Finding:
    """Judge whether the same case gets the same answer twice."""
    if is_fickle(evidence):
        return failed(
            f"{_case(evidence)} failed, and succeeded when it was simply run again",
            "Look for what differs from one time to the next: time-outs, threads, random numbers, memory.",
        )
    first, repeats = evidence.seen[0], [each for each in (evidence.again, evidence.last) if each is not None]
    broken = next((each for each in repeats if not each.is_ok and not each.is_the_machines), None)
    if first.is_ok and broken is not None:
        return failed(
            f"{first.case.id} succeeded, and ended with {broken.ending} when it was run again",
            "Look for what differs from one time to the next: time-outs, threads, random numbers, memory.",
        )
    pair = _answers(first, evidence.again)
    if pair is None:
        return not_run("there are no two answers to one case")
    apart = difference(evidence.task.spec, *pair)
    name = evidence.seen[0].case.id
    if apart is None:
        return passed(f"{name} twice, the same answer")
    words = f"{name} twice, two answers: {apart.words}"
    remedy = "Fix the seeds of all random numbers; switch off dropout and test-time sampling."
    return warning(words, remedy) if apart.is_rounding else failed(words, remedy)


def state(evidence: Evidence) -> Finding:
    """Judge whether an answer depends on the cases before, or tries to."""
    first, pair = evidence.seen[0], _answers(evidence.seen[0], evidence.last)
    steady = _answers(first, evidence.again)
    if pair is not None and steady is not None and difference(evidence.task.spec, *steady) is None:
        apart = difference(evidence.task.spec, *pair)
        if apart is not None:
            return failed(
                f"{first.case.id} first and last, two answers: {apart.words}",
                "Let an answer depend on this case's input alone.",
            )
    looked = evidence.relaxed.get(ROOT_AND_WRITABLE)
    where = _written(looked) if looked is not None and looked.is_ok else ""
    if where and looked is not None and first.is_ok:
        return warning(
            f"where it may, it writes {where}; each container begins without",
            "Keep nothing between cases: what is written outside /output is gone with the container.",
        )
    if pair is None:
        return not_run("there are no two answers to one case")
    return passed(f"{first.case.id} before and after the other cases, the same answer")


def is_fickle(evidence: Evidence) -> bool:
    """Say whether a case that failed succeeds when nothing but the time is another."""
    return _succeeds(evidence, UNCHANGED)


def explicable(seen: tuple[Seen, ...]) -> Seen | None:
    """Return the first case whose failure a restriction may explain."""
    return next((each for each in seen if each.ending in EXPLICABLE), None)


def _succeeds(evidence: Evidence, relaxed: Relaxed) -> bool:
    tried = evidence.relaxed.get(relaxed)
    return tried is not None and tried.is_ok and explicable(evidence.seen) is not None


def _otherwise(evidence: Evidence, said: str) -> Finding:
    succeeded = sum(each.is_ok or each.ending is Ending.INVALID_OUTPUT for each in evidence.ran)
    if succeeded:
        return passed(f"{succeeded} cases came through, and {said}")
    return not_run("no case came through, and none does otherwise")


def _case(evidence: Evidence) -> str:
    seen = explicable(evidence.seen)
    return seen.case.id if seen is not None else ""


def _words(evidence: Evidence, pattern: re.Pattern[str]) -> str:
    seen = explicable(evidence.seen)
    return _words_of(seen, pattern) if seen is not None else ""


def _words_of(seen: Seen, pattern: re.Pattern[str]) -> str:
    """Return the line of a log that a pattern is found in, else its last."""
    return next((line.strip() for line in seen.log.splitlines() if pattern.search(line)), last_words(seen.log))


def _written(seen: Seen) -> str:
    """Name the files that a container wrote where it otherwise may not, caches left out."""
    # Of folders and what they hold, the latter.
    leaves = [path for path in seen.changed if not any(other.startswith(path + "/") for other in seen.changed)]
    files = [
        path
        for path in leaves
        if path.split("/")[1] not in IGNORED
        and path not in OF_THE_ENGINE
        and not any(cache in path for cache in CACHES)
    ]
    return ", ".join(files[:SHOWN]) + (", …" if len(files) > SHOWN else "")


def _answers(one: Seen, other: Seen | None) -> tuple[Path, Path] | None:
    if other is None or one.prediction is None or other.prediction is None or not (one.is_ok and other.is_ok):
        return None
    return one.prediction, other.prediction
