"""Reports to be opened, and the system's Chromium to open them in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from harness.commands.report import report_run
from harness.specs.challenge import Challenge
from tests.support.finished_runs import write_run

CHROMIUM = os.environ.get("FOMO_EVAL_CHROMIUM", "chromium")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LONG = "A very long name of a team from the University of Somewhere Far Away, Department 7"
HOSTILE = "<script>document.title='taken'</script>\"'><img src=http://example.invalid/x onerror=alert(1)>"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser; there is no test without it."""
    found = shutil.which(CHROMIUM)
    assert found, f"there is no browser '{CHROMIUM}' on this machine: run 'make browser'"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(SWITCHES))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    """The report of nineteen invented teams that releases everything, two of them with names to be afraid of."""
    folder = tmp_path_factory.mktemp("reported")
    store = write_run(folder, fomo25, teams=19, cases=24, titles=[HOSTILE, LONG], release="overlays", groups=True)
    return report_run(store.folder, None, ("html", "svg"))


@dataclass
class Opened:
    """A page with everything that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def opened(context: BrowserContext, file: Path) -> Opened:
    """Open a page, listening from before the first byte."""
    page = context.new_page()
    found = Opened(page)
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda fault: found.complaints.append(str(fault)))
    page.add_init_script(
        "window.violations = [];"
        "document.addEventListener('securitypolicyviolation', each => violations.push(each.violatedDirective));"
    )
    page.goto(file.as_uri())
    return found
