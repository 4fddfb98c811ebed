"""Finding and reading challenges and submissions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness import errors
from harness.errors import SpecError, SubmissionError
from harness.specs import reading
from harness.specs.challenge import Challenge, ChallengeSpec
from harness.specs.submission import SubmissionSpec, SubmittedImage
from harness.specs.task import TaskSpec

CHALLENGE_FILE = "challenge.yaml"
YAML_SUFFIXES = (".yaml", ".yml")


def builtin_folder() -> Path:
    """Return the folder of built-in challenges: inside the installed package, or a checkout's ``task_specs/``."""
    package = Path(__file__).parent.parent
    installed = package / "task_specs"
    return installed if installed.is_dir() else package.parent / "task_specs"


def builtin_challenges() -> tuple[str, ...]:
    """Return the names of the challenges that come with the package."""
    return tuple(sorted(file.parent.name for file in builtin_folder().glob(f"*/{CHALLENGE_FILE}")))


def load_challenge(name_or_path: str) -> Challenge:
    """Load a challenge and its tasks.

    Parameters
    ----------
    name_or_path
        A built-in challenge's name, a folder with a ``challenge.yaml``, or that file.

    Raises
    ------
    SpecError
        Nothing of that name exists, or a spec is malformed.
    """
    file = _challenge_file(name_or_path)
    spec = reading.read(file, ChallengeSpec, SpecError)
    return Challenge(spec, tuple(_load_task(file.parent, name) for name in spec.tasks), file.parent)


def _challenge_file(name_or_path: str) -> Path:
    if name_or_path in builtin_challenges():
        return builtin_folder() / name_or_path / CHALLENGE_FILE
    path = Path(name_or_path)
    file = path / CHALLENGE_FILE if path.is_dir() else path
    if not file.is_file():
        raise SpecError(
            f"There is no challenge '{name_or_path}', neither built in nor as a folder with {CHALLENGE_FILE}.",
            remedy=errors.nearest(name_or_path, builtin_challenges()),
        )
    return file


def _load_task(folder: Path, name: str) -> TaskSpec:
    file = folder / f"{name}.yaml"
    if not file.is_file():
        there = sorted(each.stem for each in folder.glob("*.yaml") if each.name != CHALLENGE_FILE)
        raise SpecError(
            f"{folder / CHALLENGE_FILE}: the field 'tasks' names '{name}', and there is no {file.name} beside it.",
            remedy=errors.nearest(name, there),
        )
    task = reading.read(file, TaskSpec, SpecError)
    if task.name != name:
        raise SpecError(f"{file}: the field 'name' is '{task.name}'.", remedy=f"Name it '{name}', or rename the file.")
    return task


def load_submissions(paths: Iterable[Path], challenge: Challenge) -> tuple[SubmissionSpec, ...]:
    """Load a challenge's entries, ordered by track and team.

    Parameters
    ----------
    paths
        Submission files, or folders of them.
    challenge
        The challenge that they enter.

    Raises
    ------
    SubmissionError
        A file is malformed, enters a task or track that the challenge has not, or repeats a team of its track.
    """
    entered: dict[tuple[str, str], tuple[Path, SubmissionSpec]] = {}
    for file in _submission_files(paths):
        submission = _load_submission(file, challenge)
        key = (submission.track, submission.team)
        if key in entered:
            raise SubmissionError(
                f"{file}: team '{submission.team}' is already entered in track '{submission.track}' "
                f"by {entered[key][0]}.",
                remedy="Remove one of the two files.",
            )
        entered[key] = (file, submission)
    return tuple(entered[key][1] for key in sorted(entered))


def _submission_files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.iterdir() if file.suffix in YAML_SUFFIXES)
            if not found:
                raise SubmissionError(
                    f"{path}: the folder holds no submission.", remedy="Put one .yaml file per team into it."
                )
            files += found
        else:
            files.append(path)
    return files


def _load_submission(file: Path, challenge: Challenge) -> SubmissionSpec:
    submission = reading.read(file, SubmissionSpec, SubmissionError)
    if submission.track not in challenge.spec.tracks:
        raise SubmissionError(
            f"{file}: the field 'track' is '{submission.track}', which is not a track of {challenge.spec.name}.",
            remedy=errors.nearest(submission.track, challenge.spec.tracks),
        )
    for task in submission.images:
        if task not in challenge.spec.tasks:
            raise SubmissionError(
                f"{file}: the field 'images' names '{task}', which is not a task of {challenge.spec.name}.",
                remedy=errors.nearest(task, challenge.spec.tasks),
            )
    images = {task: _located(task, image, file) for task, image in submission.images.items()}
    return submission.model_copy(update={"images": images})


def _located(task: str, image: SubmittedImage, file: Path) -> SubmittedImage:
    """Read an archive's path as relative to the submission file that names it."""
    if image.archive is None:
        return image
    archive = file.parent / image.archive
    if not archive.is_file():
        raise SubmissionError(
            f"{file}: the field 'images.{task}.archive' names {archive}, which is not there.",
            remedy="Write it with 'docker save', or correct its path.",
        )
    return image.model_copy(update={"archive": archive})
