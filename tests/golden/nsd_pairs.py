"""Small pairs of masks, drawn alike wherever this runs: what ``nsd_monai.csv`` holds the values of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COUNT = 30
SPACINGS = (1.0, 0.5, 0.45, 1.2, 5.0)


class Pair(NamedTuple):
    reference: NDArray[np.bool_]
    prediction: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    tolerance_mm: float


def pairs() -> Iterator[Pair]:
    """Draw boxes with noise on them; legacy generators give the same numbers in every version of NumPy."""
    random = np.random.RandomState(25)
    for _ in range(COUNT):
        shape = random.randint(6, 14, 3)
        masks = []
        for _ in range(2):
            mask = np.zeros(shape, bool)
            first, last = random.randint(0, 3, 3), shape - random.randint(0, 3, 3)
            mask[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = True
            masks.append(mask ^ (random.random_sample(shape) < 0.05))
        x, y, z = (SPACINGS[random.randint(len(SPACINGS))] for _ in range(3))
        yield Pair(masks[0], masks[1], (x, y, z), float(random.choice([0.4, 0.7, 1.1, 2.3])))
