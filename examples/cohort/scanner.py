"""Scanners: voxel sizes, stored orientations, bias, noise and units."""

from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from examples.cohort.anatomy import Anatomy
from examples.cohort.grids import Array

orientations: Any = nib.orientations  # nibabel leaves these functions untyped

# Dealt out in turn, so that even a small cohort meets thick slices and stored orders other than RAS.
SPACINGS_2MM = (
    (2.0, 2.0, 2.0),
    (2.0, 2.0, 5.0),
    (2.0, 2.0, 2.0),
    (2.0, 2.0, 4.0),
    (1.0, 1.0, 5.0),
    (2.0, 2.0, 2.0),
    (2.0, 2.0, 5.0),
    (2.0, 2.0, 3.0),
)
SPACINGS_1MM = (
    (1.0, 1.0, 1.0),
    (1.0, 1.0, 5.0),
    (1.0, 1.0, 1.0),
    (1.0, 1.0, 3.0),
    (1.0, 1.0, 1.0),
    (1.0, 1.0, 5.0),
    (0.8, 0.8, 4.0),
    (1.0, 1.0, 2.0),
)
ORIENTATIONS = ("RAS", "LPS", "RAS", "PIR", "RAS", "LAS", "LPS")
ADC_UNITS = 1000.0  # ADC maps are stored in 1e-6 mm²/s, as most scanners do


@dataclass(frozen=True)
class Stored:
    """A volume as it is stored: the array and its voxel-to-world matrix, shape (4, 4), mm."""

    array: NDArray[np.generic]
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Acquisition:
    """How one sequence is acquired.

    Attributes
    ----------
    noise
        Standard deviation of the noise, relative to grey matter.
    bias
        Strength of the coil's shading, as the standard deviation of its logarithm.
    units
        Stored value of grey matter.
    """

    noise: float
    bias: float
    units: float


def draw_acquisition(rng: np.random.Generator, sequence: str) -> Acquisition:
    """Draw a scanner's settings for one sequence."""
    noise, bias = rng.uniform(0.015, 0.04), rng.uniform(0.03, 0.12)
    units = float(np.exp(rng.uniform(np.log(50), np.log(150))))
    if sequence == "adc":
        return Acquisition(noise=noise * 2.0, bias=0.0, units=ADC_UNITS)
    return Acquisition(noise=noise * (1.3 if sequence == "dwi_b1000" else 1.0), bias=bias, units=units)


def acquire(signal: Array, anatomy: Anatomy, acquisition: Acquisition, rng: np.random.Generator) -> NDArray[np.int16]:
    """Return the RAS volume, shape ``anatomy.grid.shape``, that the scanner makes of a noiseless signal (n,)."""
    shading = np.exp(np.float32(acquisition.bias) * anatomy.field(rng, 70.0))
    noise = rng.standard_normal((2, signal.size), dtype=np.float32) * np.float32(acquisition.noise)
    # Magnitude images: the noise is Rician.
    magnitude = np.hypot(signal * shading + noise[0], noise[1])
    volume = np.zeros(anatomy.grid.shape, dtype=np.int16)
    # Brain is never 0, which a skull-stripped volume keeps for background.
    volume[anatomy.inside] = np.clip(np.rint(magnitude * np.float32(acquisition.units)), 1, 32767)
    return volume


def store(volume: NDArray[np.generic], affine: NDArray[np.float64], orientation: str) -> Stored:
    """Return a RAS volume as stored in another orientation, such as ``"LPS"``, at the same place in the world."""
    change = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(orientation))
    array = np.ascontiguousarray(orientations.apply_orientation(volume, change))
    return Stored(array, affine @ orientations.inv_ornt_aff(change, volume.shape))
