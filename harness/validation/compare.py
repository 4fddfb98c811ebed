"""How two predictions of the same case differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.datasets import images, masks
from harness.datasets.scalars import parse_number
from harness.metrics.overlap import dice
from harness.metrics.parameters import MetricParameters
from harness.specs.task import ScalarOutput, TaskSpec

ROUNDING = 1e-6
"""Numbers that differ by less than this share, and masks in less than this share of their Dice, are rounded apart."""


@dataclass(frozen=True)
class Difference:
    """How two predictions differ, in words, and whether by no more than rounding."""

    words: str
    is_rounding: bool


def difference(task: TaskSpec, one: Path, other: Path) -> Difference | None:
    """Compare two accepted predictions of one case.

    Parameters
    ----------
    task
        What they predict.
    one, other
        The files.

    Returns
    -------
    Difference or None
        None where they say the same.
    """
    if one.read_bytes() == other.read_bytes():
        return None
    return _of_numbers(one, other) if isinstance(task.output, ScalarOutput) else _of_masks(one, other)


def _of_numbers(one: Path, other: Path) -> Difference | None:
    first, second = parse_number(one.read_bytes()), parse_number(other.read_bytes())
    if first == second:
        return None
    return Difference(f"{first!r} and {second!r}", abs(first - second) <= ROUNDING * max(1.0, abs(first)))


def _of_masks(one: Path, other: Path) -> Difference | None:
    headers = [images.read_header(path) for path in (one, other)]
    first, second = (masks.read_mask(path, header).codes for path, header in zip((one, other), headers, strict=True))
    if first.shape != second.shape:
        return Difference(f"shapes {first.shape} and {second.shape}", is_rounding=False)
    apart = int(np.count_nonzero(first != second))
    if not apart:
        return None
    overlap = dice(first != 0, second != 0, headers[0].grid.spacing_mm, MetricParameters())
    few = apart <= ROUNDING * int(np.count_nonzero(first))
    return Difference(f"{apart} voxels differ, Dice {overlap:.4f}", is_rounding=few)
