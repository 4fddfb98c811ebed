"""Rules that a reader of brain MRI would write down: thresholds and a little morphology, nothing learned."""

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


def infarct_probability(scan: Scan) -> float:
    """Return how surely some 6 mm of brain are bright on DWI and dark on ADC together: restricted diffusion."""
    dwi = scan.mean_around(scan.sequences["dwi_b1000"], 3.0)
    adc = scan.mean_around(scan.sequences["adc"], 3.0)
    restriction = np.clip(dwi - 1, 0, None) * np.clip(1 - adc, 0, None)
    # One half where DWI is 30 % above and ADC 20 % below the brain's median.
    return 1 / (1 + math.exp(-float(math.log(restriction.max() + 1e-3) - math.log(0.06)) * 2))


def meningioma(scan: Scan) -> Mask:
    """Return the brightest lump on FLAIR and DWI, down to half its height above the brain around it."""
    brightness = (scan.sequences["flair"] + scan.sequences["dwi_b1000"]) / 2
    lumps = np.maximum(scan.mean_around(brightness, 5.0), scan.mean_around(brightness, 3.0) * 0.75 + 0.25)
    seed = peak(lumps)
    bright = brightness > (1 + brightness[seed]) / 2
    # A lump hangs on neighbouring cortex by thin bridges: cut them, take the lump, give it its rim back.
    core = shrunk(bright)
    return grown(connected(core, seed)) & bright if core[seed] else connected(bright, seed)


def age_in_years(scan: Scan) -> float:
    """Return the age that the share of fluid in the head suggests: 6 % at 20 years, 12 % at 90."""
    ratio = scan.sequences["t2"] / np.maximum(scan.sequences["t1"], 0.05)
    fluid = float(np.clip((ratio - 1.5) / 2.5, 0, 1)[scan.brain].mean())
    return min(90.0, max(20.0, 20 + 70 * (fluid - 0.06) / 0.06))


if __name__ == "__main__":
    main()
