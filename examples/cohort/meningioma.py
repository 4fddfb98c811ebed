"""Meningiomas: masses on the outer surface of the brain or on the falx."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from examples.cohort.anatomy import Anatomy, Head, Mass
from examples.cohort.grids import Array
from examples.cohort.infarct import at_strength, ball_radius
from examples.cohort.sequences import Effect


@dataclass(frozen=True)
class Tumour:
    """A meningioma in one brain.

    Attributes
    ----------
    place
        ``"surface"`` or ``"falx"``.
    volume_ml
        Volume of ``mask``, mL.
    mask
        Which of the n brain voxels it fills.
    anatomy
        The brain, pushed aside.
    effects
        What tumour and oedema do to each sequence.
    """

    place: str
    volume_ml: float
    mask: NDArray[np.bool_]
    anatomy: Anatomy
    effects: tuple[Effect, ...]


def spread_volumes(rng: np.random.Generator, count: int) -> list[float]:
    """Return volumes in mL, 0.4–40, evenly spread in their logarithm and in random order: about one in five under 1."""
    places = (rng.permutation(count) + rng.uniform(size=count)) / max(count, 1)
    return [float(np.exp(np.log(0.4) + place * np.log(40 / 0.4))) for place in places]


def attach(rng: np.random.Generator, head: Head, place: str, volume_ml: float) -> Mass:
    """Choose where on the dura the mass sits, and which way is outwards."""
    radius = ball_radius(volume_ml)
    if place == "falx":
        side = rng.choice((-1.0, 1.0))
        spot = np.array([side * 0.6 * radius, rng.uniform(-70, 45), rng.uniform(38, 58)], dtype=np.float32)
        return Mass(head.locate(spot), radius, None)
    surface, normals = head.template.surface, head.template.normals
    # Convexity and skull base, but neither the cut through the brainstem nor the underside of the cerebellum.
    allowed = np.flatnonzero((surface[:, 2] > -35) & (np.abs(surface[:, 0]) > 8) & (normals[:, 2] > -0.8))
    chosen = int(rng.choice(allowed))
    outward = normals[chosen]
    return Mass(head.locate(surface[chosen]) - outward * np.float32(0.55 * radius), radius * 1.15, outward)


def grow(rng: np.random.Generator, head: Head, place: str, volume_ml: float) -> Tumour:
    """Grow a meningioma of the given volume (mL) in a head."""
    mass = attach(rng, head, place, volume_ml)
    pushed = head.tissue(mass)
    distance = lobulated_distance(rng, pushed, mass)
    count = max(round(volume_ml / pushed.grid.voxel_ml), 4)
    threshold = np.partition(distance, count - 1)[count - 1]
    mask = distance <= threshold
    edge_mm = (distance - threshold) * np.float32(mass.radius)
    inside = np.where(mask, np.float32(1), np.float32(0))
    # A thin cleft of fluid between tumour and brain is what tells a mass outside the brain from one within.
    cleft = np.where(mask, 0, np.exp(-((edge_mm / np.float32(1.5)) ** 2))) * np.float32(rng.uniform(0.2, 0.8))
    csf = np.maximum(pushed.csf, cleft) * (1 - inside)
    solid = (1 - csf) / np.maximum(1 - pushed.csf, 1e-3) * (1 - inside)
    anatomy = replace(
        pushed,
        csf=csf,
        grey=pushed.grey * solid + inside,
        white=pushed.white * solid,
        texture=pushed.texture * (1 - inside),
    )
    effects = contrast(rng, anatomy, inside, edge_mm)
    return Tumour(place, float(mask.sum() * anatomy.grid.voxel_ml), mask, anatomy, effects)


def lobulated_distance(rng: np.random.Generator, anatomy: Anatomy, mass: Mass) -> Array:
    """Return a distance from the mass's centre in units of its radius, bulging at random, shape (n,)."""
    axes = rng.uniform(0.8, 1.25, size=3).astype(np.float32) * np.float32(mass.radius)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0].astype(np.float32)
    offset = turn @ (anatomy.world - mass.centre[:, None]) / axes[:, None]
    bulge = 1 + np.float32(0.16) * anatomy.field(rng, max(mass.radius * 0.8, 4.0))
    return np.asarray(np.sqrt((offset**2).sum(axis=0)) * np.clip(bulge, 0.7, 1.4), dtype=np.float32)


def contrast(rng: np.random.Generator, anatomy: Anatomy, inside: Array, edge_mm: Array) -> tuple[Effect, ...]:
    """Draw the tumour's brightness on each sequence, its inner structure, and oedema around some."""
    level = {
        "flair": float(rng.uniform(1.08, 1.45)),
        "dwi_b1000": float(rng.uniform(1.0, 1.5)),
        "t2s": float(rng.uniform(0.75, 1.35)),
        "swi": float(rng.uniform(0.55, 1.15)),
    }
    grain = np.clip(0.5 + 0.5 * anatomy.field(rng, 6.0), 0, 1) * inside
    effects = [Effect(inside, level), Effect(grain, {"flair": 0.9, "dwi_b1000": 0.88, "t2s": 0.75, "swi": 0.6})]
    if rng.uniform() < 0.4:
        reach = np.float32(rng.uniform(5, 14))
        ragged = edge_mm / reach + np.float32(0.3) * anatomy.field(rng, 15.0)
        oedema = anatomy.white * (1 - inside) / (1 + np.exp(np.clip((ragged - 1) * 6, -30, 30)))
        effects.append(Effect(oedema.astype(np.float32), at_strength({"flair": 2.0, "t2s": 1.3}, rng.uniform(0.5, 1))))
    return tuple(effects)
