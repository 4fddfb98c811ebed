"""What each MRI sequence makes of tissue and of lesions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from examples.cohort.anatomy import Anatomy
from examples.cohort.grids import Array


@dataclass(frozen=True)
class Contrast:
    """Signal of each tissue (grey matter about 1; ADC in 1e-3 mm²/s) and how strongly the template's texture shows."""

    csf: float
    grey: float
    white: float
    texture: float


CONTRASTS: Mapping[str, Contrast] = {
    "t1": Contrast(csf=0.38, grey=1.0, white=1.42, texture=0.30),
    "t2": Contrast(csf=2.1, grey=1.0, white=0.70, texture=-0.22),
    "flair": Contrast(csf=0.16, grey=1.0, white=0.78, texture=-0.16),
    "dwi_b1000": Contrast(csf=0.14, grey=1.0, white=0.82, texture=-0.16),
    "adc": Contrast(csf=2.9, grey=0.86, white=0.74, texture=-0.03),
    "t2s": Contrast(csf=1.45, grey=1.0, white=0.82, texture=-0.25),
    "swi": Contrast(csf=0.78, grey=1.0, white=0.90, texture=-0.30),
}


@dataclass(frozen=True)
class Effect:
    """A local change of signal: at full weight the signal is multiplied by ``factor``, which differs by sequence."""

    weight: Array
    factor: Mapping[str, float]


def synthesise(sequence: str, anatomy: Anatomy, effects: Sequence[Effect]) -> Array:
    """Return the noiseless signal of one sequence at the brain voxels, shape (n,), in units of grey matter."""
    contrast = CONTRASTS[sequence]
    solid = 1 - anatomy.csf
    signal = (
        anatomy.csf * np.float32(contrast.csf)
        + anatomy.grey * np.float32(contrast.grey)
        + anatomy.white * np.float32(contrast.white)
        + solid * anatomy.texture * np.float32(contrast.texture)
    )
    for effect in effects:
        factor = effect.factor.get(sequence, 1.0)
        if factor != 1.0:
            signal = signal * (1 + effect.weight * np.float32(factor - 1))
    return np.asarray(np.maximum(signal, np.float32(0.02)), dtype=np.float32)
