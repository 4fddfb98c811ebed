"""Every metric within groups of cases (site, scanner, sex, age band), and the largest gap between groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.datasets.groups import Groups
from harness.records.plan import Kept, Plan
from harness.scoring.drawn import classes_of
from harness.scoring.draws import generator, resample
from harness.scoring.evidence import Evidence, EvidenceKey, collect
from harness.scoring.scores import Scores
from harness.scoring.spreads import Interval
from harness.specs.challenge import Ranking


class GroupValue(Kept):
    """One metric of one entry within a group; no value where it is undefined there."""

    value: float | None = Field(default=None, exclude_if=lambda value: value is None)
    interval: Interval | None = Field(default=None, exclude_if=lambda value: value is None)


class Gap(Kept):
    """The two groups of a column whose values are farthest apart."""

    size: float
    highest: str
    lowest: str


class GroupedMetric(Kept):
    """One metric of one entry, by group."""

    track: str
    team: str
    metric: str
    groups: dict[str, GroupValue]
    gap: Gap | None = Field(default=None, exclude_if=lambda value: value is None)


class GroupedColumn(Kept):
    """One column of a task's table of groups.

    Attributes
    ----------
    cases
        By group, how many cases it has.
    """

    task: str
    column: str
    cases: dict[str, int]
    metrics: tuple[GroupedMetric, ...]


class Subgroups(Kept):
    """What ``subgroups.json`` holds."""

    format: Literal[1] = 1
    columns: tuple[GroupedColumn, ...]


def subgroups(plan: Plan, scores: Scores, groups: Mapping[str, Groups]) -> Subgroups:
    """Compute every metric of every entry within every group.

    Parameters
    ----------
    plan
        The run's plan.
    scores
        What the teams reached, case by case.
    groups
        By task its table of groups.
    """
    columns = []
    for task in plan.tasks:
        entries = [entry for entry in scores.entries if entry.task == task.spec.name]
        evidence = collect([task.spec], entries, scores.references)
        cases = sorted(case.id for case in task.cases)
        for column, of_case in sorted(groups.get(task.spec.name, {}).items()):
            columns.append(_column(task.spec.name, column, np.array([of_case[case] for case in cases]), evidence, plan))
    return Subgroups(columns=tuple(columns))


def _column(
    task: str, column: str, of_case: NDArray[np.str_], evidence: Mapping[EvidenceKey, Evidence], plan: Plan
) -> GroupedColumn:
    names, counts = np.unique(of_case, return_counts=True)
    values = {
        name: _group(task, column, name, {key: _within(each, of_case == name) for key, each in evidence.items()}, plan)
        for name in names.tolist()
    }
    return GroupedColumn(
        task=task,
        column=column,
        cases=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        metrics=tuple(
            GroupedMetric(
                track=key.track,
                team=key.team,
                metric=key.metric,
                groups={name: of_group[key] for name, of_group in values.items()},
                gap=_gap({name: of_group[key].value for name, of_group in values.items()}),
            )
            for key in evidence
        ),
    )


def _within(evidence: Evidence, chosen: NDArray[np.bool_]) -> Evidence:
    reference = None if evidence.reference is None else evidence.reference[chosen]
    return replace(evidence, reference=reference, values=evidence.values[chosen])


def _group(
    task: str, column: str, name: str, evidence: Mapping[EvidenceKey, Evidence], plan: Plan
) -> dict[EvidenceKey, GroupValue]:
    ranking = plan.challenge.ranking
    random, classes = generator(plan.seed, task, column, name), classes_of(evidence).get(task)
    draws, _ = resample(evidence, ranking.resampling.resamples, ranking.average, random, classes)
    return {key: _value(each, draws[key], ranking) for key, each in evidence.items()}


def _value(evidence: Evidence, draws: NDArray[np.float64], ranking: Ranking) -> GroupValue:
    return GroupValue(value=evidence.value(ranking.average), interval=Interval.of(draws, ranking.resampling.confidence))


def _gap(values: Mapping[str, float | None]) -> Gap | None:
    defined = {name: value for name, value in values.items() if value is not None}
    if len(defined) < 2:
        return None
    highest = max(defined, key=lambda name: (defined[name], name))
    lowest = min(defined, key=lambda name: (defined[name], name))
    return Gap(size=defined[highest] - defined[lowest], highest=highest, lowest=lowest)
