"""Veins of the head, which the brain template does not have: thin tubes along lines in MNI coordinates, millimetres."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gyrus.console.sample.phantom import TEMPLATE_ORIGIN_MM, Floats, Head

Point = tuple[float, float, float]
STEP_MM: Final = 0.4

SAGITTAL_SINUS = (
    (0, 56, -4),
    (0, 67, 22),
    (0, 56, 48),
    (0, 22, 70),
    (0, -20, 78),
    (0, -60, 70),
    (0, -92, 40),
    (0, -105, 8),
    (0, -100, -14),
)
STRAIGHT_SINUS = ((0, -40, 4), (0, -60, -2), (0, -98, -12))
INTERNAL = ((2, 2, 12), (3, -18, 14), (0, -40, 4))
SEPTAL = ((2, 2, 12), (7, 18, 10), (14, 27, 14))
# Veins that run up from the ventricle's roof into the white matter: where along it, front-back; how far they drift and reach. No two alike.
MEDULLARY = {
    -1: ((-47, 5, 20), (-36, -3, 11), (-28, 4, 24), (-13, -6, 16), (-5, 2, 9), (9, 5, 18)),
    1: ((-43, -4, 14), (-31, 6, 23), (-22, -2, 10), (-16, 3, 19), (1, -5, 22), (12, 3, 12)),
}


def veins(head: Head) -> Floats:
    """How much of each voxel is venous blood, 0..1, on the template's grid."""
    mask = np.zeros(head.shape, dtype=bool)
    for line, radius_mm in _tubes():
        for centre in _along(line):
            _fill(mask, centre, radius_mm)
    return mask.astype(np.float32)


def _tubes() -> Iterator[tuple[Sequence[Point], float]]:
    yield SAGITTAL_SINUS, 2.8
    yield STRAIGHT_SINUS, 2.0
    for side in (-1, 1):
        yield _on(side, INTERNAL), 1.1
        yield _on(side, SEPTAL), 0.8
        for y, drift, reach in MEDULLARY[side]:
            bend = (20 + reach * 0.5, y + drift * 0.7, 22 + reach * 0.4)
            yield _on(side, ((19, y, 22), bend, (20 + reach, y + drift, 22 + reach))), 0.5 + reach / 80


def _on(side: int, line: Sequence[Point]) -> list[Point]:
    return [(side * x, y, z) for x, y, z in line]


def _along(line: Sequence[Point]) -> Iterator[NDArray[np.float64]]:
    for one, other in pairwise(line):
        start, stop = np.array(one, dtype=float), np.array(other, dtype=float)
        for part in np.arange(0, 1, STEP_MM / np.linalg.norm(stop - start)):
            yield start + part * (stop - start)


def _fill(mask: NDArray[np.bool_], centre_mm: NDArray[np.float64], radius_mm: float) -> None:
    voxel = centre_mm - TEMPLATE_ORIGIN_MM
    reach = int(np.ceil(radius_mm))
    near = np.stack(np.meshgrid(*(np.arange(-reach, reach + 1),) * 3, indexing="ij"), axis=-1).reshape(-1, 3) + np.rint(voxel).astype(int)
    inside = near[np.linalg.norm(near - voxel, axis=1) <= max(radius_mm, 0.6)]
    inside = inside[((inside >= 0) & (inside < mask.shape)).all(axis=1)]
    mask[tuple(inside.T)] = True
