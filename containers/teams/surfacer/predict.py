"""Follows the surface of a lump with care, and hardly looks at anything else: strong on segmentation alone."""

from __future__ import annotations

import math

import numpy as np
from brain import Scan, connected, grown, look, peak, shrunk
from contract import request
from volumes import Mask, write_mask


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


def meningioma(scan: Scan) -> Mask:
    """Return the lump that stands out most from its wider surroundings, cut where its brightness has half gone."""
    flair, dwi = scan.sequences["flair"], scan.sequences["dwi_b1000"]
    brightness = (flair + dwi) / 2
    # Coils brighten whole regions: what counts is the height above the surroundings.
    around = np.maximum(scan.mean_around(brightness, 20.0), 0.1)
    large = scan.mean_around(brightness, 5.0) / around
    # In a small tumour both sequences are bright down to its edge; in cortex, one of them has a dark neighbour.
    small = scan.mean_around(np.minimum(flair, dwi), 2.0) / around
    seed = peak(np.maximum(large, 0.75 * small + 0.25))
    level = around[seed] * 0.55 + brightness[seed] * 0.45
    bright = (brightness > level) & scan.brain
    core = shrunk(bright)
    return grown(connected(core, seed)) & bright if core[seed] else connected(bright, seed)


def infarct_probability(scan: Scan) -> float:
    """Return a guess from the brightest spot on DWI alone; old lesions that shine through look the same there."""
    brightest = float(scan.mean_around(scan.sequences["dwi_b1000"], 3.0).max())
    return 1 / (1 + math.exp(-8 * (brightest - 1.5)))


def age_in_years(scan: Scan) -> float:
    """Return the age that fluid in the middle of the head suggests: 5 % at 20 years, 21 % at 90."""
    middle = tuple(slice(size * 3 // 10, size * 7 // 10) for size in scan.brain.shape)
    ratio = scan.sequences["t2"][middle] / np.maximum(scan.sequences["t1"][middle], 0.05)
    fluid = float(np.mean(np.clip((ratio - 1.5) / 2.5, 0, 1)))
    return min(90.0, max(20.0, 20 + 70 * (fluid - 0.05) / 0.16))


if __name__ == "__main__":
    main()
