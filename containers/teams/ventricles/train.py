"""Fits a ridge regression of age on where the fluid is, and writes its coefficients."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from brain import look
from features import fluid_fractions
from sklearn.linear_model import RidgeCV
from volumes import read


def main(task: Path, output: Path) -> None:
    """Learn from ``preprocessed/`` and ``labels/`` below ``task`` and write JSON."""
    cases = sorted((task / "preprocessed").iterdir())
    scans = (look({name: read(case / "ses_1" / f"{name}.nii.gz") for name in ("t1", "t2")}) for case in cases)
    features = np.array([fluid_fractions(scan) for scan in scans])
    ages = np.array([float((task / "labels" / case.name / "label.txt").read_text()) for case in cases])
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-4)
    # The strength of the penalty is the one that predicts each case best from all the others.
    ridge = RidgeCV(np.logspace(0, 4, 20)).fit((features - mean) / spread, ages)
    weights = ridge.coef_ / spread
    parameters = {"age_without_fluid": float(ridge.intercept_ - mean @ weights), "years_per_fluid": weights.tolist()}
    output.write_text(json.dumps(parameters))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
