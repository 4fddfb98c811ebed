"""How a validation is told: JUnit, GitHub, and one line for what is hostile."""

from __future__ import annotations

import io
from xml.etree import ElementTree as Xml

from rich.console import Console

from harness.reports.github import annotation_lines, step_summary
from harness.reports.junit import to_junit
from harness.reports.validation import verdict_tables
from harness.validation.check import Check, Status, Verdict

HOSTILE = "[red]100%\r\n::error::</testcase>]]>\x1b[2J\x00&\ud800, a: b | `c`"
ONE_LINE = r"[red]100%\r\n::error::</testcase>]]>\x1b[2J\x00&\ud800, a: b | `c`"


def verdict(evidence: str = HOSTILE) -> Verdict:
    checks = tuple(
        Check(name=status.name.lower(), title=f"check, {status}", status=status, evidence=evidence, remedy="Mend it.")
        for status in Status
    )
    return Verdict(team="alpha", track="method", task="infarct", image=HOSTILE, checks=checks)


def test_what_is_told_is_one_line_of_text() -> None:
    assert {check.evidence for check in verdict().checks} == {ONE_LINE}
    assert verdict().image == ONE_LINE


def test_evidence_without_end_is_cut() -> None:
    assert all(len(check.evidence) < 1000 for check in verdict("x" * 100_000).checks)


def test_junit_reads_back_as_one_suite_for_each_verdict() -> None:
    root = Xml.fromstring(to_junit([verdict(), verdict()]))
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("8", "2", "2")
    assert [suite.get("name") for suite in root] == ["method/alpha/infarct"] * 2
    found = {case.get("name"): {each.tag for each in case} for case in root[0]}
    assert found == {
        "check, passed": {"system-out"},
        "check, failed": {"failure"},
        "check, warning": {"system-out"},
        "check, not run": {"skipped"},
    }
    [failure] = root[0].iter("failure")
    assert (failure.get("message"), failure.text) == (ONE_LINE, "Mend it.")


def test_annotations_escape_what_github_would_obey() -> None:
    spoken = verdict("100% a: b")
    assert list(annotation_lines([spoken])) == [
        "::error title=infarct%3A check%2C failed::100%25 a: b Mend it.",
        "::warning title=infarct%3A check%2C warning::100%25 a: b Mend it.",
    ]
    assert all(line.count("\n") == line.count("\r") == 0 for line in annotation_lines([verdict()]))


def test_the_summary_is_a_table_in_which_everything_is_text() -> None:
    written = step_summary([verdict("a | b `c` <d>")])
    [line] = [line for line in written.splitlines() if line.startswith("| check, failed")]
    assert r"a \| b \`c\` \<d\>" in line
    assert line.replace(r"\|", "").count("|") == 5


def test_the_table_shows_markup_as_text_and_sends_no_controls() -> None:
    screen = Console(file=io.StringIO(), width=200, force_terminal=False)
    screen.print(verdict_tables([verdict()]))
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]100%" in shown
    assert "\x1b" not in shown
    assert "infarct: 1 passed, 1 failed, 1 warning, 1 not run" in shown
