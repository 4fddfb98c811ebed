"""What age does to a brain: wider ventricles and sulci, with much variation from person to person."""

import numpy as np

from examples.cohort.anatomy import Body

YOUNGEST, OLDEST = 20.0, 90.0


def spread_ages(rng: np.random.Generator, count: int) -> list[float]:
    """Return ages in years, one in each of ``count`` equal parts of the range, in random order."""
    places = (rng.permutation(count) + rng.uniform(size=count)) / count
    return [round(float(YOUNGEST + place * (OLDEST - YOUNGEST)), 1) for place in places]


def draw_body(rng: np.random.Generator, age: float) -> Body:
    """Draw a person of the given age (years)."""
    # Two traits move with age and with each other; their scatter is what keeps age from being read off exactly.
    shared = rng.normal(0, 0.13)
    progress = (age - YOUNGEST) / (OLDEST - YOUNGEST)
    ventricles = progress**1.3 + shared + rng.normal(0, 0.14)
    sulci = progress + shared + rng.normal(0, 0.12)
    turn = rng.normal(0, 0.04, size=3)
    # The template averages brains that had been matched to a large one.
    size = rng.normal(0.93, 0.03) * rng.normal(1.0, 0.02, size=3)
    return Body(
        ventricle_mm=float(np.clip(-1.5 + 7.5 * ventricles, -3.0, 8.0)),
        sulcal_power=float(np.clip(1.25 - 0.65 * sulci, 0.45, 1.6)),
        rotation=(float(turn[0]), float(turn[1]), float(turn[2])),
        stretch=(float(size[0]), float(size[1]), float(size[2])),
        warp_mm=float(rng.uniform(1.5, 3.0)),
    )
