"""A validation as JUnit XML: one suite for each submission and task, one test case for each check."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from harness.validation.check import Check, Status, Verdict


def to_junit(verdicts: Sequence[Verdict]) -> bytes:
    """Write verdicts as JUnit XML; warnings are passed checks with something on standard output."""
    root = Xml.Element("testsuites", {"name": "fomo-eval validate", **_counts(verdicts)})
    for verdict in verdicts:
        suite = Xml.SubElement(root, "testsuite", {"name": _name(verdict), **_counts([verdict])})
        for check in verdict.checks:
            _add(suite, verdict, check)
    Xml.indent(root)
    written: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _name(verdict: Verdict) -> str:
    return f"{verdict.track}/{verdict.team}/{verdict.task}"


def _counts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    return {
        "tests": str(sum(len(each.checks) for each in verdicts)),
        "failures": str(sum(each.count(Status.FAILED) for each in verdicts)),
        "skipped": str(sum(each.count(Status.NOT_RUN) for each in verdicts)),
    }


def _add(suite: Xml.Element, verdict: Verdict, check: Check) -> None:
    case = Xml.SubElement(suite, "testcase", classname=f"fomo-eval.{verdict.task}", name=check.title)
    match check.status:
        case Status.FAILED:
            failure = Xml.SubElement(case, "failure", type=check.name, message=check.evidence)
            failure.text = check.remedy
        case Status.NOT_RUN:
            Xml.SubElement(case, "skipped", message=check.evidence)
        case Status.WARNING:
            Xml.SubElement(case, "system-out").text = f"warning: {check.evidence} {check.remedy}"
        case Status.PASSED:
            Xml.SubElement(case, "system-out").text = check.evidence
