"""How a run's numbers came to be, in sentences written from the run itself, and where they can be traced to."""

from __future__ import annotations

from harness.metrics.registry import metric_named
from harness.records.plan import Plan
from harness.reports.finished import FinishedRun
from harness.reports.plots.canvas import number
from harness.specs.challenge import Ranking
from harness.specs.task import MetricSpec, TaskSpec

GIB = 2**30


def methods(run: FinishedRun) -> tuple[str, ...]:
    """Describe the evaluation as the methods section of a paper would, one paragraph a topic."""
    return (_running(run), *(_task(run.plan, task.spec) for task in run.plan.tasks), _ranking(run), _uncertainty(run))


def _running(run: FinishedRun) -> str:
    plan, facts = run.plan, run.facts
    teams = {(entry.track, entry.team) for entry in plan.entries}
    engines = sorted({machine.engine for machine in run.machines})
    on = f" on {' and '.join(engines)}" if engines else ""
    stop = (
        f" Once {plan.fail_fast_after} cases of an entry had all failed alike, its others were recorded so without "
        "being run."
        if plan.fail_fast_after
        else ""
    )
    return (
        f"{_of(len(teams), 'submission')} to {plan.challenge.title} were evaluated with fomo-eval {facts.fomo_eval} "
        f"(run {facts.id}, begun {facts.created}). Each case ran in a container of its own{on}, without network and "
        f"without its reference, in an order shuffled with the seed {plan.seed}. What the machine spoiled was run "
        f"again, and never scored.{stop}"
    )


def _task(plan: Plan, task: TaskSpec) -> str:
    planned = plan.task(task.name)
    limits = planned.limits
    gpu = ", one GPU" if limits.gpu else ""
    metrics = "; ".join(_metric(metric) for metric in task.metrics)
    return (
        f"{task.title}: {_of(len(planned.cases), 'case')}; {limits.seconds:g} s, {limits.cpus:g} CPUs and "
        f"{limits.memory_bytes / GIB:.3g} GiB of memory per case{gpu}. Metrics: {metrics}."
    )


def _metric(metric: MetricSpec) -> str:
    facts = [f"to {metric.decimals} decimals" if metric.ranked else "reported, not ranked"]
    if metric.weight != 1 and metric.ranked:
        facts.append(f"weight {metric.weight:g}")
    facts += [f"{name.replace('_', ' ')} {value}" for name, value in metric.parameters.items()]
    facts.append(_missing(metric))
    if metric.empty is not None:
        facts.append(f"both masks empty: {metric.empty.both:g}, one empty: {metric.empty.one:g}")
    return f"{metric_named(metric.name).title} ({', '.join(facts)})"


def _missing(metric: MetricSpec) -> str:
    if metric.missing == "worst":
        return "a missing prediction counts as the worst"
    if metric.missing == "omit":
        return "cases without a prediction are left out"
    return f"a missing prediction counts as {metric.missing:g}"


def _ranking(run: FinishedRun) -> str:
    ranking = run.plan.challenge.ranking
    weights = {task.spec.name: ranking.task_weights.get(task.spec.name, 1.0) for task in run.plan.tasks}
    weighed = "" if len(set(weights.values())) == 1 else f" ({', '.join(f'{n} {w:g}' for n, w in weights.items())})"
    mean = "mean" if not weighed else "weighted mean"
    again = ", ranked again" if ranking.task_rule == "ranked_again" else ""
    absent = (
        "the number of submissions for it plus one"
        if ranking.absent_task == "valid_submissions_plus_one"
        else "the last place of the track"
    )
    return (
        f"Ranking: on each metric, teams are ordered by {_scheme(ranking)}; teams with the same value share the best "
        f"of their ranks. A task's rank is the mean of the ranks on its metrics{again}; the overall rank is the {mean} "
        f"of the task ranks{weighed}. A team that did not enter a task has {absent} as its rank there. Baselines take "
        "no rank from anybody."
    )


def _scheme(ranking: Ranking) -> str:
    return {
        "aggregate_then_rank": f"the value over all cases ({ranking.average})",
        "rank_then_aggregate": f"the {ranking.average} of their ranks within each case",
        "test_then_rank": f"how many teams they are significantly better than (α = {ranking.alpha:g})",
    }[ranking.scheme]


def _uncertainty(run: FinishedRun) -> str:
    trust = run.stability
    redrawn = sum(trust.redrawn.values())
    again = f" {_of(redrawn, 'draw')} held one class only and were drawn again." if redrawn else ""
    return (
        f"Uncertainty: cases were drawn anew with replacement {trust.resamples:,} times (seed {trust.seed}), the same "
        "for all teams of a task, and everything was computed and ranked again in each draw; intervals are "
        f"{100 * trust.confidence:g} % percentile intervals.{again} Teams are compared pairwise: one-sided Wilcoxon "
        "signed-rank tests where cases have values, DeLong's test for AUROC, the draws themselves elsewhere; p values "
        f"are adjusted by Holm's method, α = {trust.alpha:g}."
    )


def _of(count: int, what: str) -> str:
    return f"{number(float(count))} {what}{'' if count == 1 else 's'}"


def provenance(run: FinishedRun) -> tuple[tuple[str, str], ...]:
    """List what traces a number to its source: digests, and the machines that the trials ran on."""
    machines = (
        f"{each.host}: {each.platform}, {each.cpus} CPUs, {each.engine}, fomo-eval {each.fomo_eval}"
        for each in run.machines
    )
    return (
        ("Run", f"{run.facts.id}, begun {run.facts.created}, by fomo-eval {run.facts.fomo_eval}"),
        ("Plan, SHA-256", run.plan.hash),
        ("Rules (challenge and task specs), SHA-256", run.scores.rules),
        ("Evidence (endings and predictions), SHA-256", run.scores.evidence),
        *(("Machine", machine) for machine in machines),
    )


def images(run: FinishedRun) -> tuple[tuple[str, str, str, str], ...]:
    """List what ran: track and team, task, the image as it was named, its id."""
    return tuple(
        (f"{entry.track}/{entry.team}", entry.task, entry.image.digest or entry.image.reference, entry.image.id)
        for entry in run.plan.entries
    )
