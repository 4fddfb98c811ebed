"""Reports of invented runs: the numbers are those of the leaderboard, and a team is told its own alone."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.commands.report import report_run
from harness.errors import RunDirectoryError, UsageError
from harness.records.store import RunStore
from harness.reports import cells
from harness.reports.finished import load_finished
from harness.reports.methods import methods
from harness.reports.report import FORMATS
from harness.scoring.leaderboard import Leaderboard
from harness.scoring.scores import Scored, Scores
from harness.specs.challenge import Challenge
from tests.support.finished_runs import BESIDE, DETAIL, HOST, write_run

HOSTILE = "<script>alert('x')</script>\"&{{ 7 * 7 }}"
TEAMS, CASES = 4, 14


@pytest.fixture(scope="module", params=["scores", "case_scores", "overlays"])
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fomo25: Challenge) -> Path:
    folder = tmp_path_factory.mktemp("released")
    titles = [HOSTILE, "Northern lights", "Southern cross", "Baseline of the hosts"]
    store = write_run(folder, fomo25, teams=TEAMS, cases=CASES, titles=titles, release=request.param, groups=True)
    report_run(store.folder, None, FORMATS)
    return store.folder


def level(run: Path) -> str:
    plan = RunStore.open(run).plan()
    assert plan is not None
    return plan.tasks[0].spec.release.to_teams


def page(run: Path, name: str) -> str:
    return (run / "report" / name).read_text()


def text_of(content: str) -> str:
    """What is read on a page, without its plots."""
    without = re.sub(r"<(style|script|svg).*?</\1>", " ", content, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", without))


def board_of(run: Path) -> Leaderboard:
    return Leaderboard.model_validate_json((run / "leaderboard.json").read_bytes())


def test_every_number_of_the_leaderboard_is_on_the_page(released: Path) -> None:
    words = text_of(page(released, "index.html"))
    [track] = board_of(released).tracks
    for row in track.rows:
        if not row.baseline:
            assert cells.placement(row) in words
            assert cells.overall_rank(row) in words
        for column in board_of(released).tasks:
            cell = row.tasks[column.name]
            assert cells.coverage(cell) in words
            for metric in column.metrics:
                assert cells.metric_value(cell, metric) in words


def test_figures_hold_the_numbers_of_the_leaderboard(released: Path) -> None:
    [track] = board_of(released).tracks
    figure = page(released, "figures/method-rank-blobs.svg")
    for row in track.rows:
        if row.stability is not None:
            for rank, share in row.stability.placement.shares.items():
                assert f"{html.escape(row.title)}: place {rank} in {100 * share:.1f} % of resamples" in figure
    roc = page(released, "figures/method-infarct-roc.svg")
    for row in track.rows:
        score = row.tasks["infarct"].metrics["auroc"]
        assert isinstance(score, Scored)
        assert f"AUROC {score.value:.3f}" in roc


def test_every_plot_of_the_page_is_a_file_in_every_format(released: Path) -> None:
    names = {file.stem for file in (released / "report" / "figures").glob("*.svg")}
    assert len(names) == page(released, "index.html").count("<svg ")
    starts = {"svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF"}
    for name in names:
        for ending, start in starts.items():
            assert (released / "report" / "figures" / f"{name}.{ending}").read_bytes().startswith(start)


def test_what_is_drawn_follows_from_the_specs(released: Path) -> None:
    names = {file.stem for file in (released / "report" / "figures").glob("*.svg")}
    per_metric = {f"{task}-{metric}" for task, metric in (("meningioma", "dice"), ("meningioma", "nsd"))}
    assert {f"method-{each}-{kind}" for each in per_metric for kind in ("cases", "heat", "by-volume")} <= names
    assert {"method-infarct-roc", "method-brain_age-predicted", "method-brain_age-differences"} <= names
    assert {"method-seconds", "method-memory", "method-failures"} <= names
    assert not {"method-infarct-predicted", "method-meningioma-roc", "method-infarct-auroc-cases"} & names


def test_hostile_names_are_text(released: Path) -> None:
    for name in ("index.html", "teams/method-team_00.html"):
        content = page(released, name)
        assert "<script>alert" not in content
        assert HOSTILE in text_of(content)
        assert content.count("<script>") == 1
        assert not re.search(r"<(?!h)[^>]* on\w+=|style=|javascript:|https?://(?!www\.w3\.org/2000/svg)", content)


def test_organisers_see_details_machines_and_cases(released: Path) -> None:
    words = text_of(page(released, "index.html"))
    assert DETAIL in words
    assert HOST in words
    assert "<case>&0" in words
    assert "Remedy" in words


def own_and_others(team: str) -> tuple[str, list[str]]:
    everyone = {"team_00": HOSTILE, "team_01": "Northern lights", "team_02": "Southern cross", "team_03": "Baseline of"}
    return everyone[team], [word for name, title in everyone.items() if name != team for word in (name, title)]


@pytest.mark.parametrize("team", ["team_00", "team_01", "team_02", "team_03"])
def test_a_team_is_told_nothing_of_anybody_else(released: Path, team: str) -> None:
    content = (released / "report" / "teams" / f"method-{team}.html").read_bytes()
    own, others = own_and_others(team)
    assert html.escape(own, quote=False).encode() in content.replace(b"&#39;", b"'").replace(b"&#34;", b'"')
    forbidden = [*others, HOST, DETAIL, "exit code 7", "/srv", str(released), str(released.parent), "invented"]
    forbidden += ["<case>", "&lt;case&gt;", "sha256:", RunStore.open(released).facts.id]
    for word in forbidden:
        for written in {
            word,
            html.escape(word),
            html.escape(word).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        }:
            assert written.encode() not in content, word


@pytest.mark.parametrize("team", ["team_00", "team_01"])
def test_a_team_is_told_of_its_cases_what_the_spec_releases(released: Path, team: str) -> None:
    content = page(released, f"teams/method-{team}.html")
    words = text_of(content)
    scores = Scores.model_validate_json((released / "scores.json").read_bytes())
    ages, predictions = scores.references["brain_age"], _predictions(scores, team, "brain_age")
    dice = _values(scores, team, "meningioma", "dice")
    told_cases, told_references = level(released) != "scores", level(released) == "overlays"
    assert all((f" {value:.6g} " in words) == told_cases for value in predictions)
    assert ("Case by case" in words) == told_cases
    assert all((f" {age:g} " in words) == told_references for age in ages.values())
    assert ("data:image/png" in content) == told_references
    assert ("Reference" in words) == told_references
    if told_cases:
        assert all(f"{value:.3f}" in words for value in dice)
    # A volume's error, next to the team's own volume, would tell the reference.
    assert (f" {BESIDE:.1f} " in words) == told_references
    assert "<svg" not in content


def _predictions(scores: Scores, team: str, task: str) -> list[float]:
    [entry] = [each for each in scores.entries if (each.team, each.task) == (team, task)]
    return [case.prediction for case in entry.case_scores if case.prediction is not None]


def _values(scores: Scores, team: str, task: str, metric: str) -> list[float]:
    [entry] = [each for each in scores.entries if (each.team, each.task) == (team, task)]
    return [case.values[metric] for case in entry.case_scores]


def test_failures_are_told_with_their_remedy(released: Path) -> None:
    words = text_of(page(released, "teams/method-team_01.html"))
    assert "The container ended with an error." in words
    assert "Run the container on one case and read its log." in words
    assert "Failures" not in text_of(page(released, "teams/method-team_02.html"))


def test_tables_for_papers_hold_the_same_values(released: Path) -> None:
    folder, board = released / "report" / "tables", board_of(released)
    [track] = board.tracks
    with (folder / "method-meningioma.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["Rank", "Team", "Dice ↑", "NSD ↑", "Valid"]
    by_team = {row[1]: row for row in rows}
    dice = next(each for each in board.tasks if each.name == "meningioma").metrics[0]
    for row in track.rows:
        assert by_team[cells.team(row)][2] == cells.metric_value(row.tasks["meningioma"], dice)
    tex = (folder / "method-overview.tex").read_text()
    assert r"$<$" not in tex
    assert r"\textless{}script\textgreater{}" in tex
    assert r"\{\{ 7 * 7 \}\}" in tex
    assert (released / "report" / "leaderboard.md").read_bytes() == (released / "leaderboard.md").read_bytes()


def test_subgroups_are_shown(released: Path) -> None:
    assert "meningioma: Dice ↑ by site" in text_of(page(released, "index.html"))


def test_methods_are_written_from_the_run(released: Path) -> None:
    store = RunStore.open(released)
    plan = store.plan()
    assert plan is not None
    written = " ".join(methods(load_finished(store, plan)))
    for fact in ("200 times (seed 3)", "seed 3", "14 cases", "tolerance mm 1.0", "0.1.0", "120 s, 8 CPUs", "α = 0.05"):
        assert fact in written


def small(tmp_path: Path, fomo25: Challenge, teams: int = 2) -> RunStore:
    return write_run(tmp_path, fomo25, teams=teams, cases=4, resamples=100)


def test_without_the_data_folder_the_rest_is_there_and_says_so(tmp_path: Path, fomo25: Challenge) -> None:
    store = small(tmp_path, fomo25)
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    report_run(store.folder, None, ("html",))
    assert "the data folder of this run was not there" in text_of(page(store.folder, "index.html"))
    report_run(store.folder, tmp_path / "elsewhere", ("html",))
    assert "data:image/png" in page(store.folder, "index.html")
    with pytest.raises(UsageError, match="the data folder is not there"):
        report_run(store.folder, tmp_path / "nowhere", ("html",))


def test_a_run_of_baselines_alone_is_shown(tmp_path: Path, fomo25: Challenge) -> None:
    store = small(tmp_path, fomo25, teams=1)
    report_run(store.folder, None, ("html",))
    assert "Team of place 0 (baseline)" in text_of(page(store.folder, "index.html"))


@pytest.mark.parametrize("pending", [1, 12])
def test_what_has_not_run_yet_is_provisional(tmp_path: Path, fomo25: Challenge, pending: int) -> None:
    """One case of each task, and all of them."""
    store = write_run(tmp_path, fomo25, teams=3, cases=12, resamples=100, release="overlays", pending=pending)
    report_run(store.folder, None, ("html",))
    index, own = page(store.folder, "index.html"), page(store.folder, "teams/method-team_00.html")
    assert re.search(r'class="provisional">.{0,80}\*', index)
    assert "provisional: some cases have no result yet" in text_of(index)
    assert "Provisional" in text_of(own)
    assert text_of(own).count("No result yet.") == 3 * pending
    assert "Provisional" not in text_of(page(store.folder, "teams/method-team_01.html"))


def test_ranks_that_cannot_be_drawn_anew_are_said_to_be_so(tmp_path: Path, fomo25: Challenge) -> None:
    store = write_run(tmp_path, fomo25, teams=3, cases=12, resamples=100, scheme="test_then_rank")
    report_run(store.folder, None, ("html",))
    words = text_of(page(store.folder, "index.html"))
    assert "tests are not repeated in resamples" in words
    assert "how many teams they are significantly better than" in words
    assert "How often each place came up" not in words


def contents(run: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted((run / "report").rglob("*.*"))}


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, fomo25: Challenge) -> None:
    store = small(tmp_path, fomo25)
    report_run(store.folder, None, ("html", "svg", "csv"))
    before = contents(store.folder)
    report_run(store.folder, None, ("html", "svg", "csv"))
    assert contents(store.folder) == before


def test_scores_that_are_older_than_the_records_are_refused(tmp_path: Path, fomo25: Challenge) -> None:
    store = small(tmp_path, fomo25)
    next((store.folder / "records").rglob("*.json")).unlink()
    with pytest.raises(RunDirectoryError, match="does not hold what the records of method/team_0"):
        report_run(store.folder, None, ("html",))


@pytest.mark.parametrize("name", ["scores.json", "stability.json", "leaderboard.json"])
def test_a_run_that_was_not_scored_is_refused(tmp_path: Path, fomo25: Challenge, name: str) -> None:
    store = small(tmp_path, fomo25)
    (store.folder / name).unlink()
    with pytest.raises(RunDirectoryError, match=name):
        report_run(store.folder, None, ("html",))


@pytest.mark.parametrize("formats", [("docx",), ("html", "htm")], ids=lambda formats: formats[-1])
def test_unknown_formats_are_refused(tmp_path: Path, fomo25: Challenge, formats: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="--format names"):
        report_run(small(tmp_path, fomo25).folder, None, formats)
