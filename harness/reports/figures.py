"""Which plots a run has: what is drawn follows from the specs and from what there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from harness.metrics.registry import metric_named
from harness.reports.curves import RESAMPLES, roc_band, roc_curve
from harness.reports.figure import RANKING, Drawn, Figure, Volumes
from harness.reports.finished import FinishedRun
from harness.reports.machine_figures import machine_figures
from harness.reports.plots import panels, ranks, values
from harness.reports.tables import metric_title
from harness.scoring.draws import generator
from harness.scoring.leaderboard import MetricColumn, Row, TaskColumn, TrackTable
from harness.scoring.rank import competition_ranks, order_keys
from harness.scoring.scores import EntryScore
from harness.specs.task import MetricSpec, ScalarReference


def figures(run: FinishedRun, track: TrackTable, volumes: Volumes) -> tuple[Figure, ...]:
    """Draw every plot of a track.

    Parameters
    ----------
    run
        The run.
    track
        One of its tracks.
    volumes
        Of the references that are masks, where the data folder is there.
    """
    found = [*_of_ranks(run, track)]
    for column in run.board.tasks:
        rows = [row for row in track.rows if row.tasks[column.name].entered]
        rows.sort(key=lambda row: (row.baseline, row.tasks[column.name].rank or 0.0, row.team))
        entries = [run.entry(track.name, row.team, column.name) for row in rows]
        task = run.plan.task(column.name)
        drawn = Drawn(run, track, task, column, tuple(rows), tuple(each for each in entries if each is not None))
        if rows:
            found += [*_of_task(drawn, volumes.get(column.name, {}))]
    return (*found, *machine_figures(run, track))


def _of_ranks(run: FinishedRun, track: TrackTable) -> Iterator[Figure]:
    rows = [
        ranks.RankRow(
            title=row.title,
            placed=row.placement,
            low=row.stability.placement.low,
            median=row.stability.placement.median,
            high=row.stability.placement.high,
            shares={float(rank): share for rank, share in row.stability.placement.shares.items()},
        )
        for row in track.rows
        if row.placement is not None and row.stability is not None
    ]
    if not rows:
        return
    confidence, resamples = run.stability.confidence, run.stability.resamples
    yield Figure(
        f"{track.name}-rank-intervals",
        RANKING,
        "Placements and their intervals",
        f"Disc: placement on the cases as they are. Line: {100 * confidence:g} % interval over {resamples:,} resamples "
        "of the cases.",
        ranks.rank_intervals(rows, confidence),
    )
    yield Figure(
        f"{track.name}-rank-blobs",
        RANKING,
        "How often each place came up",
        f"Area of a disc: share of {resamples:,} resamples in which the team came on that place. Cross: median.",
        ranks.rank_blobs(rows, confidence),
    )


def _of_task(drawn: Drawn, volumes: Mapping[str, float]) -> Iterator[Figure]:
    columns = {metric.name: metric for metric in drawn.column.metrics}
    for metric in drawn.task.spec.metrics:
        if metric.ranked:
            yield from _significance(drawn, columns[metric.name])
            yield from _distributions(drawn, metric, columns[metric.name], volumes)
    reference = drawn.task.spec.reference
    if isinstance(reference, ScalarReference) and reference.values is not None:
        yield from _roc(drawn)
    elif isinstance(reference, ScalarReference):
        yield from _agreement(drawn)


def _significance(drawn: Drawn, column: MetricColumn) -> Iterator[Figure]:
    tests = drawn.run.stability.track(drawn.track.name).tests[drawn.column.name][column.name]
    teams = sorted(
        (row for row in drawn.rows if row.team in tests.teams),
        key=lambda row: (row.tasks[drawn.column.name].metric_ranks[column.name], row.team),
    )
    if len(teams) < 2:
        return
    places = [tests.teams.index(row.team) for row in teams]
    method = {
        "wilcoxon": "one-sided Wilcoxon signed-rank tests on paired cases",
        "delong": "one-sided DeLong tests",
        "bootstrap": "the share of resamples in which the order is not kept",
    }[tests.method]
    yield Figure(
        drawn.named(f"{column.name}-significance"),
        drawn.column.name,
        f"{column.title}: who is significantly better",
        f"A filled cell: the team of its row is better than that of its column, by {method}, adjusted by Holm. "
        "Columns carry the numbers of the rows.",
        ranks.significance(
            [row.title for row in teams],
            [[tests.p[row][other] for other in places] for row in places],
            drawn.run.stability.alpha,
        ),
    )


def _distributions(
    drawn: Drawn, metric: MetricSpec, column: MetricColumn, volumes: Mapping[str, float]
) -> Iterator[Figure]:
    found = [each.case_values() for each in drawn.evidence(metric)]
    per_case = [each for each in found if each is not None]
    if len(per_case) < len(found):
        return
    title = metric_title(column)
    # A metric over all cases that is a mean of something (MAE of absolute errors) has values per case all the same.
    axis = title if metric_named(metric.name).scope == "case" else f"{title}, of each case"
    bounds = _bounds(metric)
    yield Figure(
        drawn.named(f"{column.name}-cases"),
        drawn.column.name,
        f"{column.title}, case by case",
        "One dot per case. Box: quartiles and median; whiskers: to the extremes. A missing prediction counts as the "
        "task spec says.",
        values.boxes(
            [(name, each[np.isfinite(each)].tolist()) for name, each in zip(drawn.titles, per_case, strict=True)],
            axis,
            include=bounds,
        ),
    )
    ranked = [place for place, row in enumerate(drawn.rows) if not row.baseline]
    if len(ranked) > 1:
        keys = order_keys(np.stack([per_case[place] for place in ranked], axis=1), metric)
        counted = keys[~np.isnan(keys).any(axis=1)]
        if len(counted):
            within = competition_ranks(counted)
            shares = [[float((of_team == rank).mean()) for rank in range(1, len(ranked) + 1)] for of_team in within.T]
            yield Figure(
                drawn.named(f"{column.name}-heat"),
                drawn.column.name,
                f"{column.title}: ranks within cases",
                "In which share of cases, in per cent, each team had each rank; teams with the same value share the "
                "best of their ranks.",
                ranks.rank_heat([drawn.titles[place] for place in ranked], shares),
            )
    if volumes:
        clouds = [
            panels.Cloud(name, [(volumes[case], value) for case, value in _by_case(entry, each) if volumes[case] > 0])
            for name, entry, each in zip(drawn.titles, drawn.entries, per_case, strict=True)
        ]
        yield Figure(
            drawn.named(f"{column.name}-by-volume"),
            drawn.column.name,
            f"{column.title} against lesion volume",
            "One dot per case that has a lesion, by the volume of its reference.",
            panels.by_size(clouds, "Volume of the reference [mL]", title, bounds),
        )


def _by_case(entry: EntryScore, per_case: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[tuple[str, float]]:
    cases = sorted(case.case for case in entry.case_scores)
    return [(case, value) for case, value in zip(cases, per_case.tolist(), strict=True) if np.isfinite(value)]


def _bounds(metric: MetricSpec) -> tuple[float, ...]:
    """Keep the whole range of a metric in sight that has one, so that small differences do not look large."""
    worst = metric_named(metric.name).worst
    return (worst, 1.0) if metric.direction == "higher" and isinstance(worst, float) else ()


def _roc(drawn: Drawn) -> Iterator[Figure]:
    of_classes = [each for each in drawn.task.spec.metrics if metric_named(each.name).classes]
    metric = next((each for each in of_classes if metric_named(each.name).order_only), None)
    if metric is None:
        return
    column = next(each for each in drawn.column.metrics if each.name == metric.name)
    confidence, teams = drawn.run.stability.confidence, []
    for name, row, found in zip(drawn.titles, drawn.rows, drawn.evidence(metric), strict=True):
        counted = found.counted
        reference = np.asarray(found.reference)[counted]
        if np.unique(reference).size < 2:
            continue
        random = generator(drawn.run.plan.seed, drawn.column.name, "roc")
        teams.append(
            panels.Roc(
                name,
                _value(row, drawn.column, column),
                roc_curve(reference, found.values[counted]),
                roc_band(reference, found.values[counted], random, confidence),
            )
        )
    if teams:
        yield Figure(
            drawn.named("roc"),
            drawn.column.name,
            "ROC curves",
            f"Band: {100 * confidence:g} % interval of the true positive rate at each false positive rate, pointwise "
            f"over {RESAMPLES} resamples. A missing prediction counts as the task spec says.",
            panels.roc(teams),
        )


def _value(row: Row, task: TaskColumn, column: MetricColumn) -> str:
    score = row.tasks[task.name].metrics.get(column.name)
    return f"{column.title} {score.value:.{column.decimals}f}" if score is not None and score.status == "scored" else ""


def _agreement(drawn: Drawn) -> Iterator[Figure]:
    truths = drawn.run.scores.references[drawn.column.name]
    unit = next((f" [{metric.unit}]" for metric in drawn.column.metrics if metric.unit), "")
    against, apart = [], []
    for name, entry in zip(drawn.titles, drawn.entries, strict=True):
        pairs = [(truths[each.case], each.prediction) for each in entry.case_scores if each.prediction is not None]
        differences = [prediction - truth for truth, prediction in pairs]
        note, levels = f"{len(pairs)} of {entry.cases} cases", _limits_of_agreement(differences)
        against.append(panels.Cloud(name, pairs, note))
        means = [((truth + prediction) / 2, prediction - truth) for truth, prediction in pairs]
        apart.append(panels.Cloud(name, means, f"mean {levels[0]:+.1f}".replace("-", "−") if levels else note, levels))
    yield Figure(
        drawn.named("predicted"),
        drawn.column.name,
        "Predicted against true",
        "One dot per case with a valid prediction, on the same axes for all teams; on the line both are the same.",
        panels.against(against, f"Reference{unit}", f"Prediction{unit}"),
    )
    yield Figure(
        drawn.named("differences"),
        drawn.column.name,
        "Differences between predicted and true (Bland–Altman)",
        "Cross line: mean difference. Broken lines: limits of agreement, 1.96 standard deviations from it.",
        panels.differences(apart, f"Mean of reference and prediction{unit}", f"Prediction − reference{unit}"),
    )


def _limits_of_agreement(differences: list[float]) -> tuple[float, ...]:
    if len(differences) < 2:
        return ()
    middle, spread = float(np.mean(differences)), 1.96 * float(np.std(differences, ddof=1))
    return (middle, middle - spread, middle + spread)
