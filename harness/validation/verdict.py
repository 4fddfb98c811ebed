"""The checks, in the order in which a person would want them, and the verdict that they make."""

from __future__ import annotations

from collections.abc import Callable

from harness.engines.engine import EngineFacts
from harness.errors import FomoEvalError
from harness.records.plan import conditions_hash
from harness.specs.submission import SubmissionSpec
from harness.validation import case_checks, image_checks, surroundings_checks
from harness.validation.check import Check, Finding, TriedCase, Verdict, failed, not_run, passed
from harness.validation.evidence import Evidence, Seen

CHECKS: dict[str, tuple[str, Callable[[Evidence], Finding]]] = {
    "engine": ("engine", image_checks.engine),
    "image": ("image present", image_checks.image),
    "platform": ("platform", image_checks.platform),
    "size": ("size", image_checks.size),
    "user": ("user", image_checks.user),
    "entry_point": ("entry point", image_checks.entry_point),
    "contract": ("contract options", image_checks.contract),
    "start": ("starts", case_checks.start),
    "flags": ("takes every flag", case_checks.flags),
    "ending": ("ends without an error", case_checks.ending),
    "time": ("ends in time", case_checks.time),
    "output": ("output present", case_checks.output),
    "format": ("format", case_checks.format_),
    "range": ("range", case_checks.range_),
    "grid": ("grid", case_checks.grid),
    "values": ("values (labels)", case_checks.values),
    "network": ("needs no network", surroundings_checks.network),
    "writes": ("writes to /output and /tmp only", surroundings_checks.writes),
    "root": ("does not need root", surroundings_checks.root),
    "deterministic": ("deterministic", surroundings_checks.deterministic),
    "state": ("no state between cases", surroundings_checks.state),
    "memory": ("memory", case_checks.memory),
    "gpu": ("GPU", image_checks.gpu),
    "slow_start": ("quick start", case_checks.slow_start),
    "log_noise": ("quiet log", case_checks.log_noise),
}
"""By name: what people call it, and what judges it."""


def verdict(evidence: Evidence) -> Verdict:
    """Judge everything that was seen of an image on a task."""
    entry = evidence.entry
    return Verdict(
        team=entry.team,
        track=entry.track,
        task=entry.task,
        image=entry.image.reference,
        image_id=entry.image.id,
        conditions=conditions_hash(evidence.task, entry),
        cases=tuple(_tried(seen) for seen in evidence.seen),
        checks=tuple(_check(name, judge(evidence)) for name, (_, judge) in CHECKS.items()),
    )


def verdict_without_image(
    submission: SubmissionSpec, task: str, image: str, machine: EngineFacts, fault: FomoEvalError
) -> Verdict:
    """Say that an image is not there: nothing else can be told of it."""
    known = {
        "engine": passed(f"{machine.name} {machine.version}, {machine.platform}, {machine.cpus} CPUs"),
        "image": failed(fault.message, fault.remedy),
    }
    return Verdict(
        team=submission.team,
        track=submission.track,
        task=task,
        image=image,
        checks=tuple(_check(name, known.get(name, not_run("the image is not there"))) for name in CHECKS),
    )


def _check(name: str, finding: Finding) -> Check:
    return Check(name=name, title=CHECKS[name][0], **finding.model_dump())


def _tried(seen: Seen) -> TriedCase:
    outcome = seen.record.outcome
    return TriedCase(
        case=seen.case.id, title=seen.title, ending=outcome.ending, detail=outcome.detail, seconds=seen.seconds
    )
