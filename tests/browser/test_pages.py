"""The report's pages in a real browser: nothing leaves, nothing foreign runs, and everybody can use them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import HOSTILE, LONG, opened

pytestmark = pytest.mark.browser

AXE = Path(__file__).with_name("axe.min.js")
PAGES = ("index.html", "teams/method-team_00.html", "teams/method-team_01.html")
Scheme = Literal["light", "dark"]


def context_of(
    browser: Browser, *, width: int = 1280, scheme: Scheme = "light", trusted: bool = False
) -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=trusted, java_script_enabled=True
    )


@pytest.fixture
def index(browser: Browser, report: Path) -> Iterator[Page]:
    context = context_of(browser)
    yield opened(context, report / "index.html").page
    context.close()


def keep_screenshot(page: Page, name: str) -> None:
    """Keep what was seen as an artefact, where a folder for it is named."""
    folder = os.environ.get("FOMO_EVAL_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("file", PAGES)
def test_nothing_is_asked_for_and_nothing_foreign_runs(browser: Browser, report: Path, file: str) -> None:
    context = context_of(browser)
    found = opened(context, report / file)
    found.page.wait_for_load_state("networkidle")
    outside = [url for url in found.requests if not url.startswith("data:")]
    assert outside == [(report / file).as_uri()]
    assert found.complaints == []
    assert found.page.evaluate("violations") == []
    assert found.page.title() != "taken"
    context.close()


def test_the_policy_stops_what_slips_in(index: Page) -> None:
    index.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
            const image = document.createElement('img');
            image.src = 'http://example.invalid/x.png';
            document.body.append(image);
            document.body.setAttribute('style', 'color: red');
        }"""
    )
    index.wait_for_function("violations.length >= 3")
    assert index.evaluate("window.ran") is None
    assert {each.partition("-")[0] for each in index.evaluate("violations")} == {"script", "img", "style"}


def test_hostile_names_are_shown_as_they_are(index: Page) -> None:
    assert index.locator("tbody th", has_text=HOSTILE).first.is_visible()
    assert index.locator("img[src^=http]").count() == 0
    assert index.locator("script").count() == 1


def first_column(page: Page, table: int = 0) -> list[str]:
    return page.locator("table").nth(table).locator("tbody").first.locator("tr th").all_inner_texts()


def test_tables_are_sorted_by_keyboard(index: Page) -> None:
    column = index.locator("table").first.locator("tbody").first.locator("tr td:nth-child(3)")

    def ranks() -> list[float]:
        return [float(each.split()[0]) for each in column.all_inner_texts()]

    before = ranks()
    assert HOSTILE in first_column(index)
    index.locator("table").first.get_by_role("button", name="Overall rank").focus()
    index.keyboard.press("Enter")
    assert ranks() == before
    index.keyboard.press("Space")
    assert ranks() == before[::-1] != before
    head = index.locator("table").first.locator("th[aria-sort]")
    assert head.count() == 1
    assert head.get_attribute("aria-sort") == "descending"
    by_name = index.locator("table").first.get_by_role("button", name="Team")
    by_name.focus()
    index.keyboard.press("Enter")
    assert first_column(index)[-1].startswith("Team of place")
    # The baseline stays apart from the teams, however they are sorted.
    assert index.locator("table").first.locator("tbody.baselines tr").count() == 1


def test_teams_are_filtered_by_keyboard(index: Page) -> None:
    index.get_by_label("Show teams with").focus()
    index.keyboard.type("far away")
    shown = index.locator("table").first.locator("tbody tr:visible th").all_inner_texts()
    assert shown == [LONG]
    assert index.get_by_role("status").inner_text() == "1 of 19 teams shown"
    index.keyboard.press("Control+a")
    index.keyboard.press("Delete")
    assert index.locator("table").first.locator("tbody tr:visible").count() == 19


def test_the_first_tab_stop_skips_to_the_content(index: Page) -> None:
    index.keyboard.press("Tab")
    assert index.evaluate("document.activeElement.textContent") == "Skip to the content"
    index.keyboard.press("Enter")
    assert index.evaluate("location.hash") == "#main"


@pytest.mark.parametrize("file", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing(browser: Browser, report: Path, file: str, scheme: Scheme, width: int) -> None:
    # The page's own policy would refuse the checker.
    context = context_of(browser, width=width, scheme=scheme, trusted=True)
    page = opened(context, report / file).page
    page.add_script_tag(path=AXE)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    keep_screenshot(page, f"{Path(file).stem}-{scheme}-{width}")
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found["violations"]] == []
    context.close()


@pytest.mark.parametrize("file", PAGES)
def test_a_phone_scrolls_down_alone(browser: Browser, report: Path, file: str) -> None:
    context = context_of(browser, width=375)
    page = opened(context, report / file).page
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    # What is wider scrolls within itself, and can be reached by keyboard.
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll')]"
        ".filter(each => each.scrollWidth > each.clientWidth).map(each => each.tabIndex)"
    )
    assert set(wide) <= {0}
    context.close()


def test_dark_and_light_differ_and_print_is_light(browser: Browser, report: Path) -> None:
    context = context_of(browser, scheme="dark")
    page = opened(context, report / "index.html").page
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.emulate_media(color_scheme="light")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert dark != "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()
    assert page.get_by_label("Show teams with").is_hidden()
    # Plots fit the width of a page.
    page.set_viewport_size({"width": 720, "height": 1000})
    assert page.evaluate(
        "[...document.querySelectorAll('.plot')].every(each => each.getBoundingClientRect().right <= 721)"
    )
    context.close()


def test_nothing_in_a_plot_lies_outside_it(index: Page) -> None:
    outside = index.evaluate(
        """() => [...document.querySelectorAll('.plot')].flatMap(plot => {
            const frame = plot.getBoundingClientRect();
            return [...plot.querySelectorAll('text')].filter(each => {
                const box = each.getBoundingClientRect();
                return box.left < frame.left - 1 || box.right > frame.right + 1 ||
                       box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
            }).map(each => `${plot.getAttribute('aria-label')}: ${each.textContent}`);
        })"""
    )
    assert outside == []


def test_figures_stand_alone(browser: Browser, report: Path) -> None:
    context = context_of(browser)
    for file in sorted((report / "figures").glob("*.svg")):
        found = opened(context, file)
        assert found.complaints == []
        assert found.page.evaluate("document.documentElement.nodeName") == "svg"
        assert found.page.evaluate("getComputedStyle(document.querySelector('text')).fontSize") in ("11px", "12px")
        found.page.close()
    context.close()
