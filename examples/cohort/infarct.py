"""Acute infarcts, and the bright spots on DWI and FLAIR that are none."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from examples.cohort.anatomy import Anatomy
from examples.cohort.grids import Array, Point
from examples.cohort.sequences import Effect


@dataclass(frozen=True)
class Stroke:
    """A kind of infarct: the range of its volume (mL), of its strength (1: as bright as they come), and how many."""

    low_ml: float
    high_ml: float
    faint: float
    strong: float
    spots: int


STROKES: Mapping[str, Stroke] = {
    "territorial": Stroke(low_ml=15, high_ml=90, faint=0.6, strong=1.0, spots=1),
    "cortical": Stroke(low_ml=2, high_ml=15, faint=0.5, strong=1.0, spots=1),
    "lacunar": Stroke(low_ml=0.15, high_ml=1.5, faint=0.5, strong=1.0, spots=1),
    "scattered": Stroke(low_ml=1, high_ml=6, faint=0.5, strong=0.9, spots=4),
    "faint": Stroke(low_ml=0.5, high_ml=5, faint=0.14, strong=0.3, spots=1),
}
# A control's DWI may be as bright as an infarct's; only ADC tells them apart.
MIMICS = ("none", "none", "susceptibility", "shine_through", "white_matter", "old_infarct")

ACUTE = {"dwi_b1000": 2.3, "adc": 0.52, "flair": 1.3, "t2s": 1.12, "swi": 1.04}
SHINE_THROUGH = {"dwi_b1000": 1.8, "adc": 1.45, "flair": 1.75, "t2s": 1.3, "swi": 1.05}
OLD_INFARCT = {"dwi_b1000": 0.45, "adc": 2.5, "flair": 0.55, "t2s": 1.4, "swi": 0.9}
WHITE_MATTER_SPOTS = {"dwi_b1000": 1.08, "adc": 1.15, "flair": 1.7, "t2s": 1.1}
# Air in the sinuses and the ear: DWI piles up bright in front of it, and gradient echoes lose their signal.
AIR_MNI = ((0.0, 46.0, -38.0), (46.0, -26.0, -48.0), (-46.0, -26.0, -48.0))


@dataclass(frozen=True)
class Finding:
    """Something seen in one brain.

    Attributes
    ----------
    kind
        Its name.
    volume_ml
        Its volume, mL.
    strength
        Its conspicuity, 0–1.
    centre_mm
        World position of the middle of its largest part; None where it has no one place.
    effects
        What it does to each sequence.
    """

    kind: str
    volume_ml: float
    strength: float
    centre_mm: Point | None
    effects: tuple[Effect, ...]


def at_strength(factor: Mapping[str, float], strength: float) -> dict[str, float]:
    """Return signal factors that are ``strength`` (0–1) of the way from 1 to the given ones."""
    return {sequence: 1 + (full - 1) * strength for sequence, full in factor.items()}


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of ``low`` and ``high``."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def ball_radius(volume_ml: float) -> float:
    """Return the radius (mm) of a ball of the given volume (mL)."""
    return float((volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3))


def irregular_blob(
    rng: np.random.Generator, anatomy: Anatomy, where: Array, volume_ml: float, roughness: float = 0.35
) -> Array:
    """Grow an irregular lesion inside tissue.

    Parameters
    ----------
    rng
        Source of the place and shape.
    anatomy
        The brain.
    where
        How likely each voxel is to be the centre, shape (n,); need not add to 1.
    volume_ml
        Volume of tissue with a weight of at least one half, mL.
    roughness
        0 for an ellipsoid; the higher, the more ragged.

    Returns
    -------
    Array
        Weights 0–1, shape (n,), soft at the edge.
    """
    cumulated = np.cumsum(where, dtype=np.float64)
    seed = int(np.searchsorted(cumulated, rng.uniform() * cumulated[-1]))
    centre = anatomy.world[:, seed]
    radius = np.float32(ball_radius(volume_ml))
    axes = rng.uniform(0.65, 1.4, size=3).astype(np.float32) * radius
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0].astype(np.float32)
    offset = turn @ (anatomy.world - centre[:, None]) / axes[:, None]
    distance = np.sqrt((offset**2).sum(axis=0))
    ragged = anatomy.field(rng, max(float(radius) * 0.8, 4.0))
    closeness = -distance + np.float32(roughness) * ragged * np.minimum(distance, 1)
    # Fluid cannot die, and no artery supplies both hemispheres.
    closeness[(anatomy.csf > 0.35) | (anatomy.mni[0] * anatomy.mni[0, seed] < 0)] = -1e3
    count = max(round(volume_ml / anatomy.grid.voxel_ml), 1)
    threshold = np.partition(closeness, closeness.size - count)[closeness.size - count]
    edge_mm = 1.2
    weight = 1 / (1 + np.exp(np.clip((threshold - closeness) * radius / np.float32(edge_mm), -30, 30)))
    return np.asarray(weight * (1 - anatomy.csf), dtype=np.float32)


def deep_white_matter(anatomy: Anatomy) -> Array:
    """Return where small-vessel disease strikes: white matter alongside the lateral ventricles, shape (n,)."""
    x, y, z = anatomy.mni
    beyond = np.clip(np.abs(y + 10) - 42, 0, None)  # the ventricles' bodies and horns reach from about -52 to 32 mm
    away = (np.abs(x) - 24) ** 2 + beyond**2 + (z - 20) ** 2
    return np.asarray(anatomy.white**2 * np.exp(-away / np.float32(2 * 11.0**2)), dtype=np.float32)


def cortex(anatomy: Anatomy) -> Array:
    """Return where emboli lodge: grey matter, shape (n,)."""
    return np.where(anatomy.mni[2] > -45, anatomy.grey**2 * (1 - anatomy.csf) ** 4, np.float32(0))


def blob_ml(anatomy: Anatomy, weight: Array) -> float:
    """Return the volume with a weight of at least one half, mL."""
    return float((weight >= 0.5).sum() * anatomy.grid.voxel_ml)


def blob_centre(anatomy: Anatomy, weight: Array) -> Point:
    """Return the world position (mm) of the middle of a lesion."""
    x, y, z = (anatomy.world * weight).sum(axis=1, dtype=np.float64) / weight.sum(dtype=np.float64)
    return round(float(x), 1), round(float(y), 1), round(float(z), 1)


def infarct(rng: np.random.Generator, anatomy: Anatomy, kind: str) -> Finding:
    """Draw an acute infarct of one of the kinds in `STROKES`."""
    stroke = STROKES[kind]
    total_ml, strength = log_uniform(rng, stroke.low_ml, stroke.high_ml), rng.uniform(stroke.faint, stroke.strong)
    place = deep_white_matter(anatomy) if kind == "lacunar" else cortex(anatomy)
    if stroke.spots > 1:
        # Emboli of one shower mostly lie in one hemisphere.
        place = place * np.where(anatomy.mni[0] * rng.choice((-1, 1)) > 0, 1.0, 0.05)
    shares = rng.dirichlet(np.full(stroke.spots, 2.0)) * total_ml
    blobs = [irregular_blob(rng, anatomy, place, float(share)) for share in shares]
    weight = np.maximum.reduce(blobs)
    # ADC is a measured quantity and falls clearly even where the DWI is only just brighter.
    factor = at_strength(ACUTE, strength) | at_strength({"adc": ACUTE["adc"]}, strength**0.6)
    effect = Effect(weight, factor)
    centre = blob_centre(anatomy, blobs[int(np.argmax(shares))])
    return Finding(kind, blob_ml(anatomy, weight), strength, centre, (effect,))


def mimic(rng: np.random.Generator, anatomy: Anatomy, kind: str) -> Finding:
    """Draw something that is no infarct, of one of the kinds in `MIMICS`."""
    if kind == "none":
        return Finding(kind, 0.0, 0.0, None, ())
    strength = rng.uniform(0.5, 1.0)
    if kind == "susceptibility":
        # The same distortion makes ADC unreliable there, a little up or down.
        rim = air_artefact(rng, anatomy, {"dwi_b1000": 1 + 1.2 * strength, "adc": rng.uniform(0.85, 1.2)})
        return Finding(kind, 0.0, strength, None, (rim,))
    if kind == "white_matter":
        spots = [irregular_blob(rng, anatomy, deep_white_matter(anatomy), log_uniform(rng, 0.1, 1.5)) for _ in range(8)]
        weight, factor = np.maximum.reduce(spots), WHITE_MATTER_SPOTS
    else:
        place = deep_white_matter(anatomy) + cortex(anatomy)
        weight = irregular_blob(rng, anatomy, place, log_uniform(rng, 1, 15))
        factor = SHINE_THROUGH if kind == "shine_through" else OLD_INFARCT
    effect = Effect(weight, at_strength(factor, strength))
    return Finding(kind, blob_ml(anatomy, weight), strength, None, (effect,))


def air_artefact(rng: np.random.Generator, anatomy: Anatomy, factor: Mapping[str, float]) -> Effect:
    """Return a bright rim on DWI beside one of the air spaces of the skull base."""
    centre = np.array(AIR_MNI[int(rng.integers(len(AIR_MNI)))], dtype=np.float32)
    distance = np.sqrt(((anatomy.mni - centre[:, None]) ** 2).sum(axis=0))
    radius = rng.uniform(17, 24)
    rim = np.exp(-(((distance - radius) / 3.5) ** 2)) * np.clip(1 + 0.4 * anatomy.field(rng, 10.0), 0, 1.3)
    return Effect(rim.astype(np.float32), factor)


def signal_loss(anatomy: Anatomy, strength: float) -> Effect:
    """Return the loss of signal near air that every gradient echo shows; ``strength`` 0–1."""
    weight = np.zeros(anatomy.csf.shape, dtype=np.float32)
    for centre in AIR_MNI:
        squared = ((anatomy.mni - np.array(centre, dtype=np.float32)[:, None]) ** 2).sum(axis=0)
        weight = np.maximum(weight, np.exp(-squared / np.float32(2 * 14.0**2)))
    return Effect(weight, at_strength({"t2s": 0.15, "swi": 0.12, "dwi_b1000": 0.7}, strength))
