"""The attacks of ``containers/adversarial``: what each does, how it must end, and the table that says so to readers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.engines.outcome import Ending, Refusal
from tests.support.cohorts import REPOSITORY
from tests.support.images import build_example, built_image

FOLDER = REPOSITORY / "containers" / "adversarial"
OVERVIEW = REPOSITORY / "containers" / "README.md"
BEGIN, END = "<!-- attacks -->\n", "<!-- end of attacks -->\n"
IMAGE = "image"
"""The script of attacks that are not a script: the image is the attack, and holds ``honest.py``."""


@dataclass(frozen=True)
class Ended:
    """How an attack ends: the code, and with ``invalid_output`` why."""

    ending: Ending
    refusal: Refusal | None = None

    def __str__(self) -> str:
        return f"`{self.ending}`" + (f" ({self.refusal})" if self.refusal else "")


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes
    ----------
    name
        The function of the script, or the name of the Dockerfile.
    script
        ``machine``, ``output``, ``prediction``, ``mask``, ``sandbox`` or ``image``.
    ended
        How it must end.
    watched
        How it must end where the output folder is watched instead of bounded by the kernel: for a caller who is not
        root; None where that makes no difference.
    proof
        The test that shows more than the ending.
    """

    name: str
    script: str
    ended: Ended
    watched: Ended | None = None
    proof: str = ""

    @property
    def team(self) -> str:
        """Who enters it: a name that none of its own words gives away."""
        return f"{self.script}.{self.name}"

    @property
    def task(self) -> str:
        """The task that it is entered for: one with two cases where a container is to find what another left."""
        if self.name == "remembering":
            return "infarct"
        return "meningioma" if self.script == "mask" else "brain_age"

    @property
    def lines(self) -> str:
        """What its Dockerfile says after the scripts were copied."""
        if self.script == IMAGE:
            return f'ENTRYPOINT ["python", "/app/honest.py"]\n{self._dockerfile.read_text()}'
        return f'ENTRYPOINT ["python", "/app/{self.script}.py", "{self.name}"]\n'

    @property
    def what(self) -> str:
        """What it does, in its own words."""
        if self.script == IMAGE:
            return self._dockerfile.read_text().splitlines()[0].removeprefix("# ")
        module = ast.parse((FOLDER / f"{self.script}.py").read_text())
        functions = {each.name: each for each in module.body if isinstance(each, ast.FunctionDef)}
        return ast.get_docstring(functions[self.name]) or ""

    @property
    def _dockerfile(self) -> Path:
        return FOLDER / f"{self.name}.Dockerfile"


OK = Ended(Ending.OK)
CRASHED, TIMEOUT, OUT_OF_MEMORY = Ended(Ending.CRASHED), Ended(Ending.TIMEOUT), Ended(Ending.OUT_OF_MEMORY)
NO_OUTPUT, CANNOT_START = Ended(Ending.NO_OUTPUT), Ended(Ending.CANNOT_START)


def invalid(refusal: Refusal) -> Ended:
    """Say that what was written is refused."""
    return Ended(Ending.INVALID_OUTPUT, refusal)


NOT_A_FILE, TOO_LARGE, NOT_NIFTI = map(invalid, (Refusal.NOT_A_FILE, Refusal.TOO_LARGE, Refusal.NOT_NIFTI))
WRONG_TYPE = invalid(Refusal.WRONG_TYPE)

ATTACKS = (
    Attack("fork_bomb", "machine", TIMEOUT),
    Attack("memory_bomb", "machine", OUT_OF_MEMORY),
    Attack("memory_bomb_in_a_child", "machine", OK, proof="test_a_child_that_was_killed_is_noted"),
    Attack("scratch_flood", "machine", OK),
    Attack("scratch_files", "machine", OUT_OF_MEMORY),
    Attack("log_flood", "machine", OK, proof="test_what_is_kept_of_logs_is_bounded"),
    Attack("log_flood_in_one_line", "machine", OK, proof="test_what_is_kept_of_logs_is_bounded"),
    Attack("ignored_signals", "machine", TIMEOUT),
    Attack("stopped_process", "machine", TIMEOUT),
    Attack("pretended_kill", "machine", CRASHED, proof="test_a_pretended_kill_counts_once_it_came_each_time"),
    Attack("huge_file", "output", CRASHED, watched=TOO_LARGE),
    Attack("sparse_terabyte", "output", CRASHED),
    Attack("sparse_prediction", "output", TOO_LARGE),
    Attack("many_files", "output", CRASHED, watched=TOO_LARGE),
    Attack("folder_tower", "output", TOO_LARGE),
    Attack("closed_folder", "output", CRASHED, watched=TOO_LARGE),
    Attack("closed_output", "output", CRASHED, watched=TOO_LARGE),
    Attack("changing_names", "output", CRASHED, watched=TOO_LARGE),
    Attack("nameless_file", "output", CRASHED),
    Attack("nothing", "prediction", NO_OUTPUT),
    Attack("link_to_an_account_file", "prediction", NOT_A_FILE),
    Attack("link_to_a_reference", "prediction", NOT_A_FILE),
    Attack("link_to_another_team", "prediction", NOT_A_FILE),
    Attack("fifo", "prediction", NOT_A_FILE),
    Attack("socket_file", "prediction", NOT_A_FILE),
    Attack("folder", "prediction", NOT_A_FILE),
    Attack("hard_link", "prediction", NOT_A_FILE),
    Attack("closed_file", "prediction", invalid(Refusal.UNREADABLE)),
    Attack("setuid_file", "prediction", OK, proof="test_predictions_are_plain_files_of_the_callers"),
    Attack("endless_number", "prediction", invalid(Refusal.NOT_ONE_NUMBER)),
    Attack("not_a_number", "prediction", invalid(Refusal.NOT_FINITE)),
    Attack("late_child", "prediction", NO_OUTPUT),
    Attack("changing_child", "prediction", OK, proof="test_predictions_are_plain_files_of_the_callers"),
    Attack("gzip_bomb", "mask", OK),
    Attack("announced_bomb", "mask", invalid(Refusal.WRONG_GRID)),
    Attack("absurd_dimensions", "mask", NOT_NIFTI),
    Attack("negative_dimensions", "mask", NOT_NIFTI),
    Attack("complex_voxels", "mask", WRONG_TYPE),
    Attack("colours", "mask", WRONG_TYPE),
    Attack("not_a_number", "mask", invalid(Refusal.NOT_FINITE)),
    Attack("all_values", "mask", invalid(Refusal.NOT_BINARY)),
    Attack("cut_short", "mask", NOT_NIFTI),
    Attack("empty_members", "mask", NOT_NIFTI),
    Attack("endless_name", "mask", OK),
    Attack("egress", "sandbox", OK, proof="test_without_the_sandbox_they_succeed"),
    Attack("escalation", "sandbox", OK, proof="test_without_the_sandbox_they_succeed"),
    Attack("writing", "sandbox", OK, proof="test_without_the_sandbox_they_succeed"),
    Attack("looking", "sandbox", OK, proof="test_nothing_that_it_sees_tells_case_team_or_data"),
    Attack("remembering", "sandbox", OK, proof="test_without_the_sandbox_they_succeed"),
    Attack("root_user", IMAGE, OK),
    Attack("spoofed_labels", IMAGE, OK, proof="test_labels_neither_hide_nor_expose_a_container"),
    Attack("hostile_environment", IMAGE, OK),
    Attack("volumes", IMAGE, OK),
    Attack("folders_of_root", IMAGE, OK, proof="test_predictions_are_plain_files_of_the_callers"),
    Attack("volume_below_input", IMAGE, CANNOT_START),
    Attack("many_volumes", IMAGE, CANNOT_START),
    Attack("long_volume", IMAGE, CANNOT_START),
    Attack("deep_volume", IMAGE, CANNOT_START, watched=TOO_LARGE),
    Attack("deep_folder", IMAGE, CANNOT_START, watched=TOO_LARGE),
    Attack("full_disk_folder", IMAGE, CANNOT_START),
    Attack("full_disk_volume", IMAGE, CANNOT_START),
    Attack("linked_output", IMAGE, CANNOT_START),
    Attack("linked_input", IMAGE, CANNOT_START),
    Attack("linked_init", IMAGE, CANNOT_START),
    Attack("working_folder", IMAGE, CANNOT_START),
    Attack("no_command", IMAGE, CANNOT_START),
    Attack("closed_command", IMAGE, CANNOT_START),
    Attack("shell_command", IMAGE, CRASHED),
)


def attack_image(lines: str) -> str:
    """Build an image of the attacks' scripts and these Dockerfile lines; return its tag."""
    scripts = {f"app/{path.name}": path.read_text() for path in sorted(FOLDER.glob("*.py"))}
    return built_image(f"FROM {build_example()}\nENTRYPOINT []\nCMD []\nCOPY app /app\n{lines}\n", scripts)


def table() -> str:
    """Write the attacks as a table in Markdown."""
    return "".join(_rows())


def _rows() -> Iterator[str]:
    yield "| attack | what it does | ends as | not as root | more is shown by |\n|---|---|---|---|---|\n"
    for attack in ATTACKS:
        proof = f"`{attack.proof}`" if attack.proof else ""
        yield f"| {attack.team} | {attack.what} | {attack.ended} | {attack.watched or ''} | {proof} |\n"


def with_table(document: str, rows: str) -> str:
    """Return a document with other rows where its table is."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{rows}\n{END}{after}"


def scripted() -> Iterable[tuple[str, str]]:
    """Name every attack that there is a function or a Dockerfile for."""
    for path in sorted(set(FOLDER.glob("*.py")) - {FOLDER / "honest.py"}):
        module = ast.parse(path.read_text())
        yield from (
            (each.name, path.stem)
            for each in module.body
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
        )
    yield from ((path.stem, IMAGE) for path in sorted(FOLDER.glob("*.Dockerfile")))


if __name__ == "__main__":
    OVERVIEW.write_text(with_table(OVERVIEW.read_text(encoding="utf-8"), table()), encoding="utf-8")
