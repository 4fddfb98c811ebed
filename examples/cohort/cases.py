"""One case: from its order in the roster to its files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.cohort import meningioma, writing
from examples.cohort.anatomy import Anatomy, Head
from examples.cohort.brain_age import draw_body, spread_ages
from examples.cohort.grids import Point
from examples.cohort.infarct import MIMICS, STROKES, blob_centre, infarct, mimic, signal_loss
from examples.cohort.scanner import ORIENTATIONS, SPACINGS_1MM, SPACINGS_2MM, acquire, draw_acquisition, store
from examples.cohort.sequences import Effect, synthesise

SPLITS = ("validation", "finetuning")
TASKS = (1, 2, 3)


@dataclass(frozen=True)
class Order:
    """What one case is to be.

    Attributes
    ----------
    seed, split, task, index
        Together they seed the case's own random numbers.
    name
        The case's folder, such as ``sub_001``; says nothing about the case.
    kind
        What it shows: a kind of infarct or mimic, a place for a tumour, or ``"healthy"``.
    tumour_ml
        Volume wanted of a tumour, mL; 0 without one.
    age
        Years.
    spacing
        Voxel edges along x, y and z, mm.
    orientation
        Stored order of the axes, such as ``"LPS"``.
    susceptibility
        ``"t2s"`` or ``"swi"``; unused in task 3.
    """

    seed: int
    split: str
    task: int
    index: int
    name: str
    kind: str
    tumour_ml: float
    age: float
    spacing: tuple[float, float, float]
    orientation: str
    susceptibility: str

    @property
    def sequences(self) -> tuple[str, ...]:
        """Names of the volumes to write."""
        if self.task == 1:
            return ("flair", "dwi_b1000", "adc", self.susceptibility)
        return ("flair", "dwi_b1000", self.susceptibility) if self.task == 2 else ("t1", "t2")


@dataclass(frozen=True)
class Truth:
    """What one case shows, as ``cohort.json`` tells it: volumes in mL, positions in mm (world), age in years."""

    split: str
    task: int
    case: str
    reference: str
    finding: str
    mimic: str
    lesion_ml: float
    strength: float
    lesion_centre: Point | None
    age: float
    spacing: tuple[float, ...]
    orientation: str
    sequences: tuple[str, ...]


def deal(rng: np.random.Generator, cards: tuple[str, ...], count: int) -> list[str]:
    """Return ``count`` cards, each as often as the others, in random order."""
    return [cards[(i + 1) % len(cards)] for i in rng.permutation(count)]


def roster(seed: int, split: str, task: int, count: int, full: bool) -> list[Order]:
    """Return the orders of one task: kinds, scanners and ages are dealt independently, so none gives another away."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split), task]))
    spacings = SPACINGS_1MM if full else SPACINGS_2MM
    kinds, volumes = ["healthy"] * count, [0.0] * count
    if task == 1:
        half = count // 2 + int(rng.integers(2)) * (count % 2)
        kinds = deal(rng, tuple(STROKES), half) + deal(rng, MIMICS, count - half)
        kinds = [kinds[i] for i in rng.permutation(count)]
    elif task == 2:
        kinds, volumes = deal(rng, ("surface", "surface", "falx"), count), meningioma.spread_volumes(rng, count)
    ages = spread_ages(rng, count)
    spacing_of = rng.permutation(count)
    orientations = deal(rng, ORIENTATIONS, count)
    susceptibilities = deal(rng, ("t2s", "swi"), count)
    width = max(3, len(str(count)))
    return [
        Order(
            seed=seed,
            split=split,
            task=task,
            index=i,
            name=f"sub_{i + 1:0{width}d}",
            kind=kinds[i],
            tumour_ml=volumes[i],
            age=ages[i],
            spacing=spacings[int(spacing_of[i]) % len(spacings)],
            orientation=orientations[i],
            susceptibility=susceptibilities[i],
        )
        for i in range(count)
    ]


@dataclass(frozen=True)
class Brain:
    """A brain ready to be imaged: its tissue, what changes signal in it, and what the truth records."""

    anatomy: Anatomy
    effects: tuple[Effect, ...]
    finding: str
    mimic: str
    lesion_ml: float
    strength: float
    centre_mm: Point | None
    mask: NDArray[np.bool_] | None


def build_brain(rng: np.random.Generator, order: Order) -> Brain:
    """Grow the brain that an order asks for."""
    head = Head(rng, order.spacing, draw_body(rng, order.age))
    if order.task == 2:
        tumour = meningioma.grow(rng, head, order.kind, order.tumour_ml)
        centre = blob_centre(tumour.anatomy, tumour.mask.astype(np.float32))
        effects = (signal_loss(tumour.anatomy, rng.uniform(0.3, 1)), *tumour.effects)
        return Brain(tumour.anatomy, effects, tumour.place, "none", tumour.volume_ml, 1.0, centre, tumour.mask)
    anatomy = head.tissue()
    if order.task == 3:
        return Brain(anatomy, (), "healthy", "none", 0.0, 0.0, None, None)
    loss = signal_loss(anatomy, rng.uniform(0.3, 1))
    if order.kind in STROKES:
        # A quarter of the infarcts have a mimic beside them, so that finding one proves nothing.
        beside = mimic(rng, anatomy, "none" if rng.uniform() < 0.75 else str(rng.choice(MIMICS[2:])))
        found = infarct(rng, anatomy, order.kind)
        effects = (loss, *beside.effects, *found.effects)
        return Brain(anatomy, effects, found.kind, beside.kind, found.volume_ml, found.strength, found.centre_mm, None)
    beside = mimic(rng, anatomy, order.kind)
    return Brain(anatomy, (loss, *beside.effects), "none", beside.kind, 0.0, 0.0, None, None)


def make_case(root: Path, order: Order) -> Truth:
    """Make one case and write its volumes and reference under ``root``."""
    entropy = [order.seed, SPLITS.index(order.split), order.task, order.index + 1]
    rng = np.random.default_rng(np.random.SeedSequence(entropy))
    brain = build_brain(rng, order)
    grid = brain.anatomy.grid
    spacing: tuple[float, ...] = ()
    for sequence in order.sequences:
        signal = synthesise(sequence, brain.anatomy, brain.effects)
        volume = acquire(signal, brain.anatomy, draw_acquisition(rng, sequence), rng)
        stored = store(volume, grid.affine, order.orientation)
        spacing = tuple(float(edge) for edge in np.linalg.norm(stored.affine[:3, :3], axis=0).round(4))
        writing.write_volume(writing.volume_path(root, order.split, order.task, order.name, sequence), stored)
    reference = f"{order.age}" if order.task == 3 else str(int(order.kind in STROKES))
    path = writing.reference_path(root, order.split, order.task, order.name)
    if brain.mask is None:
        writing.write_text(path, f"{reference}\n")
    else:
        reference = "seg.nii.gz"
        mask = writing.mask_volume(brain.mask, brain.anatomy.inside)
        writing.write_volume(path, store(mask, grid.affine, order.orientation))
    return Truth(
        split=order.split,
        task=order.task,
        case=order.name,
        reference=reference,
        finding=brain.finding,
        mimic=brain.mimic,
        lesion_ml=round(brain.lesion_ml, 4),
        strength=round(brain.strength, 4),
        lesion_centre=brain.centre_mm,
        age=order.age,
        spacing=spacing,
        orientation=order.orientation,
        sequences=order.sequences,
    )
