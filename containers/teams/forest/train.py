"""Grows the three forests on the finetuning cases and writes them as plain arrays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from brain import Scan, coarse, look
from contract import ORDER
from features import fluid_fractions, restriction_features, tumour_candidates
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from volumes import Array, Mask, read

TUMOUR_VOXELS, OTHER_VOXELS = 400, 1500  # drawn from each case, so that large tumours do not outweigh small ones


class Seen(NamedTuple):
    """Features, shape (cases, features), and the answers that go with them, shape (cases,)."""

    features: Array
    answers: Array


class Example(NamedTuple):
    """A finetuning case and the folder of its reference."""

    scan: Scan
    reference: Path


def examples(task: Path) -> Iterator[Example]:
    """Read the cases of one task, in order."""
    for case in sorted((task / "preprocessed").iterdir()):
        paths = {name: case / "ses_1" / f"{name}.nii.gz" for name in ORDER}
        volumes = {name: read(path) for name, path in paths.items() if path.exists()}
        yield Example(look(volumes), task / "labels" / case.name)


def main(finetuning: Path, output: Path) -> None:
    """Learn from ``fomo-task1`` to ``fomo-task3`` below ``finetuning`` and write all trees to one .npz file."""
    forests = {
        "infarct": infarct_forest(finetuning / "fomo-task1"),
        "meningioma": meningioma_forest(finetuning / "fomo-task2"),
        "brain_age": brain_age_forest(finetuning / "fomo-task3"),
    }
    arrays = {f"{task}_{name}": array for task, forest in forests.items() for name, array in flattened(forest).items()}
    np.savez(output, allow_pickle=False, **arrays)


def infarct_forest(task: Path) -> RandomForestClassifier:
    """Learn from a handful of numbers for each case."""
    seen = case_features(task, restriction_features)
    forest = RandomForestClassifier(60, max_depth=3, min_samples_leaf=3, max_features=2, random_state=0)
    return forest.fit(seen.features, seen.answers)


def brain_age_forest(task: Path) -> RandomForestRegressor:
    """Learn from where the fluid is."""
    seen = case_features(task, fluid_fractions)
    forest = RandomForestRegressor(60, min_samples_leaf=3, max_features=0.3, random_state=0)
    return forest.fit(seen.features, seen.answers)


def case_features(task: Path, features: Callable[[Scan], Array]) -> Seen:
    """Look at all cases of one task."""
    rows, answers = [], []
    for example in examples(task):
        rows.append(features(example.scan))
        answers.append(float((example.reference / "label.txt").read_text()))
    return Seen(np.array(rows, dtype=np.float32), np.array(answers, dtype=np.float32))


def meningioma_forest(task: Path) -> RandomForestClassifier:
    """Learn voxel by voxel, among those bright enough to be asked about."""
    rng = np.random.default_rng(0)
    rows, answers = [], []
    for example in examples(task):
        candidates = tumour_candidates(example.scan)
        tumour = on_scan(read(example.reference / "seg.nii.gz").values, example.scan)[candidates.mask]
        chosen = np.concatenate(
            [
                rng.permutation(np.flatnonzero(tumour))[:TUMOUR_VOXELS],
                rng.permutation(np.flatnonzero(~tumour))[:OTHER_VOXELS],
            ]
        )
        rows.append(candidates.features[chosen])
        answers.append(tumour[chosen])
    forest = RandomForestClassifier(12, max_depth=7, min_samples_leaf=5, max_features=3, random_state=0)
    return forest.fit(np.concatenate(rows), np.concatenate(answers))


def on_scan(reference: Array, scan: Scan) -> Mask:
    """Return which of the scan's voxels are at least half tumour."""
    place = tuple(
        slice(start, start + size * blocks)
        for start, size, blocks in zip(scan.corner, scan.brain.shape, scan.blocks, strict=True)
    )
    return np.asarray(coarse(reference[place], scan.blocks) >= 0.5)


def flattened(forest: RandomForestClassifier | RandomForestRegressor) -> dict[str, NDArray[Any]]:
    """Return the trees as arrays, shape (trees, nodes); a leaf leads to itself, so that all paths are equally long."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    nodes = max(tree.node_count for tree in trees)
    shape = (len(trees), nodes)
    feature, left, right = (np.zeros(shape, dtype=np.int16) for _ in range(3))
    threshold, answer = (np.zeros(shape, dtype=np.float32) for _ in range(2))
    for row, tree in enumerate(trees):
        count, leaf = tree.node_count, tree.children_left < 0
        itself = np.arange(count)
        feature[row, :count] = np.where(leaf, 0, tree.feature)
        threshold[row, :count] = tree.threshold
        left[row, :count] = np.where(leaf, itself, tree.children_left)
        right[row, :count] = np.where(leaf, itself, tree.children_right)
        # A classifier's leaf holds counts or shares of both classes; a regressor's, the mean.
        value = tree.value[:, 0, :]
        answer[row, :count] = value[:, 1] / value.sum(axis=1) if value.shape[1] == 2 else value[:, 0]
    depth = np.array(max(tree.max_depth for tree in trees))
    return {"feature": feature, "threshold": threshold, "left": left, "right": right, "answer": answer, "depth": depth}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
