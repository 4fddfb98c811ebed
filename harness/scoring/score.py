"""Scoring: the first and only place where predictions meet references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets import references
from harness.datasets.references import ReferenceMask
from harness.metrics.averages import mean
from harness.metrics.registry import metric_named
from harness.records.plan import Entry, Plan, PlannedTask, fingerprint
from harness.records.record import Record
from harness.records.store import RunStore
from harness.scoring import policies
from harness.scoring.predictions import is_valid, load_mask, load_scalar
from harness.scoring.processes import answers, processors
from harness.scoring.scores import PENDING, CaseScore, EntryScore, MetricScore, Scored, Scores, Unscored
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
    for task in plan.tasks:
        of_task = {entry.key: records[entry.key] for entry in plan.entries if entry.task == task.spec.name}
        score_cases = _scalar_cases if isinstance(task.spec.reference, ScalarReference) else _mask_cases
        truths, cases = score_cases(task, of_task, store.folder, root)
        for entry in plan.entries:
            if entry.key in cases:
                entries[entry.key] = _entry_score(entry, task.spec, cases[entry.key], truths)
    return Scores(
        challenge=plan.challenge.name,
        rules=fingerprint([plan.challenge, *(task.spec for task in plan.tasks)]),
        evidence=_fingerprint(records),
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
    for scored in answers(partial(_mask_case, task.spec, run, root), questions, processes=1 if few else processors()):
        for key, case_score in scored.items():
            cases[key].append(case_score)
    return {}, cases


def _mask_case(
    task: TaskSpec, run: Path, root: Path, question: tuple[str, Mapping[EntryKey, Record | None]]
) -> dict[EntryKey, CaseScore]:
    case, records = question
    reference = references.load_mask(task, root, case)
    return {
        key: CaseScore(
            case=case,
            ending=_ending(record),
            values={} if record is None else _mask_values(task, record, reference, run),
        )
        for key, record in records.items()
    }


def _mask_values(task: TaskSpec, record: Record, reference: ReferenceMask, run: Path) -> dict[str, float]:
    if not is_valid(record):
        return {
            spec.name: policies.missing_case_value(spec, metric_named(spec.name), reference) for spec in task.metrics
        }
    prediction = load_mask(run, record, reference)
    return {spec.name: _mask_value(spec, reference, prediction) for spec in task.metrics}


def _mask_value(spec: MetricSpec, reference: ReferenceMask, prediction: NDArray[np.bool_]) -> float:
    decided = policies.empty_value(spec.empty, reference=bool(reference.mask.any()), prediction=bool(prediction.any()))
    if decided is not None:
        return decided
    metric = metric_named(spec.name)
    parameters = metric.parameters.model_validate(spec.parameters)
    value = metric.resolve()(reference.mask, prediction, reference.grid.spacing_mm, parameters)
    if value is None:
        raise TypeError(f"{metric.name} must have a value for every case")
    return value


def _ending(record: Record | None) -> str:
    return PENDING if record is None else str(record.outcome.ending)


def _entry_score(entry: Entry, task: TaskSpec, cases: list[CaseScore], truths: Mapping[str, float]) -> EntryScore:
    finished = [case for case in cases if case.ending != PENDING]
    return EntryScore(
        track=entry.track,
        team=entry.team,
        title=entry.title,
        baseline=entry.baseline,
        task=entry.task,
        cases=len(cases),
        valid=sum(case.ending == "ok" for case in cases),
        endings=dict(sorted(Counter(case.ending for case in cases).items())),
        provisional=len(finished) < len(cases),
        metrics={spec.name: _metric_score(spec, task, finished, truths) for spec in task.metrics},
        case_scores=tuple(cases),
    )


def _metric_score(
    spec: MetricSpec, task: TaskSpec, finished: list[CaseScore], truths: Mapping[str, float]
) -> MetricScore:
    if not finished:
        return Unscored(status="pending", reason="no case has run yet")
    metric = metric_named(spec.name)
    if metric.scope == "case":
        return Scored(value=mean(case.values[spec.name] for case in finished))
    if not isinstance(task.reference, ScalarReference):
        raise TypeError(f"{metric.name} needs one number per case")
    reference = np.array([truths[case.case] for case in finished], dtype=np.float64)
    prediction = np.array(
        [
            policies.imputed_prediction(spec, truths[case.case], task.reference)
            if case.prediction is None
            else case.prediction
            for case in finished
        ],
        dtype=np.float64,
    )
    value = metric.resolve()(reference, prediction, metric.parameters.model_validate(spec.parameters))
    return Unscored(status="undefined", reason=metric.undefined) if value is None else Scored(value=value)
