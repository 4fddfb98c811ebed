"""Scoring a plain folder of predictions that were made elsewhere, without a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.datasets import references
from harness.datasets.index import reference_ids, reference_path
from harness.datasets.scalars import parse_number
from harness.errors import DatasetError, nearest
from harness.records.plan import Kept
from harness.scoring.draws import generator, resample
from harness.scoring.evidence import evidence
from harness.scoring.mask_values import score_mask
from harness.scoring.predictions import read_regions
from harness.scoring.scores import CaseScore, MetricScore, Scored, Unscored
from harness.scoring.spreads import Interval
from harness.specs.challenge import Ranking
from harness.specs.task import ScalarReference, TaskSpec

MOST_NAMED = 12
"""With more cases than this, a message does not list them."""
MISSING, INVALID, VALID = "no_output", "invalid_output", "ok"
Judge = Callable[[TaskSpec, Path, Path], str]
"""``(task, volume, prediction)``: why a prediction is refused, empty where it is not."""


class FolderScores(Kept):
    """What a folder of predictions is worth.

    Attributes
    ----------
    refused
        By case, why its prediction is not valid.
    missing
        The cases without a file.
    """

    format: Literal[1] = 1
    challenge: str
    task: str
    cases: int
    valid: int
    missing: tuple[str, ...]
    refused: dict[str, str]
    metrics: dict[str, MetricScore]
    intervals: dict[str, Interval]
    case_scores: tuple[CaseScore, ...] = Field(repr=False)


def score_folder(
    task: TaskSpec, challenge: str, ranking: Ranking, folder: Path, root: Path, judge: Judge, *, seed: int = 0
) -> FolderScores:
    """Score the predictions of one task.

    Parameters
    ----------
    task, challenge, ranking
        What was asked for, and how cases are averaged and drawn.
    folder
        ``<case>/<output file>`` or ``<case>`` with the output file's suffix, for each case that was predicted.
    root
        The data folder, with the references; volumes are not needed.
    judge
        The same judgement of predictions as in a run.
    seed
        Of the draws.

    Raises
    ------
    DatasetError
        A reference is unusable, or the folder holds something that is no case's prediction.
    """
    cases = reference_ids(task, root)
    files = prediction_files(task, folder, cases)
    refused = {}
    for case, file in files.items():
        why = judge(task, reference_path(task, root, case), file)
        if why:
            refused[case] = why
    valid = {case: file for case, file in files.items() if case not in refused}
    endings = {case: VALID if case in valid else INVALID if case in refused else MISSING for case in cases}
    truths = {}
    if isinstance(task.reference, ScalarReference):
        truths = {case: references.load_scalar(task, root, case) for case in cases}
        numbers = {case: parse_number(file.read_bytes()) for case, file in valid.items()}
        scored = [CaseScore(case=case, ending=ending, prediction=numbers.get(case)) for case, ending in endings.items()]
    else:
        scored = [_mask(task, root, case, ending, valid.get(case)) for case, ending in endings.items()]
    found = {spec.name: evidence(spec, task, scored, truths) for spec in task.metrics}
    classes = next((each.reference for each in found.values() if each.metric.classes), None)
    draws, _ = resample(found, ranking.resampling.resamples, ranking.average, generator(seed, task.name), classes)
    intervals = {name: Interval.of(drawn, ranking.resampling.confidence) for name, drawn in draws.items()}
    values = {name: each.value(ranking.average) for name, each in found.items()}
    return FolderScores(
        challenge=challenge,
        task=task.name,
        cases=len(cases),
        valid=len(valid),
        missing=tuple(case for case in cases if case not in files),
        refused=refused,
        metrics={
            name: Unscored(status="undefined", reason=found[name].undefined) if value is None else Scored(value=value)
            for name, value in values.items()
        },
        intervals={name: found for name, found in intervals.items() if found is not None},
        case_scores=tuple(scored),
    )


def prediction_files(task: TaskSpec, folder: Path, cases: tuple[str, ...]) -> dict[str, Path]:
    """Find each case's file.

    Raises
    ------
    DatasetError
        The folder is not there, or holds a prediction of an unknown case, or two of one case.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder.", remedy="Pass the folder with the predictions.")
    suffixes = (".nii.gz", ".nii") if task.output.format == "mask" else ("".join(Path(task.output.file).suffixes),)
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        suffix = next((each for each in suffixes if path.name.endswith(each)), "")
        file = path / task.output.file if path.is_dir() else path
        case = path.name if path.is_dir() else path.name.removesuffix(suffix)
        if case not in cases or (not path.is_dir() and not suffix):
            close = nearest(case, cases) if len(cases) < MOST_NAMED else ""
            raise DatasetError(
                f"{path}: is no prediction of a case of {task.name}.",
                remedy=f"Name it <case>{suffixes[0]}, or remove it. {close}".strip(),
            )
        if case in found:
            raise DatasetError(f"{path}: is a second prediction of {case}, beside {found[case]}.", remedy="Remove one.")
        if file.is_file():
            found[case] = file
    return found


def _mask(task: TaskSpec, root: Path, case: str, ending: str, file: Path | None) -> CaseScore:
    reference = references.load_mask(task, root, case)
    return score_mask(task, case, ending, reference, read_regions(file, reference, task.structures) if file else None)
