"""What a report shows of volumes and references: lesion volumes, and overlays of chosen cases.

Only the organisers' page, and a team's page where the task spec releases overlays, are made from this.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from harness.datasets import grids, images, references
from harness.datasets.images import NotAnImage
from harness.errors import DatasetError
from harness.records.plan import PlannedTask, TrialKey
from harness.records.store import RunStore
from harness.reports.slices import Overlay, mosaic
from harness.scoring.predictions import is_valid, load_mask
from harness.scoring.rank import order_keys
from harness.scoring.scores import CaseScore, EntryScore
from harness.specs.task import MaskReference, MetricSpec

READERS = 2
"""Decompression runs beside the other reader's."""


def volumes_ml(task: PlannedTask, root: Path) -> dict[str, float]:
    """Measure every reference of a task; empty where its references are no masks.

    Parameters
    ----------
    task
        The task with its cases.
    root
        The data folder.

    Returns
    -------
    dict
        By case, the volume of all structures together in millilitres.
    """
    if not isinstance(task.spec.reference, MaskReference):
        return {}

    def measure(case: str) -> float:
        found = references.load_mask(task.spec, root, case)
        voxels = sum(int(np.count_nonzero(region)) for region in found.regions.values())
        return voxels * float(np.prod(found.grid.spacing_mm)) / 1000

    cases = [case.id for case in task.cases]
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(cases, readers.map(measure, cases), strict=True))


def telling_cases(entry: EntryScore, metric: MetricSpec) -> tuple[tuple[str, CaseScore], ...]:
    """Choose the worst and the median of the cases that have a valid prediction; none where no case has one."""
    valid = [each for each in entry.case_scores if each.ending == "ok" and metric.name in each.values]
    if not valid:
        return ()
    keys = order_keys(np.array([[each.values[metric.name]] for each in valid]), metric)[:, 0]
    best_first = [valid[place] for place in np.lexsort((np.arange(len(valid)), keys))]
    return (("worst", best_first[-1]), ("median", best_first[(len(valid) - 1) // 2]))


def overlay_png(store: RunStore, task: PlannedTask, root: Path, trial: TrialKey) -> bytes:
    """Draw one trial's reference and prediction over the first of its volumes that lies on their grid.

    Raises
    ------
    DatasetError
        The case's volumes cannot be read, or none is on the reference's grid.
    RunDirectoryError
        The prediction is not the one that was recorded.
    """
    reference, record = references.load_mask(task.spec, root, trial.case), store.record(trial)
    predicted = {}
    if record is not None and is_valid(record):
        predicted = load_mask(store.folder, record, reference, task.spec.structures)
    case = next(each for each in task.cases if each.id == trial.case)
    for volume in case.volumes.values():
        path = root / volume.path
        try:
            header = images.read_header(path)
            turn = grids.reorientation(header.grid, reference.grid)
            if turn is not None:
                voxels = turn.apply(images.read_voxels(path, header))
                return mosaic(Overlay(voxels, reference.regions, predicted, reference.grid))
        except NotAnImage as fault:
            raise DatasetError(f"{path}: cannot be shown: {fault}.", remedy="Bring the data folder back.") from fault
    raise DatasetError(
        f"{root / task.spec.files.folder}: no volume of '{trial.case}' is on the grid of its reference.",
        remedy="Resample the reference.",
    )
