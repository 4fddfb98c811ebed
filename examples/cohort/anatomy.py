"""One person's brain: the MNI152 template, warped, aged and read out as tissue fractions on a voxel grid."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from examples.cohort.grids import Array, Grid, smooth_noise, upsample

TEMPLATE_DIR = Path(__file__).parent / "template"
# The warp is computed on a coarse lattice, which has room for large and tilted heads, and splined to the grid.
LATTICE_MM = 8.0
LATTICE = Grid.covering((LATTICE_MM,) * 3, low=(-104.0, -144.0, -112.0), high=(104.0, 112.0, 120.0))
WARP_LENGTH_MM = 42.0
MARGIN_MM = 12.0  # at least 4 mm of empty space round the brain, given the lattice
WITHIN_SLICE = ndimage.generate_binary_structure(3, 1) & np.array([False, True, False])  # axial neighbours only
# Median intensity of each tissue in the T1 template, 0–255.
T1_CSF, T1_GREY, T1_WHITE = 68.0, 165.0, 222.0


@dataclass(frozen=True)
class Template:
    """The template's maps, each of shape (147, 184, 157) at 1 mm, and what follows from them.

    Attributes
    ----------
    origin
        World position (mm) of voxel (0, 0, 0).
    brain
        1 inside the brain with its cerebrospinal fluid, 0 outside.
    grey, white
        Tissue fractions, 0–1.
    texture
        What the T1 average shows beyond the tissue fractions, in units of the grey-white difference.
    ventricle_push
        Unit-height displacement away from the ventricles, shape (3, 74, 92, 79) at 2 mm.
    surface
        World positions (mm) on the outer surface of the brain, shape (n, 3).
    normals
        Outward unit normals at ``surface``, shape (n, 3).
    """

    origin: tuple[float, float, float]
    brain: Array
    grey: Array
    white: Array
    texture: Array
    ventricle_push: Array
    surface: Array
    normals: Array


@dataclass(frozen=True)
class Mass:
    """A mass that pushes the brain away: centre (mm), radius (mm) and outward direction (None: pushes all round)."""

    centre: Array
    radius: float
    outward: Array | None


@dataclass(frozen=True)
class Body:
    """What makes one person's brain differ from the template.

    Attributes
    ----------
    ventricle_mm
        How far the walls of the ventricles move outwards, mm.
    sulcal_power
        Exponent on the fluid fraction: below 1 widens sulci and thins the cortex.
    rotation
        Turn of the head about x, y and z, radians.
    stretch
        Size relative to the template along x, y and z.
    warp_mm
        Standard deviation of the smooth personal warp, mm.
    """

    ventricle_mm: float
    sulcal_power: float
    rotation: tuple[float, float, float]
    stretch: tuple[float, float, float]
    warp_mm: float


@dataclass(frozen=True)
class Anatomy:
    """Tissue on a grid, as vectors over the n voxels inside the brain.

    Attributes
    ----------
    grid
        The grid.
    inside
        Which voxels are brain, shape ``grid.shape``.
    world
        World positions of the brain voxels, mm, shape (3, n).
    mni
        Template positions of the same voxels, mm, shape (3, n).
    csf, grey, white
        Fractions that add to 1, shape (n,).
    texture
        The template's fine structure at each voxel, shape (n,).
    """

    grid: Grid
    inside: NDArray[np.bool_]
    world: Array
    mni: Array
    csf: Array
    grey: Array
    white: Array
    texture: Array

    def field(self, rng: np.random.Generator, length_mm: float) -> Array:
        """Draw a smooth random field (see `smooth_noise`) at the brain voxels, shape (n,)."""
        return smooth_noise(rng, self.grid, length_mm)[self.inside]


def read_map(name: str) -> tuple[Array, tuple[float, float, float]]:
    """Read one of the template's maps as float32 0–255 with the world position of its first voxel."""
    image: Any = nib.load(TEMPLATE_DIR / f"{name}.nii.gz")
    x, y, z = (float(value) for value in image.affine[:3, 3])
    return np.asarray(image.dataobj, dtype=np.float32), (x, y, z)


@cache
def load_template(slice_mm: float = 1.0) -> Template:
    """Load the template as seen through axial slices of the given thickness (mm)."""
    if slice_mm > 1:
        thin, size = load_template(), round(slice_mm)
        grey, white, texture = (
            np.asarray(ndimage.uniform_filter1d(volume, size, axis=2), dtype=np.float32)
            for volume in (thin.grey, thin.white, thin.texture)
        )
        return replace(thin, grey=grey, white=white, texture=texture)
    t1, origin = read_map("t1")
    grey, white = (read_map(name)[0] / np.float32(255) for name in ("grey", "white"))
    # The published mask leaves out the fluid round the optic chiasm, which no skull-stripping tool would cut out.
    brain = ndimage.binary_fill_holes(t1 > 0, structure=WITHIN_SLICE).astype(np.float32)
    csf = np.clip(brain - grey - white, 0, 1)
    expected = csf * T1_CSF + grey * T1_GREY + white * T1_WHITE
    # Clipped, because the outermost voxels of the average, where not every brain has tissue, are far too dark.
    beyond = np.where(t1 > 0, (t1 - expected) / (T1_WHITE - T1_GREY), 0)
    texture = np.asarray(np.clip(beyond, -0.6, 0.6), dtype=np.float32)
    coarse = brain[::2, ::2, ::2]
    surface, normals = brain_surface(coarse, origin)
    push = ventricle_push(coarse, csf[::2, ::2, ::2])
    return Template(origin, brain, grey, white, texture, push, surface, normals)


def brain_surface(coarse: Array, origin: tuple[float, float, float]) -> tuple[Array, Array]:
    """Return world positions (mm) and outward normals on the surface of a 2 mm brain mask, both of shape (n, 3)."""
    solid = np.pad(coarse, 3)
    shell = (solid > 0) & ~ndimage.binary_erosion(solid > 0)
    slope = gradient(ndimage.gaussian_filter(solid, 2.0))[:, shell].T
    normals = -slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    positions = (np.argwhere(shell) - 3) * 2.0 + np.asarray(origin)
    return positions.astype(np.float32), normals.astype(np.float32)


def ventricle_push(coarse: Array, csf: Array) -> Array:
    """Return a smooth displacement away from the ventricles, greatest length 1, shape (3, *coarse.shape) at 2 mm."""
    depth = ndimage.distance_transform_edt(np.pad(coarse, 1))[1:-1, 1:-1, 1:-1] * 2.0
    ventricles = np.where(depth > 24, csf, 0).astype(np.float32)
    slope = gradient(ndimage.gaussian_filter(ventricles, 3.0))
    return np.asarray(-slope / np.sqrt((slope**2).sum(axis=0).max()), dtype=np.float32)


def gradient(volume: Array) -> Array:
    """Return the gradient per voxel of a volume, shape (3, *volume.shape)."""
    parts: list[Array] = list(np.gradient(volume))
    return np.stack(parts)


def rotation_matrix(angles: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the rotation about x, then y, then z by the given angles in radians, shape (3, 3)."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def make_way(points: Array, mass: Mass) -> Array:
    """Return where tissue at ``points`` (3, ...) came from, mm, before a mass grew and pushed it there."""
    offset = points - mass.centre.reshape(3, 1, 1, 1)
    distance = np.sqrt((offset**2).sum(axis=0)) + np.float32(1e-3)
    give = np.full_like(distance, 0.6)
    if mass.outward is not None:
        # Bone does not give: only tissue on the inner side of the mass moves.
        height = np.tensordot(mass.outward, offset, axes=(0, 0)) / np.float32(mass.radius)
        give *= np.clip(np.float32(0.5) - height, 0, 1)
    before = np.cbrt(np.maximum(distance**3 - give * np.float32(mass.radius**3), 0))
    return np.asarray(mass.centre.reshape(3, 1, 1, 1) + offset * (before / distance), dtype=np.float32)


class Head:
    """One person's head: the warp and the field of view first, tissue when asked for.

    Parameters
    ----------
    rng
        Source of the personal warp.
    spacing
        Voxel edges of the grid to image on, mm.
    body
        How the person differs from the template.
    """

    def __init__(self, rng: np.random.Generator, spacing: tuple[float, float, float], body: Body) -> None:
        self.body = body
        self.template = load_template(spacing[2])
        wobble = [smooth_noise(rng, LATTICE, WARP_LENGTH_MM) for _ in range(3)]
        self.wobble = np.stack(wobble) * np.float32(body.warp_mm)
        self.grid = self.frame(spacing)

    def frame(self, spacing: tuple[float, float, float]) -> Grid:
        """Return a grid round the whole brain."""
        where = self.to_template() - self.corner()
        ends = np.asarray(self.template.brain.shape, dtype=np.float32).reshape(3, 1, 1, 1) - 1
        occupied = np.argwhere(((where >= 0) & (where <= ends)).all(axis=0))
        # The template's box is cut close to the brain, so a lattice point in it is near brain or almost so.
        low = occupied.min(axis=0) * LATTICE_MM + np.asarray(LATTICE.origin) - MARGIN_MM
        high = occupied.max(axis=0) * LATTICE_MM + np.asarray(LATTICE.origin) + MARGIN_MM
        return Grid.covering(spacing, (low[0], low[1], low[2]), (high[0], high[1], high[2]))

    def corner(self) -> Array:
        """Return the template position (mm) of the template's first voxel, shape (3, 1, 1, 1)."""
        return np.asarray(self.template.origin, dtype=np.float32).reshape(3, 1, 1, 1)

    def to_template(self, mass: Mass | None = None) -> Array:
        """Return the template position (mm) of every lattice point, shape (3, *LATTICE.shape)."""
        points = LATTICE.points()
        if mass is not None:
            points = make_way(points, mass)
        turn = rotation_matrix(self.body.rotation) / np.asarray(self.body.stretch)[:, None]
        mni = np.tensordot(turn.astype(np.float32), points, axes=(1, 0)) + self.wobble
        where = (mni - self.corner()) / 2
        push = np.stack([ndimage.map_coordinates(part, where, order=1) for part in self.template.ventricle_push])
        return np.asarray(mni - np.float32(self.body.ventricle_mm) * push, dtype=np.float32)

    def locate(self, mni: Array) -> Array:
        """Return the world position (mm) that lies at a template position (mm)."""
        at = self.to_template()
        nearest = int(np.argmin(((at - mni.reshape(3, 1, 1, 1)) ** 2).sum(axis=0)))
        point = LATTICE.points().reshape(3, -1)[:, nearest]
        # Between lattice points the warp is close to a shift.
        return np.asarray(point + (mni - at.reshape(3, -1)[:, nearest]), dtype=np.float32)

    def tissue(self, mass: Mass | None = None) -> Anatomy:
        """Warp the template onto the grid and return its tissue there."""
        mni = np.stack([upsample(part, self.grid, LATTICE.axes()) for part in self.to_template(mass)])
        where = mni - self.corner()
        inside = ndimage.map_coordinates(self.template.brain, where, order=0) > 0.5
        where = where[:, inside]
        grey, white, texture = (
            ndimage.map_coordinates(volume, where, order=1)
            for volume in (self.template.grey, self.template.white, self.template.texture)
        )
        fluid = np.clip(1 - grey - white, 1e-4, 1)
        csf = fluid ** np.float32(self.body.sulcal_power)
        solid = np.clip((1 - csf) / np.maximum(1 - fluid, 1e-4), 0, None)
        world = self.grid.points()[:, inside]
        return Anatomy(self.grid, inside, world, mni[:, inside], csf, grey * solid, white * solid, texture)
