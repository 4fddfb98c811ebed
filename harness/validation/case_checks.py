"""What the cases show: starting, flags, time, memory, and the prediction."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.datasets.masks import listed
from harness.engines.outcome import Ending, Refusal
from harness.specs.task import OUTPUT_FLAG, MaskOutput, OneOf, ScalarOutput, TaskSpec
from harness.validation import image_checks, surroundings_checks
from harness.validation.check import Finding, Status, failed, not_run, passed, warning
from harness.validation.evidence import Evidence, Seen
from harness.validation.hints import ASKS_FOR_FLAG, UNKNOWN_FLAG, hint, last_words

NARROW = 0.8
"""Above this share of a limit, another machine may well be over it."""

SLOW_START_S = 15.0
NOISY_BYTES, NOISY_LINES = 64 << 10, 500
OUTPUT_REFUSALS = (Refusal.NOT_A_FILE, Refusal.TOO_LARGE, Refusal.UNREADABLE)
FORMAT_REFUSALS = (Refusal.NOT_ONE_NUMBER, Refusal.NOT_NIFTI, Refusal.WRONG_TYPE)


def told(cases: Sequence[Seen], evidence: Evidence) -> str:
    """Say which cases it was, and how the first of them went."""
    names = ", ".join(each.case.id for each in cases[:4]) + (", …" if len(cases) > 4 else "")
    return f"{len(cases)} of {len(evidence.ran)} cases ({names}): {cases[0].record.outcome.detail}"


def start(evidence: Evidence) -> Finding:
    """Judge whether containers start at all."""
    if not evidence.ran:
        return _machine(evidence)
    if platform := evidence.ended(Ending.WRONG_PLATFORM):
        return not_run(platform[0].record.outcome.detail)
    if stuck := evidence.ended(Ending.CANNOT_START):
        return failed(told(stuck, evidence), stuck[0].record.outcome.remedy)
    return passed(f"{len(evidence.ran)} cases, each in a container of its own")


def flags(evidence: Evidence) -> Finding:
    """Judge whether every flag of the task is taken, over all branches of its choices."""
    started = _started(evidence)
    given = {name for each in started for name in each.case.volumes}
    if not given:
        return not_run("no container started")
    task = evidence.task.spec
    unknown = [each for each in evidence.ended(Ending.CRASHED) if UNKNOWN_FLAG.search(each.log)]
    if unknown:
        words = " ".join(match[1] for each in unknown if (match := UNKNOWN_FLAG.search(each.log)))
        named = [each.flag for each in task.all_inputs if each.flag in words.replace("=", " ").split()]
        what = ", ".join(named) or words
        return failed(
            f"{told(unknown, evidence)}: {last_words(unknown[0].log)}",
            f"Accept {what}; the flags are {' '.join(each.flag for each in task.all_inputs)} --output.",
        )
    own = {OUTPUT_FLAG, *(each.flag for each in task.all_inputs)}
    asking = [each for each in evidence.ended(Ending.CRASHED) if _asked_for(each.log) - own]
    if asking:
        foreign = ", ".join(sorted(_asked_for(asking[0].log) - own))
        return failed(
            f"{told(asking, evidence)}: {last_words(asking[0].log)}",
            f"Do not ask for {foreign}; the flags are {' '.join(each.flag for each in task.all_inputs)} --output.",
        )
    for flag, with_it in _branches(task, started):
        without = [each for each in started if each not in with_it]
        if with_it and without and not any(map(_came_through, with_it)) and all(map(_came_through, without)):
            return failed(
                f"every case with {flag} fails, and none without it: {last_words(with_it[0].log)}",
                f"Read {flag} where it is given; each case has one of a choice's flags.",
            )
    if not any(map(_came_through, started)):
        return not_run("no case came far enough to tell")
    return passed(" ".join(each.flag for each in task.all_inputs if each.name in given))


def _asked_for(log: str) -> set[str]:
    """Return the flags that a program misses, in the words of the usual parsers of arguments."""
    found = ASKS_FOR_FLAG.search(log)
    return {f"--{word}" for word in re.findall(r"-{1,2}(\w[\w-]*)", found[1])} if found else set()


def _branches(task: TaskSpec, started: Sequence[Seen]) -> list[tuple[str, list[Seen]]]:
    choices = [each for item in task.inputs if isinstance(item, OneOf) for each in item.one_of]
    return [(each.flag, [seen for seen in started if each.name in seen.case.volumes]) for each in choices]


def ending(evidence: Evidence) -> Finding:
    """Judge whether containers end with exit code 0; what another check explains is told there."""
    if not (started := _started(evidence)):
        return not_run("no container started")
    crashed = evidence.ended(Ending.CRASHED)
    if not crashed:
        return passed(f"exit code 0 in {sum(each.record.exit_code == 0 for each in started)} cases")
    explained = {
        "takes every flag": flags(evidence).status is Status.FAILED,
        "entry point": image_checks.entry_point(evidence).status is Status.FAILED,
        "needs no network": surroundings_checks.network(evidence).status is Status.FAILED,
        "writes to /output and /tmp only": surroundings_checks.writes(evidence).status is Status.FAILED,
        "does not need root": surroundings_checks.root(evidence).status is Status.FAILED,
        "deterministic": surroundings_checks.is_fickle(evidence),
    }
    for title, explains in explained.items():
        if explains:
            return not_run(f"{told(crashed, evidence)}; see '{title}'")
    log = crashed[0].log
    words = last_words(log) or "it wrote nothing to the console"
    return failed(
        f"{told(crashed, evidence)}: {words}", hint(log) or "Run the container on one case; --keep tells how."
    )


def time(evidence: Evidence) -> Finding:
    """Judge the time against the limit."""
    limit = evidence.task.limits.seconds
    if late := evidence.ended(Ending.TIMEOUT):
        return failed(f"{told(late, evidence)} (limit {limit:g} s)", "Make inference faster, or load less before it.")
    longest = max((each for each in _started(evidence)), key=lambda each: each.seconds or 0, default=None)
    if longest is None:
        return not_run("no container started")
    seconds = longest.seconds or 0.0
    spare = f"{max(0.0, 1 - seconds / limit):.0%} to spare"
    words = f"at most {seconds:.1f} s of {limit:g} s ({longest.case.id}): {spare}"
    if seconds > NARROW * limit:
        return warning(words, "Leave more to spare: another machine may be slower.")
    return passed(words)


def memory(evidence: Evidence) -> Finding:
    """Judge the memory against the limit."""
    limit = evidence.task.limits.memory_bytes
    if over := evidence.ended(Ending.OUT_OF_MEMORY):
        return failed(f"{told(over, evidence)} (limit {limit / 2**30:.1f} GiB)", over[0].record.outcome.remedy)
    most = max((each.record.usage.memory_bytes or 0 for each in evidence.ran), default=0)
    if not most:
        return not_run("this machine does not tell what a container uses")
    words = f"at most {most / 2**20:.0f} MiB of {limit / 2**30:.1f} GiB"
    if most > NARROW * limit:
        return warning(words, "Leave more to spare, or use smaller batches.")
    return passed(words)


def output(evidence: Evidence) -> Finding:
    """Judge whether there is a prediction where it should be."""
    missing = evidence.ended(Ending.NO_OUTPUT) + evidence.refused(*OUTPUT_REFUSALS)
    if missing:
        return failed(
            f"{told(missing, evidence)} {last_words(missing[0].log)}".strip(),
            f"Write the prediction to the path after --output ({evidence.task.spec.output.file}), as a plain file.",
        )
    return _of_written(evidence, (Refusal.TOO_LARGE,), f"/output/{evidence.task.spec.output.file}", "")


def format_(evidence: Evidence) -> Finding:
    """Judge whether the prediction is the kind of file that the task asks for."""
    wanted = evidence.task.spec.output
    remedy = (
        "Write one number in decimal notation, and nothing else."
        if isinstance(wanted, ScalarOutput)
        else "Write a NIfTI-1 volume of plain integers, three-dimensional."
    )
    return _of_written(evidence, FORMAT_REFUSALS, f"{wanted.format} ({wanted.meaning})", remedy)


def range_(evidence: Evidence) -> Finding:
    """Judge a number's size."""
    wanted = evidence.task.spec.output
    if not isinstance(wanted, ScalarOutput):
        return not_run("the prediction is a mask")
    bounds = f"from {wanted.minimum:g} to {wanted.maximum:g}" if wanted.minimum is not None and wanted.maximum else ""
    said = f"finite{bounds and ' and ' + bounds} ({wanted.meaning})"
    remedy = f"Write a number that is {said}; no class index, no logit, no NaN."
    return _of_written(evidence, (Refusal.OUT_OF_RANGE, Refusal.NOT_FINITE), said, remedy, after=FORMAT_REFUSALS)


def grid(evidence: Evidence) -> Finding:
    """Judge where a mask's voxels lie."""
    if not isinstance(evidence.task.spec.output, MaskOutput):
        return not_run("the prediction is a number")
    remedy = (
        "Save the mask with the affine and shape of the input as it is on disk; undo every resampling, "
        "reorientation and crop first."
    )
    return _of_written(evidence, (Refusal.WRONG_GRID,), "shape and affine of the input", remedy, after=FORMAT_REFUSALS)


def values(evidence: Evidence) -> Finding:
    """Judge a mask's voxels."""
    if not isinstance(evidence.task.spec.output, MaskOutput):
        return not_run("the prediction is a number")
    codes = (0, *(evidence.task.spec.structures.values() or (1,)))
    remedy = "Write 0 for background and 1 for foreground, as integers: threshold probabilities, merge labels."
    if evidence.task.spec.structures:
        named = ", ".join(f"{code} for {name}" for name, code in evidence.task.spec.structures.items())
        remedy = f"Write 0 for background, {named}, as integers."
    judged = (Refusal.NOT_BINARY, Refusal.UNKNOWN_STRUCTURE, Refusal.NOT_FINITE)
    found = _of_written(evidence, judged, listed(codes), remedy, after=(*FORMAT_REFUSALS, Refusal.WRONG_GRID))
    notes = sorted({note for each in evidence.ran if each.is_ok for note in each.record.outcome.notes})
    if found.status is Status.PASSED and notes:
        return warning(f"accepted, though {'; '.join(notes)}", "Save it as uint8 on the input's own axes.")
    return found


def slow_start(evidence: Evidence) -> Finding:
    """Say where even the quickest case takes long: that is start-up."""
    quickest = min((each.seconds or 0.0 for each in evidence.ran if each.is_ok), default=None)
    if quickest is None:
        return not_run("no case came to its end")
    words = f"the quickest case took {quickest:.1f} s"
    if quickest > SLOW_START_S:
        return warning(words, "Most of that is start-up: import and load less, and ship compiled .pyc files.")
    return passed(words)


def log_noise(evidence: Evidence) -> Finding:
    """Say where so much is written to the console that what matters is lost in it."""
    noisiest = max((each.log for each in evidence.ran), key=len, default="")
    lines = noisiest.count("\n")
    words = f"at most {lines} lines, {len(noisiest) / 1024:.0f} KiB a case are kept"
    if len(noisiest) > NOISY_BYTES or lines > NOISY_LINES:
        return warning(words, "Write less to the console: only its end is kept, and progress bars fill it.")
    return passed(words)


def _of_written(
    evidence: Evidence, refusals: tuple[Refusal, ...], said: str, remedy: str, *, after: tuple[Refusal, ...] = ()
) -> Finding:
    """Judge predictions that came far enough for a question to arise: past what is asked ``after`` them."""
    if wrong := evidence.refused(*refusals):
        return failed(told(wrong, evidence), remedy)
    earlier = (*OUTPUT_REFUSALS, *after)
    reached = [
        each
        for each in evidence.ended(Ending.OK, Ending.INVALID_OUTPUT)
        if each.refusal is None or each.refusal not in earlier
    ]
    return passed(f"{said}, in {len(reached)} cases") if reached else not_run("no case came so far")


def _came_through(seen: Seen) -> bool:
    """Say whether a program did what it was asked, well or badly."""
    return seen.ending in (Ending.OK, Ending.INVALID_OUTPUT)


def _started(evidence: Evidence) -> list[Seen]:
    return [each for each in evidence.ran if each.ending not in (Ending.WRONG_PLATFORM, Ending.CANNOT_START)]


def _machine(evidence: Evidence) -> Finding:
    first = evidence.seen[0].record.outcome
    return not_run(f"the machine failed: {first.detail} {first.remedy}".strip())
