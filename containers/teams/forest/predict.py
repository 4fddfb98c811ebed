"""Random forests grown on the finetuning cases; see train.py. Only numpy is needed to ask them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from brain import Scan, connected, look, peak
from contract import request
from features import fluid_fractions, restriction_features, tumour_candidates
from volumes import Array, Mask, write_mask

FORESTS = Path(__file__).with_name("forests.npz")


def main() -> None:
    """Predict for one case."""
    asked = request()
    scan = look(asked.volumes())
    if asked.task == "infarct":
        asked.write_number(infarct_probability(scan))
    elif asked.task == "brain_age":
        asked.write_number(age_in_years(scan))
    else:
        write_mask(asked.output, scan.restored(meningioma(scan)), scan.like)


def infarct_probability(scan: Scan) -> float:
    """Return the share of trees, weighted by their leaves, that see an infarct."""
    return float(ask("infarct", restriction_features(scan)[None])[0])


def age_in_years(scan: Scan) -> float:
    """Return the trees' mean age."""
    return float(ask("brain_age", fluid_fractions(scan)[None])[0])


def meningioma(scan: Scan) -> Mask:
    """Return the likely voxels that hang together with the place where most of them are."""
    candidates = tumour_candidates(scan)
    probability = np.zeros(scan.brain.shape, dtype=np.float32)
    probability[candidates.mask] = ask("meningioma", candidates.features)
    return connected(probability > 0.4, peak(scan.mean_around(probability, 3.0)))


def ask(task: str, features: Array) -> Array:
    """Return the mean answer of a task's trees to each row of features, shape (rows,)."""
    with np.load(FORESTS) as stored:
        names = ("feature", "threshold", "left", "right", "answer")
        trees = list(zip(*(stored[f"{task}_{name}"] for name in names), strict=True))
        depth = int(stored[f"{task}_depth"])
    total = np.zeros(len(features), dtype=np.float32)
    rows = np.arange(len(features))
    for feature, threshold, left, right, answer in trees:
        node = np.zeros(len(features), dtype=np.int16)
        for _ in range(depth):
            smaller = features[rows, feature[node]] <= threshold[node]
            node = np.where(smaller, left[node], right[node])
        total += answer[node]
    return total / np.float32(len(trees))


if __name__ == "__main__":
    main()
