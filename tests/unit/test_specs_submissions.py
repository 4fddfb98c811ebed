"""Submission files that cannot be entered."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SubmissionError
from harness.specs.challenge import Challenge
from harness.specs.loading import load_submissions
from harness.specs.submission import SubmissionSpec
from tests.support.specs import one_line


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def refusal(challenge: Challenge, *paths: Path) -> str:
    with pytest.raises(SubmissionError) as caught:
        load_submissions(paths, challenge)
    return one_line(caught.value)


def submission(team: str = "alpha", track: str = "method", images: str = "{infarct: 'alpha:1'}", more: str = "") -> str:
    return f"team: {team}\ntrack: {track}\nimages: {images}\n{more}"


BAD: list[tuple[str, str]] = [
    ("team: alpha\nimages: {infarct: x}\n", "the field 'track' is missing; add it."),
    (submission(track="metod"), "the field 'track' is 'metod', which is not a track of fomo25. Did you mean 'method'?"),
    (submission(images="{infarkt: x}"), "names 'infarkt', which is not a task of fomo25. Did you mean 'infarct'?"),
    (submission(team="no"), "the field 'team' is false; it must be text: put it in quotes."),
    (submission(team="../up"), "the field 'team' is '../up'; it must be at most 64 letters, digits"),
    (submission(team='"a\\n"'), "the field 'team' is 'a\\n'; it must be at most 64 letters"),
    (submission(team="x" * 65), "it must be at most 64 letters"),
    (submission(images="{}"), "the field 'images' is {}; it must hold at least 1 entry."),
    (submission(images="alpha:1"), "the field 'images' is 'alpha:1'; it must be keys and values."),
    (submission(images="{infarct: 5}"), "the field 'images.infarct' is 5; it must be keys and values."),
    (submission(images="{infarct: ''}"), "the field 'images.infarct.image' is ''; it must not be empty."),
    (submission(images="{infarct: {}}"), "the field 'images.infarct' must hold either 'image'"),
    (submission(images="{infarct: {image: x, archive: y}}"), "'images.infarct' must hold either 'image'"),
    (submission(images="{infarct: {image: x, comand: [a]}}"), "unknown key 'comand'. Did you mean 'command'?"),
    (submission(images="{infarct: {image: x, command: run}}"), "'images.infarct.command' is 'run'; it must be a list."),
    (submission(images="{infarct: {image: x, command: [1]}}"), "'images.infarct.command[0]' is 1; it must be text"),
    (submission(images="{infarct: {image: x, command: []}}"), "it must hold at least 1 entry."),
    (submission(images="{1: x}"), "the field 'images' has the key 1; a key must be text: put it in quotes."),
    (submission(images="{a b: x}"), "the field 'images' has the key 'a b'; a key must be at most 64 letters"),
    (submission(more="baseline: 1\n"), "the field 'baseline' is 1; it must be true or false."),
    (submission(more="basline: true\n"), "the file has the unknown key 'basline'. Did you mean 'baseline'?"),
    (submission(more='title: "\\x1b[2J"\n'), "the field 'title' is '\\x1b[2J'; it must be one line of text"),
    (submission(more="metadata: 5\n"), "the field 'metadata' is 5; it must be keys and values."),
]


@pytest.mark.parametrize(("text", "what"), BAD, ids=range(len(BAD)))
def test_a_wrong_submission_is_told_with_the_file_and_the_way_out(
    tmp_path: Path, fomo25: Challenge, text: str, what: str
) -> None:
    file = write(tmp_path, "alpha.yaml", text)
    message = refusal(fomo25, file)
    assert message.startswith(f"{file}: ")
    assert what in message


def test_an_archive_that_is_not_there_is_named_with_its_field(tmp_path: Path, fomo25: Challenge) -> None:
    file = write(tmp_path, "alpha.yaml", submission(images="{infarct: {archive: images/alpha.tar}}"))
    message = refusal(fomo25, file)
    assert f"{file}: the field 'images.infarct.archive' names {tmp_path / 'images/alpha.tar'}" in message
    assert "docker save" in message


def test_an_archive_is_found_beside_its_submission(tmp_path: Path, fomo25: Challenge) -> None:
    (tmp_path / "alpha.tar").write_bytes(b"an image")
    file = write(tmp_path, "alpha.yaml", submission(images="{infarct: {archive: alpha.tar}}"))
    (loaded,) = load_submissions([file], fomo25)
    assert loaded.images["infarct"].archive == tmp_path / "alpha.tar"


def test_a_team_cannot_enter_a_track_twice(tmp_path: Path, fomo25: Challenge) -> None:
    first, second = write(tmp_path, "a.yaml", submission()), write(tmp_path, "b.yml", submission())
    message = refusal(fomo25, tmp_path)
    assert message == (
        f"{second}: team 'alpha' is already entered in track 'method' by {first}. Remove one of the two files."
    )


def test_a_team_may_enter_both_tracks(tmp_path: Path, fomo25: Challenge) -> None:
    write(tmp_path, "a.yaml", submission())
    write(tmp_path, "b.yaml", submission(track="open"))
    assert [each.track for each in load_submissions([tmp_path], fomo25)] == ["method", "open"]


def test_the_same_file_given_twice_is_a_repeated_team(tmp_path: Path, fomo25: Challenge) -> None:
    file = write(tmp_path, "a.yaml", submission())
    assert "is already entered" in refusal(fomo25, file, tmp_path)


def test_a_folder_without_submissions(tmp_path: Path, fomo25: Challenge) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert refusal(fomo25, tmp_path) == (
        f"{tmp_path}: the folder holds no submission. Put one .yaml file per team into it."
    )


def test_a_file_that_is_not_there(tmp_path: Path, fomo25: Challenge) -> None:
    assert f"{tmp_path / 'gone.yaml'}: cannot be read" in refusal(fomo25, tmp_path / "gone.yaml")


def test_submissions_are_ordered_by_track_and_team_however_they_are_given(tmp_path: Path, fomo25: Challenge) -> None:
    files = [
        write(tmp_path, "1.yaml", submission("zeta")),
        write(tmp_path, "2.yaml", submission("alpha", "open")),
        write(tmp_path, "3.yaml", submission("alpha")),
    ]

    def order(loaded: tuple[SubmissionSpec, ...]) -> list[tuple[str, str]]:
        return [(each.track, each.team) for each in loaded]

    assert order(load_submissions(files, fomo25)) == [("method", "alpha"), ("method", "zeta"), ("open", "alpha")]
    assert load_submissions(files[::-1], fomo25) == load_submissions(files, fomo25)


def test_a_plain_string_stands_for_an_image(tmp_path: Path, fomo25: Challenge) -> None:
    short, long = (
        write(tmp_path / "a", "a.yaml", submission()),
        write(tmp_path / "b", "a.yaml", submission(images="{infarct: {image: 'alpha:1'}}")),
    )
    assert load_submissions([short], fomo25) == load_submissions([long], fomo25)
