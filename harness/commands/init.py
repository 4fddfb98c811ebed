"""``fomo-eval init``: a submission to start from, written from a task spec alone."""

from __future__ import annotations

import re
import shutil
import string
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import yaml

from harness.commands.challenges import checked_challenge
from harness.commands.tasks import schema
from harness.errors import UsageError, nearest, printable
from harness.records.files import HALF_WRITTEN, to_json, writing
from harness.specs.challenge import Challenge
from harness.specs.loading import CHALLENGE_FILE, builtin_challenges
from harness.specs.part import NAME_PATTERN, PATTERNS
from harness.specs.task import Input, OneOf, ScalarOutput, ScalarReference, TaskSpec

TEMPLATES = files("harness") / "templates" / "submission"
OWN_CHALLENGE = "challenge"
"""The folder into which a challenge that is not built in is copied, so that the submission needs nothing beside it."""

EXECUTABLE = ("validate.sh",)
PLACES = {
    "Dockerfile": "Dockerfile",
    "predict.py": "predict.py",
    "requirements.txt": "requirements.txt",
    "submission.yaml": "submission.yaml",
    ".dockerignore": "dockerignore",
    "Makefile": "Makefile",
    "validate.sh": "validate.sh",
    ".github/workflows/validate.yml": "validate.yml",
}
"""Each file that is written, and the template that it is written from."""


class _Template(string.Template):
    # Neither shell, make, GitHub nor Python writes a percent sign before a brace.
    delimiter = "%"


def init(folder: Path, *, challenge: str, task: str, team: str) -> tuple[Path, ...]:
    """Write a submission that builds, and answers every case of a task as its spec asks.

    Parameters
    ----------
    folder
        Where: new, or empty.
    challenge, task
        A built-in challenge or a folder with one, and which of its tasks.
    team
        The team's name.

    Returns
    -------
    tuple of Path
        The files, below ``folder``.

    Raises
    ------
    UsageError
        There is something in the folder, or no such task, or the name is none.
    """
    loaded = checked_challenge(challenge)
    if task not in loaded.spec.tasks:
        raise UsageError(f"{loaded.spec.name} has no task '{task}'.", remedy=nearest(task, loaded.spec.tasks))
    if not re.fullmatch(NAME_PATTERN, team):
        raise UsageError(f"--team is '{team}'; it must be {PATTERNS[NAME_PATTERN]}.")
    target = _free(folder)
    own = challenge not in builtin_challenges()
    texts = submission_files(loaded, loaded.task(task), team, OWN_CHALLENGE if own else challenge)
    _write(target, {**texts, **(_challenge_files(loaded) if own else {})})
    return tuple(target / name for name in texts)


def submission_files(challenge: Challenge, task: TaskSpec, team: str, challenge_name: str) -> dict[str, bytes]:
    """Write the files of a submission, by their path in its folder.

    Parameters
    ----------
    challenge, task
        What is entered.
    team
        The team's name.
    challenge_name
        What ``--challenge`` is given in the submission's own commands.
    """
    image = f"{_lower(team)}/{_lower(task.name)}:1"
    track = next(iter(challenge.spec.tracks))
    words = {
        "contract": str(challenge.spec.contract),
        "title": printable(task.title),
        "meaning": printable(task.output.meaning),
        "task": task.name,
        "image": image,
        "challenge": challenge_name,
        "flags": "\n".join(_flags(task)),
        "submission": yaml.safe_dump(
            {"team": team, "track": track, "images": {task.name: image}}, sort_keys=False
        ).rstrip(),
        "placeholder": repr(placeholder(task)),
    }
    words["answer"] = _filled(f"predict_{task.output.format}", words).rstrip("\n")
    in_yaml = {name: yaml.safe_dump(words[name]).splitlines()[0] for name in ("task", "image", "challenge")}
    texts = {
        place: _filled(template, {**words, **in_yaml} if template == "validate.yml" else words)
        for place, template in PLACES.items()
    }
    written = {place: text.encode() for place, text in texts.items()}
    return {**written, "submission.schema.json": to_json(schema("submission"))}


def placeholder(task: TaskSpec) -> float:
    """Return a number that a task accepts: the middle of its references, or what its output allows next to that."""
    low, high = _range_of_references(task)
    middle = low / 2 + high / 2
    if isinstance(task.output, ScalarOutput):
        lowest, highest = task.output.minimum, task.output.maximum
        middle = middle if lowest is None else max(middle, lowest)
        middle = middle if highest is None else min(middle, highest)
    return float(middle)


def _range_of_references(task: TaskSpec) -> tuple[float, float]:
    reference = task.reference
    if not isinstance(reference, ScalarReference):
        return 0.0, 0.0
    known = reference.values or [each for each in (reference.minimum, reference.maximum) if each is not None]
    return min(known), max(known)


def _flags(task: TaskSpec) -> Iterator[str]:
    for number, item in enumerate(task.inputs):
        if not isinstance(item, OneOf):
            yield f"    {_argument('parser', item, required=item.required)}"
            continue
        # Each case has one of these, and its container gets that one.
        needed = any(each.required for each in item.one_of)
        group = f"one_of_{number}"
        yield f"    {group} = parser.add_mutually_exclusive_group(required={needed})"
        for each in item.one_of:
            yield f"    {_argument(group, each, required=False)}"


def _argument(parser: str, each: Input, *, required: bool) -> str:
    needed = ", required=True" if required else ""
    # Flags and names are letters, digits, '.', '_' and '-' alone.
    return f'{parser}.add_argument("{each.flag}", dest="{each.name}", type=Path{needed})'


def _filled(template: str, words: Mapping[str, str]) -> str:
    return _Template((TEMPLATES / f"{template}.template").read_text(encoding="utf-8")).substitute(words)


def _lower(name: str) -> str:
    """Write a name as the engine wants it in a tag."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def _challenge_files(challenge: Challenge) -> dict[str, bytes]:
    names: Iterable[str] = (CHALLENGE_FILE, *(f"{task}.yaml" for task in challenge.spec.tasks))
    return {f"{OWN_CHALLENGE}/{name}": (challenge.folder / name).read_bytes() for name in names}


def _free(folder: Path) -> Path:
    """Return a folder's path with links resolved, if nothing is lost by putting another in its place."""
    target = folder.resolve()
    if target == Path.cwd():
        raise UsageError(
            f"{folder}: is the current folder, which cannot be replaced.",
            remedy="Name a new one, as in 'my-submission'.",
        )
    with writing(folder):
        if target.exists() and not target.is_dir():
            raise UsageError(f"{folder}: is a file.", remedy="Name a new folder.")
        if target.is_dir() and any(target.iterdir()):
            raise UsageError(f"{folder}: the folder is not empty.", remedy="Name a new folder, or empty this one.")
    return target


def _write(target: Path, content: Mapping[str, bytes]) -> None:
    """Have all files in their folder at once, or none."""
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=HALF_WRITTEN, dir=target.parent))
        try:
            whole = beside / "submission"
            for name, text in content.items():
                file = whole / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(text)
                file.chmod(0o755 if name in EXECUTABLE else 0o644)
            whole.rename(target)
        finally:
            shutil.rmtree(beside)
