"""A finished run of nineteen teams at FOMO25's sizes, written by the code that writes real ones."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from benchmarks.masks import A, far_positives, tumour
from harness.datasets.case import Case, Volume
from harness.engines.engine import ImageFacts
from harness.engines.fake import FakeEngine
from harness.engines.outcome import Ending, Outcome
from harness.execution.plan import plan_entries, plan_tasks
from harness.records.plan import Entry, Plan, TrialKey
from harness.records.record import Machine, OutcomeRecord, PredictionRecord, Record
from harness.records.store import RunStore, prediction_file
from harness.specs.challenge import Challenge
from harness.specs.loading import load_challenge
from harness.specs.submission import SubmissionSpec, SubmittedImage
from harness.specs.task import TaskSpec

TEAMS = 19
CASES = {"infarct": 320, "meningioma": 107, "brain_age": 800}
MACHINE = Machine(host="bench", platform="linux/amd64", engine="none", cpus=2, fomo_eval="bench")
DISTINCT_MASKS = 40


def write_run(folder: Path) -> RunStore:
    """Write references below ``data`` and a run with all its records and predictions below ``run``."""
    challenge, data, made = load_challenge("fomo25"), folder / "data", folder / "made"
    made.mkdir(parents=True)
    plan = _plan(challenge)
    masks = [_mask(seed) for seed in range(DISTINCT_MASKS)]
    for task in plan.tasks:
        for number, case in enumerate(task.cases):
            content = masks[number % DISTINCT_MASKS] if task.spec.output.format == "mask" else b"%d" % (number % 2)
            path = data / task.spec.files.folder / task.spec.files.reference.replace("{case}", case.id)
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
    store = RunStore.open_or_create(folder / "run", data)
    store.write_plan(plan)
    with ThreadPoolExecutor(8) as executor:  # writing waits for the disk
        for _ in executor.map(lambda trial: _commit(store, trial, made, masks), _trials(plan)):
            pass
    return store


def _plan(challenge: Challenge) -> Plan:
    cases = {name: tuple(_case(f"case_{n:04}", challenge.task(name)) for n in range(CASES[name])) for name in CASES}
    teams = [
        SubmissionSpec(
            team=f"team-{n:02}", track="method", images={name: SubmittedImage(image=f"team:{n}") for name in CASES}
        )
        for n in range(TEAMS)
    ]
    machine = FakeEngine({}).facts()
    tasks = plan_tasks(challenge, cases, machine, seconds=None, gpu=False)
    facts = ImageFacts("bench", digest="", platform=machine.platform, size_bytes=0, has_entrypoint=True)
    return Plan(
        challenge=challenge.spec, tasks=tasks, entries=plan_entries(teams, tasks, lambda _: facts), seed=0, notice=""
    )


def _case(name: str, task: TaskSpec) -> Case:
    volume = Volume(path=Path(task.files.folder, name), bytes=1, modified_ns=1, sha256="0" * 64)
    return Case(id=name, volumes={"flair": volume})


def _trials(plan: Plan) -> Iterator[tuple[Entry, TaskSpec, str]]:
    for entry in plan.entries:
        task = plan.task(entry.task)
        for case in task.cases:
            yield entry, task.spec, case.id


def _commit(store: RunStore, planned: tuple[Entry, TaskSpec, str], made: Path, masks: list[bytes]) -> None:
    entry, task, case = planned
    trial = TrialKey(track=entry.track, team=entry.team, task=entry.task, case=case)
    chance = random.Random(str(trial))
    content = chance.choice(masks) if task.output.format == "mask" else f"{chance.random()!r}\n".encode()
    source = made / trial.team / trial.task / trial.case / task.output.file
    source.parent.mkdir(parents=True)
    source.write_bytes(content)
    kept = PredictionRecord(
        file=prediction_file(trial, task.output.file), bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    record = Record(
        run=store.facts.id,
        trial=trial,
        attempt=1,
        outcome=OutcomeRecord.of(Outcome(Ending.OK)),
        prediction=kept,
        image=entry.image.id,
        exit_code=0,
        began="2025-01-01T00:00:00+00:00",
        spans={"stage": 0.1, "start": 0.4, "container": 10.0 + chance.random(), "collect": 0.01, "verify": 0.02},
        machine=MACHINE,
        container=entry.container,
    )
    store.commit(record, prediction=source, log=b"")


def _mask(seed: int) -> bytes:
    """Return a tumour as a compressed file; every fourth with false positives."""
    rng = np.random.default_rng(seed)
    mask = far_positives(A).prediction if seed % 4 == 0 else tumour(A, off_mm=rng.uniform(-3, 3))
    x, y, z = rng.integers(90, 110, 3)
    mask[x : x + 9, y : y + 5, z : z + 7] ^= True
    image: Any = nib.Nifti1Image(mask.view(np.uint8), np.diag([*A.spacing_mm, 1.0]))  # type: ignore[no-untyped-call]
    return gzip.compress(image.to_bytes(), 6, mtime=0)
