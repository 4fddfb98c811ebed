"""Scores of invented teams, without a run: numbers in, what scoring would have written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.datasets.case import Case
from harness.records.plan import EffectiveLimits, Plan, PlannedTask, fingerprint
from harness.scoring.evidence import evidence
from harness.scoring.scores import CaseScore, EntryScore, MetricScore, Scored, Scores, Unscored
from harness.specs.challenge import Challenge, Ranking

LIMITS = EffectiveLimits(
    seconds=1,
    cpus=1,
    memory_bytes=1,
    shared_memory_bytes=1,
    scratch_bytes=1,
    output_bytes=1,
    output_entries=1,
    processes=1,
    gpu=False,
)
Answers = Mapping[str, Sequence[float | None]]
"""By team: for each case a number, or None where the prediction is missing."""


def planned(challenge: Challenge, cases: Mapping[str, int], ranking: Ranking | None = None, seed: int = 0) -> Plan:
    """Plan a challenge over so many cases of each task, without volumes or entries."""
    spec = challenge.spec.model_copy(update={"ranking": ranking or challenge.spec.ranking})
    tasks = tuple(
        PlannedTask(
            spec=challenge.task(name),
            limits=LIMITS,
            cases=tuple(Case(id=case_name(number), volumes={}) for number in range(count)),
        )
        for name, count in cases.items()
    )
    return Plan(challenge=spec, tasks=tasks, entries=(), seed=seed)


def case_name(number: int) -> str:
    return f"case_{number:04}"


def scored(
    plan: Plan,
    *,
    numbers: Mapping[str, tuple[Sequence[float], Answers]] | None = None,
    masks: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]] | None = None,
    track: str = "method",
    baselines: Sequence[str] = (),
) -> Scores:
    """Score teams.

    Parameters
    ----------
    plan
        The challenge's plan.
    numbers
        By task whose predictions are numbers: references, and each team's predictions.
    masks
        By task, team and metric the value of each case.
    """
    entries, references = [], {}
    for task, (truths, answers) in (numbers or {}).items():
        references[task] = {case_name(number): float(truth) for number, truth in enumerate(truths)}
        for team, predictions in answers.items():
            cases = [
                CaseScore(case=case_name(n), ending="crashed" if each is None else "ok", prediction=each)
                for n, each in enumerate(predictions)
            ]
            entries.append(_entry(plan, task, track, team, cases, references[task], team in baselines))
    for task, by_team in (masks or {}).items():
        for team, by_metric in by_team.items():
            values = [dict(zip(by_metric, each, strict=True)) for each in zip(*by_metric.values(), strict=True)]
            cases = [CaseScore(case=case_name(n), ending="ok", values=each) for n, each in enumerate(values)]
            entries.append(_entry(plan, task, track, team, cases, {}, team in baselines))
    return Scores(
        challenge=plan.challenge.name,
        rules=fingerprint(plan.challenge),
        evidence="",
        references=references,
        entries=tuple(entries),
    )


def _entry(
    plan: Plan,
    task: str,
    track: str,
    team: str,
    cases: list[CaseScore],
    truths: Mapping[str, float],
    baseline: bool,
) -> EntryScore:
    spec = plan.task(task).spec
    return EntryScore(
        track=track,
        team=team,
        title=team,
        baseline=baseline,
        task=task,
        cases=len(cases),
        valid=sum(case.ending == "ok" for case in cases),
        endings={},
        provisional=False,
        metrics={
            metric.name: _metric(evidence(metric, spec, cases, truths).value(plan.challenge.ranking.average))
            for metric in spec.metrics
            if metric.ranked
        },
        case_scores=tuple(cases),
    )


def _metric(value: float | None) -> MetricScore:
    return Unscored(status="undefined", reason="none") if value is None else Scored(value=value)


def fomo25_teams(
    plan: Plan, teams: int, *, seed: int = 0, twins: bool = True
) -> tuple[dict[str, tuple[Sequence[float], Answers]], dict[str, dict[str, dict[str, Sequence[float]]]]]:
    """Invent teams of every skill, some with coarse predictions, and two that predict the same."""
    rng = np.random.default_rng(seed)
    count = {task.spec.name: len(task.cases) for task in plan.tasks}
    names = [f"team_{number:02}" for number in range(teams)]
    classes = (rng.random(count["infarct"]) < 0.4).astype(float)
    classes[:2] = (0, 1)
    ages = rng.uniform(20, 90, count["brain_age"])
    probabilities, predicted_ages, overlaps = {}, {}, {}
    for number, team in enumerate(names):
        skill = 2.2 * (1 - number / teams)
        logits = skill * (classes - 0.5) + rng.normal(size=classes.size)
        probabilities[team] = (1 / (1 + np.exp(-logits))).round(2 if number % 3 else 1).tolist()
        predicted_ages[team] = (ages + rng.normal(0, 5 + number / 2, ages.size)).tolist()
        dice = np.clip(rng.beta(6, 2, count["meningioma"]) * (1 - 0.03 * number), 0, 1).round(6)
        nsd = np.clip(dice + rng.normal(0, 0.05, dice.size), 0, 1).round(6)
        overlaps[team] = {"dice": dice.tolist(), "nsd": nsd.tolist()}
    if twins:
        for of_team in (probabilities, predicted_ages, overlaps):
            of_team[names[1]] = of_team[names[0]]
    numbers = {"infarct": (classes.tolist(), probabilities), "brain_age": (ages.tolist(), predicted_ages)}
    return numbers, {"meningioma": overlaps}  # type: ignore[return-value]
