"""What the learning teams look at; training and prediction share these, so that the two cannot drift apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from brain import Scan
from volumes import Array, Mask

CELLS = 4


class Candidates(NamedTuple):
    """Voxels that may be tumour: where they are, and their features, shape (voxels, features)."""

    mask: Mask
    features: Array


def tumour_candidates(scan: Scan) -> Candidates:
    """Return the voxels brighter than their surroundings and what tells tumour from cortex there."""
    flair, dwi = scan.sequences["flair"], scan.sequences["dwi_b1000"]
    susceptibility = scan.sequences["t2s"] if "t2s" in scan.sequences else scan.sequences["swi"]
    brightness = (flair + dwi) / 2
    lump = scan.mean_around(brightness, 3.0)
    mask = (lump > 1.05) & (brightness > 1.0) & scan.brain
    seen = (
        flair,
        dwi,
        susceptibility,
        lump,
        scan.mean_around(brightness, 5.0),
        # Cortex is thin: a few mm away from it one of the two sequences is dark. Tumour is bright throughout.
        scan.mean_around(np.minimum(flair, dwi), 2.0),
        scan.mean_around(brightness, 16.0),
    )
    return Candidates(mask, np.stack([values[mask] for values in seen], axis=1))


def restriction_features(scan: Scan) -> Array:
    """Return the strength and extent of restricted diffusion (bright on DWI, dark on ADC) at two scales, shape (8,)."""
    features = []
    for reach_mm in (1.5, 3.0):
        dwi, adc, flair = (scan.mean_around(scan.sequences[name], reach_mm) for name in ("dwi_b1000", "adc", "flair"))
        restriction = np.clip(dwi - 1, 0, None) * np.clip(1 - adc, 0, None)
        somewhere = restriction[restriction > 0]
        strongest = np.sort(somewhere)[-20:] if somewhere.size else np.zeros(1)
        extent_ml = np.count_nonzero((dwi > 1.4) & (adc < 0.8) & scan.brain) * scan.voxel_ml
        features += [
            float(strongest.max()),
            float(strongest.mean()),
            float(np.log(extent_ml + 0.05)),
            float(flair.ravel()[restriction.argmax()]),
        ]
    return np.array(features, dtype=np.float32)


def fluid_fractions(scan: Scan) -> Array:
    """Return the share of fluid in cells of the brain's box, the two halves averaged, shape (32,)."""
    ratio = scan.sequences["t2"] / np.maximum(scan.sequences["t1"], np.float32(0.05))
    fluid = np.clip((ratio - 1.5) / 2.5, 0, 1) * scan.brain
    fractions = in_cells(fluid) / np.maximum(in_cells(scan.brain.astype(np.float32)), 1)
    return ((fractions + fractions[::-1]) / 2)[: (CELLS + 1) // 2].ravel()


def in_cells(values: Array) -> Array:
    """Return the sums over ``CELLS`` parts of each axis, shape (CELLS, CELLS, CELLS)."""
    for axis, size in enumerate(values.shape):
        starts = np.linspace(0, size, CELLS, endpoint=False).astype(int)
        values = np.add.reduceat(values, starts, axis=axis)
    return values
