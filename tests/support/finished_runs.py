"""Run directories with results, written without running anything: for reports, at any size."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from harness.datasets.case import Case, Volume
from harness.engines.outcome import Ending, Outcome
from harness.records.files import to_json
from harness.records.plan import EffectiveLimits, Entry, Plan, PlannedImage, PlannedTask, TrialKey
from harness.records.record import Machine, OutcomeRecord, PredictionRecord, Record, UsageRecord
from harness.records.store import RunStore, prediction_file
from harness.reports.files import write_leaderboard, write_scores, write_stability, write_subgroups
from harness.scoring.drawn import draw
from harness.scoring.evidence import evidence
from harness.scoring.leaderboard import leaderboard
from harness.scoring.scores import PENDING, CaseScore, EntryScore, Scored, Scores, Unscored
from harness.scoring.stability import stability
from harness.scoring.subgroups import subgroups
from harness.specs.challenge import Challenge, Resampling, Scheme
from harness.specs.task import MaskReference, Release, TaskSpec
from tests.support.scored import fomo25_teams

HOST, DETAIL = "host-of-organisers", "exit code 7 <in> /srv/secret/path"
GIB = 2**30
LIMITS = EffectiveLimits(
    seconds=120,
    cpus=8,
    memory_bytes=64 * GIB,
    shared_memory_bytes=1,
    scratch_bytes=1,
    output_bytes=1,
    output_entries=1,
    processes=1,
    gpu=True,
)
BESIDE = 4321.5
SHAPE, SPACING_MM = (48, 56, 24), (2.0, 2.0, 4.0)
DEVICE = Machine(host=HOST, platform="linux/amd64", engine="fake 1", cpus=8, fomo_eval="0.1.0")


def write_run(
    folder: Path,
    challenge: Challenge,
    *,
    teams: int,
    cases: int,
    resamples: int = 200,
    titles: Sequence[str] = (),
    release: str = "scores",
    groups: bool = False,
    pending: int = 0,
    scheme: Scheme = "aggregate_then_rank",
) -> RunStore:
    """Write a scored run of invented teams, and the data that its pages show slices of, below one folder.

    The second team fails at each seventh case; the last is a baseline. Case ids hold ``<`` and ``&``. The first team's
    last cases are ``pending``: the machine has spoiled them so far.
    """
    data, store = folder / "data", RunStore.open_or_create(folder / "run", folder / "data")
    plan = _planned(challenge, cases, resamples, release, scheme)
    numbers, masks = fomo25_teams(plan, teams, twins=False)
    names = [f"team_{number:02}" for number in range(teams)]
    titled = dict(
        zip(names, [*titles, *(f"Team of place {number}" for number in range(len(titles), teams))], strict=False)
    )
    entries, scored, references = [], [], {}
    for task in plan.tasks:
        ids = [case.id for case in task.cases]
        is_mask = isinstance(task.spec.reference, MaskReference)
        if is_mask:
            _write_volumes(task, data)
        else:
            references[task.spec.name] = dict(zip(ids, map(float, numbers[task.spec.name][0]), strict=True))
        for number, team in enumerate(names):
            entry = _entry(team, titled[team], task.spec.name, baseline=number == teams - 1)
            values = masks[task.spec.name][team] | _beside(task) if is_mask else {"": numbers[task.spec.name][1][team]}
            of_case = [dict(zip(values, each, strict=True)) for each in zip(*values.values(), strict=True)]
            told = [
                _case_score(case, each, is_mask=is_mask, failed=number == 1 and place % 7 == 6)
                for place, (case, each) in enumerate(zip(ids, of_case, strict=True))
            ]
            if number == 0 and pending:
                told[-pending:] = [CaseScore(case=each.case, ending=PENDING) for each in told[-pending:]]
            _write_records(store.folder, entry, told, number)
            entries.append(entry)
            scored.append(_entry_score(entry, task.spec, told, references.get(task.spec.name, {})))
    plan = plan.model_copy(update={"entries": tuple(entries)})
    store.write_plan(plan)
    scores = Scores(
        challenge=plan.challenge.name, rules="f" * 64, evidence="e" * 64, references=references, entries=tuple(scored)
    )
    drawn = draw(plan, scores)
    trust = stability(drawn)
    write_scores(store, scores)
    write_stability(store, trust)
    write_leaderboard(store, leaderboard(plan, scores, drawn, trust))
    if groups:
        sites = {
            task.spec.name: {"site": {case.id: "AB"[place % 2] for place, case in enumerate(task.cases)}}
            for task in plan.tasks
        }
        write_subgroups(store, subgroups(plan, scores, sites))
    return store


def _beside(task: PlannedTask) -> dict[str, list[float]]:
    """Return the values of the metrics that are reported beside the ranking."""
    beside = [metric.name for metric in task.spec.metrics if not metric.ranked]
    return {name: [BESIDE + place for place in range(len(task.cases))] for name in beside}


def _planned(challenge: Challenge, cases: int, resamples: int, release: str, scheme: Scheme) -> Plan:
    changes = {"resampling": Resampling(resamples=resamples), "scheme": scheme}
    ranking = challenge.spec.ranking.model_copy(update=changes)
    tasks = tuple(
        PlannedTask(
            spec=task.model_copy(update={"release": Release.model_validate({"to_teams": release})}),
            limits=LIMITS,
            cases=tuple(_case(task, f"<case>&{number:04}") for number in range(cases)),
        )
        for task in challenge.tasks
    )
    spec = challenge.spec.model_copy(update={"ranking": ranking})
    return Plan(challenge=spec, tasks=tasks, entries=(), seed=3, notice="Nobody's brain.")


def _case(task: TaskSpec, case: str) -> Case:
    first = task.all_inputs[0].name
    path = Path(task.files.folder) / task.files.volume.format(case=case, input=first)
    return Case(id=case, volumes={first: Volume(path=path, bytes=1, modified_ns=0, sha256="0" * 64)})


def _entry(team: str, title: str, task: str, *, baseline: bool) -> Entry:
    image = PlannedImage(
        reference=f"{team}:1",
        id=f"sha256:{hashlib.sha256(team.encode()).hexdigest()}",
        digest="",
        platform="linux/amd64",
        bytes=1,
        has_entrypoint=True,
        volumes=(),
        contract="1",
    )
    return Entry(
        track="method",
        team=team,
        title=title,
        baseline=baseline,
        task=task,
        image=image,
        command=None,
        container={},
    )


def _case_score(case: str, values: dict[str, float], *, is_mask: bool, failed: bool) -> CaseScore:
    if failed:
        return CaseScore(case=case, ending="crashed", values=dict.fromkeys(values, 0.0) if is_mask else {})
    return CaseScore(case=case, ending="ok", **({"values": values} if is_mask else {"prediction": values[""]}))


def _entry_score(entry: Entry, spec: TaskSpec, told: list[CaseScore], truths: dict[str, float]) -> EntryScore:
    values = {metric.name: evidence(metric, spec, told, truths).value("mean") for metric in spec.metrics}
    endings = Counter(case.ending for case in told)
    return EntryScore(
        track=entry.track,
        team=entry.team,
        title=entry.title,
        baseline=entry.baseline,
        task=entry.task,
        cases=len(told),
        valid=endings["ok"],
        endings=dict(endings),
        provisional=PENDING in endings,
        metrics={
            name: Unscored(status="undefined", reason="none") if value is None else Scored(value=value)
            for name, value in values.items()
        },
        case_scores=tuple(told),
    )


def _write_records(run: Path, entry: Entry, told: list[CaseScore], number: int) -> None:
    for place, case in enumerate(told):
        if case.ending == PENDING:
            continue
        trial = TrialKey(track=entry.track, team=entry.team, task=entry.task, case=case.case)
        prediction = None
        if case.ending == "ok":
            name = "prediction.nii.gz" if case.values else "prediction.txt"
            content = _mask(place + number + 1) if case.values else f"{case.prediction}\n".encode()
            file = prediction_file(trial, name)
            (run / file).parent.mkdir(parents=True)
            (run / file).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            prediction = PredictionRecord(file=file, bytes=len(content), sha256=digest)
        outcome = Outcome(Ending.OK) if prediction else Outcome(Ending.CRASHED, DETAIL)
        record = Record(
            run="invented",
            trial=trial,
            attempt=1,
            outcome=OutcomeRecord.of(outcome),
            prediction=prediction,
            image=entry.image.id,
            exit_code=0,
            began="2025-01-01T00:00:00+00:00",
            spans={"stage": 0.01, "container": 2.0 + number + place % 5},
            usage=UsageRecord(memory_bytes=(1 + number % 7) * GIB + place),
            machine=DEVICE,
            container={"Memory": LIMITS.memory_bytes, "NetworkMode": "none"},
        )
        file = run / "records" / entry.track / entry.team / entry.task / f"{case.case}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(to_json(record.model_dump(mode="json")))


def _write_volumes(task: PlannedTask, data: Path) -> None:
    rng = np.random.default_rng(0)
    volume = _nifti(rng.integers(0, 255, SHAPE).astype(np.uint8))
    for place, case in enumerate(task.cases):
        reference = Path(task.spec.files.folder) / task.spec.files.reference.format(case=case.id)
        for path, content in ((reference, _mask(place)), (next(iter(case.volumes.values())).path, volume)):
            (data / path).parent.mkdir(parents=True, exist_ok=True)
            (data / path).write_bytes(content)


_MASKS: dict[int, bytes] = {}


def _mask(size: int) -> bytes:
    """Return a ball as NIfTI, one of twelve sizes."""
    radius = 2 + size % 12
    if radius not in _MASKS:
        places = np.moveaxis(np.indices(SHAPE), 0, -1) - np.array([20, 30, 12])
        _MASKS[radius] = _nifti((np.linalg.norm(places, axis=-1) < radius).astype(np.uint8))
    return _MASKS[radius]


def _nifti(voxels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    image = nib.Nifti1Image(voxels, np.diag([*SPACING_MM, 1.0]))  # type: ignore[no-untyped-call]
    return gzip.compress(image.to_bytes(), mtime=0)
