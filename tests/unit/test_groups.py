"""The table of groups, and every metric within them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.datasets.groups import load_groups
from harness.errors import DatasetError
from harness.scoring.evidence import collect
from harness.scoring.subgroups import subgroups
from harness.specs.challenge import Challenge, Ranking, Resampling
from harness.specs.task import TaskSpec
from tests.support.scored import fomo25_teams, planned, scored
from tests.support.specs import one_line

CASES = ("case_1", "case_2", "case_3")
GOOD = "case,site,age band\ncase_2,Aarhus,20–39\ncase_1,Odense,\ncase_3, Aarhus ,40–59\n"


@pytest.fixture
def task(fomo25: Challenge) -> TaskSpec:
    task = fomo25.task("infarct")
    return task.model_copy(update={"files": task.files.model_copy(update={"groups": "labels/groups.csv"})})


def table(root: Path, task: TaskSpec, content: str | bytes) -> Path:
    path = root / task.files.folder / "labels" / "groups.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_groups_by_column_and_case(task: TaskSpec, tmp_path: Path) -> None:
    table(tmp_path, task, "\ufeff" + GOOD)
    assert load_groups(task, tmp_path, CASES) == {
        "site": {"case_1": "Odense", "case_2": "Aarhus", "case_3": "Aarhus"},
        "age band": {"case_1": "unknown", "case_2": "20–39", "case_3": "40–59"},
    }


def test_a_task_that_names_no_table_has_no_groups(fomo25: Challenge, tmp_path: Path) -> None:
    assert load_groups(fomo25.task("infarct"), tmp_path, CASES) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("site\nAarhus\n", "its first row holds no column 'case' beside others. Add a header row."),
        ("case\ncase_1\n", "its first row holds no column 'case' beside others. Add a header row."),
        ("", "its first row holds no column 'case' beside others. Add a header row."),
        ("case,site,site\n", "the column 'site' is no name, or there twice. Rename it."),
        ("case,\n", "the column '' is no name, or there twice. Rename it."),
        ("case,site\ncase_1\n", "row 2 has 1 cells, not 2. Complete the row."),
        (GOOD + "case_2,Odense,\n", "row 5: the case 'case_2' is there twice. Remove one of the rows."),
        (GOOD + "case_9,Odense,\n", "row 5: the case 'case_9' has no reference. Correct or remove the row."),
        (GOOD.replace("case_3", "case_4"), "row 4: the case 'case_4' has no reference. Correct or remove the row."),
        (
            "case,site\ncase_1,A\ncase_3,B\n",
            "the case 'case_2' has no row. Add it; leave cells empty that are not known.",
        ),
        (GOOD.replace("Odense", "O\x1b[31m"), "the column 'site' holds 'O\\x1b[31m', which is no name. Shorten it."),
        (b"case,site\ncase_1,\xff\n", "it is not UTF-8 text. Save it as UTF-8."),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    task: TaskSpec, tmp_path: Path, content: str | bytes, said: str
) -> None:
    path = table(tmp_path, task, content)
    with pytest.raises(DatasetError) as caught:
        load_groups(task, tmp_path, CASES)
    assert one_line(caught.value) == f"{path}: the table of groups is unusable: {said}"


def test_values_have_to_be_banded(task: TaskSpec, tmp_path: Path) -> None:
    cases = [f"case_{number}" for number in range(40)]
    table(tmp_path, task, "case,age\n" + "".join(f"{case},{20 + number}\n" for number, case in enumerate(cases)))
    with pytest.raises(
        DatasetError, match=r"the column 'age' holds 40 different values\. Band them, so that there are"
    ):
        load_groups(task, tmp_path, cases)


def test_a_missing_table_is_told_before_anything_runs(task: TaskSpec, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"groups.csv: .* cannot be read \(No such file or directory\)"):
        load_groups(task, tmp_path, CASES)


def test_metrics_within_groups_are_those_of_their_cases(fomo25: Challenge) -> None:
    plan = planned(
        fomo25, {"infarct": 40, "meningioma": 40, "brain_age": 40}, Ranking(resampling=Resampling(resamples=200))
    )
    numbers, masks = fomo25_teams(plan, 2, twins=False)
    scores = scored(plan, numbers=numbers)
    scores = scores.model_copy(update={"entries": (*scores.entries, *scored(plan, masks=masks).entries)})
    site = {case.id: "A" if place % 4 else "B" for place, case in enumerate(plan.task("infarct").cases)}
    found = subgroups(plan, scores, {name: {"site": site} for name in ("infarct", "meningioma", "brain_age")})
    assert [(each.task, each.column, each.cases) for each in found.columns] == [
        (name, "site", {"A": 30, "B": 10}) for name in ("infarct", "meningioma", "brain_age")
    ]
    dice = next(each for each in found.columns[1].metrics if (each.team, each.metric) == ("team_00", "dice"))
    values = np.array(masks["meningioma"]["team_00"]["dice"])
    assert dice.groups["B"].value == pytest.approx(values[::4].mean())
    assert dice.gap is not None
    means = {"A": np.delete(values, np.s_[::4]).mean(), "B": values[::4].mean()}
    assert dice.gap.highest == max(means, key=means.__getitem__)
    assert dice.gap.size == pytest.approx(abs(means["A"] - means["B"]))
    for column in found.columns:
        for metric in column.metrics:
            if metric.metric in ("predicted_volume", "volume_error"):
                continue  # the invented teams have no volumes
            for value in metric.groups.values():
                assert value.interval is not None
                assert value.value is not None
                assert value.interval.low <= value.value <= value.interval.high


def test_a_group_of_one_class_has_no_auroc_and_no_part_in_the_gap(fomo25: Challenge) -> None:
    plan = planned(fomo25, {"infarct": 12}, Ranking(resampling=Resampling(resamples=100)))
    truths = [0.0, 1.0] * 4 + [1.0] * 4
    answers = {"alpha": np.linspace(0, 1, 12).tolist()}
    site = {case.id: "all ill" if place >= 8 else "mixed" for place, case in enumerate(plan.task("infarct").cases)}
    scores = scored(plan, numbers={"infarct": (truths, answers)})
    (column,) = subgroups(plan, scores, {"infarct": {"site": site}}).columns
    auroc = next(each for each in column.metrics if each.metric == "auroc")
    assert auroc.groups["all ill"].value is None
    assert auroc.groups["all ill"].interval is None
    assert auroc.groups["mixed"].value is not None
    assert auroc.gap is None


def test_evidence_is_in_the_order_of_case_ids(fomo25: Challenge) -> None:
    """Groups are told apart by position, so positions must be those of sorted ids."""
    plan = planned(fomo25, {"infarct": 5}, Ranking())
    scores = scored(plan, numbers={"infarct": ([0, 1, 0, 1, 1], {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5]})})
    entry = scores.entries[0].model_copy(update={"case_scores": tuple(reversed(scores.entries[0].case_scores))})
    (values,) = {tuple(each.values) for each in collect([fomo25.task("infarct")], [entry], scores.references).values()}
    assert values == (0.1, 0.2, 0.3, 0.4, 0.5)
