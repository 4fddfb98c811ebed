"""Scoring: the first and only place where predictions meet references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from harness.datasets import references
from harness.datasets.references import ReferenceMask
from harness.records.plan import Entry, Plan, PlannedTask, fingerprint
from harness.records.record import Record
from harness.records.store import RunStore
from harness.scoring.evidence import evidence
from harness.scoring.mask_values import score_mask
from harness.scoring.predictions import is_valid, load_mask, load_scalar
from harness.scoring.processes import answers, processors
from harness.scoring.scores import PENDING, CaseScore, EntryScore, MetricScore, Scored, Scores, Unscored
from harness.specs.challenge import Average
from harness.specs.task import MetricSpec, ScalarReference, TaskSpec

EntryKey = tuple[str, str, str]
Records = Mapping[EntryKey, Mapping[str, Record | None]]

FEWEST_MASKS = 64
"""Fewer are scored before other processes have started."""


def score(plan: Plan, store: RunStore, root: Path, records: Records | None = None) -> Scores:
    """Score every entry of a run.

    Parameters
    ----------
    plan
        The run's plan.
    store
        The run directory, with its records and predictions.
    root
        The data folder, with its references.
    records
        The run's records, where they have been read already.

    Returns
    -------
    Scores
        The same for the same predictions, whatever else happened in the run.

    Raises
    ------
    DatasetError
        A reference is missing or unusable.
    RunDirectoryError
        A prediction is not the one that was recorded.
    """
    records = all_records(plan, store) if records is None else records
    entries: dict[EntryKey, EntryScore] = {}
    truths_by_task: dict[str, dict[str, float]] = {}
    for task in plan.tasks:
        of_task = {entry.key: records[entry.key] for entry in plan.entries if entry.task == task.spec.name}
        score_cases = _scalar_cases if isinstance(task.spec.reference, ScalarReference) else _mask_cases
        truths, cases = score_cases(task, of_task, store.folder, root)
        if truths:
            truths_by_task[task.spec.name] = truths
        for entry in plan.entries:
            if entry.key in cases:
                entries[entry.key] = _entry_score(
                    entry, task.spec, cases[entry.key], truths, plan.challenge.ranking.average
                )
    return Scores(
        challenge=plan.challenge.name,
        rules=fingerprint([plan.challenge, *(task.spec for task in plan.tasks)]),
        evidence=_fingerprint(records),
        references=truths_by_task,
        entries=tuple(entries[entry.key] for entry in plan.entries),
    )


def all_records(plan: Plan, store: RunStore) -> Records:
    """Read every trial's final record; None where it has none yet."""
    return {entry.key: store.records(entry, plan.task(entry.task).cases) for entry in plan.entries}


def _fingerprint(records: Records) -> str:
    return fingerprint(
        [
            [*key, case, record and record.outcome.ending, record and record.prediction and record.prediction.sha256]
            for key, of_entry in records.items()
            for case, record in of_entry.items()
        ]
    )


def _scalar_cases(
    task: PlannedTask, records: Records, run: Path, root: Path
) -> tuple[dict[str, float], dict[EntryKey, list[CaseScore]]]:
    truths = {case.id: references.load_scalar(task.spec, root, case.id) for case in task.cases}
    cases = {
        key: [
            CaseScore(
                case=case,
                ending=_ending(record),
                prediction=load_scalar(run, record) if record is not None and is_valid(record) else None,
            )
            for case, record in of_entry.items()
        ]
        for key, of_entry in records.items()
    }
    return truths, cases


def _mask_cases(
    task: PlannedTask, records: Records, run: Path, root: Path
) -> tuple[dict[str, float], dict[EntryKey, list[CaseScore]]]:
    """Score masks case by case, so that each reference is read once and each process has one case in memory."""
    questions = [(case.id, {key: of_entry[case.id] for key, of_entry in records.items()}) for case in task.cases]
    few = len(task.cases) * len(records) < FEWEST_MASKS
    cases: dict[EntryKey, list[CaseScore]] = {key: [] for key in records}
    score_case = partial(_mask_case, task.spec, run, root)
    for scored in answers(score_case, questions, processes=1 if few else processors()):
        for key, case_score in scored.items():
            cases[key].append(case_score)
    return {}, cases


def _mask_case(
    task: TaskSpec, run: Path, root: Path, question: tuple[str, Mapping[EntryKey, Record | None]]
) -> dict[EntryKey, CaseScore]:
    case, records = question
    reference = references.load_mask(task, root, case)
    return {key: _scored_mask(task, case, record, reference, run) for key, record in records.items()}


def _scored_mask(task: TaskSpec, case: str, record: Record | None, reference: ReferenceMask, run: Path) -> CaseScore:
    if record is None:
        return CaseScore(case=case, ending=PENDING)
    prediction = load_mask(run, record, reference, task.structures) if is_valid(record) else None
    return score_mask(task, case, _ending(record), reference, prediction)


def _ending(record: Record | None) -> str:
    return PENDING if record is None else str(record.outcome.ending)


def _entry_score(
    entry: Entry, task: TaskSpec, cases: list[CaseScore], truths: Mapping[str, float], average: Average
) -> EntryScore:
    return EntryScore(
        track=entry.track,
        team=entry.team,
        title=entry.title,
        baseline=entry.baseline,
        task=entry.task,
        cases=len(cases),
        valid=sum(case.ending == "ok" for case in cases),
        endings=dict(sorted(Counter(case.ending for case in cases).items())),
        provisional=any(case.ending == PENDING for case in cases),
        metrics={spec.name: _metric_score(spec, task, cases, truths, average) for spec in task.metrics},
        case_scores=tuple(cases),
    )


def _metric_score(
    spec: MetricSpec, task: TaskSpec, cases: list[CaseScore], truths: Mapping[str, float], average: Average
) -> MetricScore:
    if all(case.ending == PENDING for case in cases):
        return Unscored(status="pending", reason="no case has run yet")
    found = evidence(spec, task, cases, truths)
    value = found.value(average)
    if value is None:
        return Unscored(status="undefined", reason=found.undefined)
    return Scored(value=value)
