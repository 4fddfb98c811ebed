"""Ranking a CSV of scores: FOMO25's published table as it is, and tables that cannot be used."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.scoring.score_table import rank_scores
from harness.scoring.scores import Unscored
from harness.specs.challenge import Challenge, Ranking
from tests.support.commands import fomo_eval
from tests.support.specs import one_line

PUBLISHED = Path(__file__).parent / "published" / "fomo25_method_track.csv"
HEADER = "team,auroc,dice,nsd,mae,pearson_r\n"


def write(folder: Path, content: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_the_published_table_is_ranked_as_it_was_published(fomo25: Challenge) -> None:
    board = rank_scores(PUBLISHED, fomo25)
    (track,) = board.tracks
    with PUBLISHED.open(newline="") as stream:
        published = {row["team"]: row for row in csv.DictReader(stream)}
    for row in track.rows:
        wanted = published[row.team]
        assert row.baseline == (not wanted["placement"])
        if not row.baseline:
            assert (row.placement, f"{row.overall_rank:.1f}") == (int(wanted["placement"]), wanted["overall_rank"])
            for task in ("infarct", "meningioma", "brain_age"):
                assert row.tasks[task].rank == float(wanted[f"{task}_rank"])
    assert len(track.rows) == 13


def test_the_command_prints_it() -> None:
    ended = fomo_eval("leaderboard", PUBLISHED)
    assert ended.code == 0
    assert "FOMO2JOMO" in ended.out
    assert "Trials" not in ended.out  # nothing ran
    assert fomo_eval("leaderboard", PUBLISHED, "--format", "json").out.startswith("{")


def test_tracks_titles_baselines_and_absent_tasks(fomo25: Challenge, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "track,team,title,baseline,infarct.auroc,dice,nsd,mae,pearson_r\n"
        "method,a,Team A,no,0.9,,,5,0.5\nmethod,b,,false,0.8,0.5,0.5,4,\nopen,a,Team A,no,0.7,0.1,0.1,9,0.1\n"
        "method,z,Base,true,0.99,0.9,0.9,1,0.9\n",
    )
    method, other = rank_scores(path, fomo25).tracks
    rows = {row.team: row for row in method.rows}
    assert (method.name, other.name) == ("method", "open")
    assert (rows["a"].title, rows["b"].title, rows["z"].baseline) == ("Team A", "b", True)
    assert not rows["a"].tasks["meningioma"].entered
    assert rows["a"].tasks["meningioma"].rank == 2.0
    assert isinstance(rows["b"].tasks["brain_age"].metrics["pearson_r"], Unscored)
    assert rows["b"].tasks["brain_age"].metric_ranks == {"mae": 1, "pearson_r": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no column 'team', or no row below its header. Write one row per team, under a header."),
        ("auroc," + HEADER + "1,a,1,1,1,1,1\n", "the column 'auroc' is there twice. Remove one of them."),
        (
            HEADER + "a,1_0,1,1,1,1\n",
            "row 2, column 'auroc': holds '1_0', which is no finite number. Correct it, or leave it empty.",
        ),
        (HEADER, "has no column 'team', or no row below its header. Write one row per team, under a header."),
        ("team,auroc,dise,nsd,mae,pearson_r\na,1,1,1,1,1\n", "the column 'dice' is missing. Did you mean 'dise'?"),
        (HEADER + "a,1,1,1,1\n", "row 2 has more or fewer cells than the header. Correct it."),
        (HEADER + "a,1,1,1,1,1,1\n", "row 2 has more or fewer cells than the header. Correct it."),
        (
            HEADER + "a,1,1,1,1,1\na,1,1,1,1,1\n",
            "row 3, column 'team': is empty, or there twice. Give each team one row.",
        ),
        (
            HEADER + "a,high,1,1,1,1\n",
            "row 2, column 'auroc': holds 'high', which is no finite number. Correct it, or leave it empty.",
        ),
        (
            HEADER + "a,1,nan,1,1,1\n",
            "row 2, column 'dice': holds 'nan', which is no finite number. Correct it, or leave it empty.",
        ),
        (
            "baseline," + HEADER + "maybe,a,1,1,1,1,1\n",
            "row 2, column 'baseline': holds 'maybe'. Write true or false.",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(fomo25: Challenge, tmp_path: Path, content: str, said: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        rank_scores(path, fomo25)
    assert one_line(caught.value) == f"{path}: {said}"


def test_a_scheme_that_needs_cases_cannot_rank_a_table(fomo25: Challenge, tmp_path: Path) -> None:
    spec = fomo25.spec.model_copy(update={"ranking": Ranking(scheme="rank_then_aggregate")})
    with pytest.raises(UsageError, match="ranks by rank_then_aggregate, which needs every case"):
        rank_scores(PUBLISHED, Challenge(spec, fomo25.tasks, fomo25.folder))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    ended = fomo_eval("leaderboard", tmp_path / "none.csv")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"Error: {tmp_path}/none.csv: cannot be read (No such file or directory). Check the path.\n"
