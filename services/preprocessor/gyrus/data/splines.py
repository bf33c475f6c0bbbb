"""How one axis is sampled with a cubic B-spline: a small matrix, or a mere choice of voxels. Pure.

On a grid whose axes are those of the image the interpolation is separable: each axis has a matrix from its voxels to its samples, the
product of the spline's prefilter (whole-sample mirror at both ends) and of the four cubic weights at each sample. Crop and flip are rows
that are left out and columns that are turned round. A sample that lies beyond the outermost half voxel is 0, as in ITK.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

POLE: Final = 3**0.5 - 2  # of the prefilter of the cubic B-spline; its response falls by this factor from voxel to voxel
LEAST_WEIGHT: Final = 1e-13  # weights below it change no value that is told apart
SAME_WEIGHT: Final = 1e-9  # a sample lies on a voxel if all other voxels weigh less together

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ruler:
    """Where the samples of one axis lie: sample k at voxel k × step_mm / spacing_mm, counted from the far end if flipped."""

    n: int  #: voxels
    spacing_mm: float  #: between voxels
    step_mm: float  #: between samples
    start: int  #: of the first sample
    size: int  #: samples
    flipped: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Samples first to first + len(matrix), made of the voxels from `column` on."""

    first: int
    column: int
    matrix: Matrix  #: samples × voxels


@dataclass(frozen=True, eq=False, slots=True)
class Sampling:
    """What an axis goes through: a choice of voxels (may run backwards), then the matrix, in blocks, if there is one."""

    choice: slice
    size: int
    blocks: tuple[Block, ...] = ()

    def share(self, n: int) -> float:
        """Samples for each voxel that is read: the smaller, the sooner the axis is worth doing."""
        return self.size / len(range(*self.choice.indices(n)))


@lru_cache(maxsize=64)
def sampling(ruler: Ruler) -> Sampling:
    """How an axis is sampled. Remembered, since the slices of a scanner repeat."""
    matrix = weights(ruler)
    voxels = matrix.argmax(axis=1)
    others = np.abs(matrix).sum(axis=1) - matrix.max(axis=1)
    if matrix.max(axis=1).min() > 0.5 and others.max() < SAME_WEIGHT:
        return Sampling(_as_slice(voxels), ruler.size)
    used = np.flatnonzero((np.abs(matrix) > LEAST_WEIGHT).any(axis=0))
    first, last = (int(used[0]), int(used[-1])) if used.size else (0, 0)
    return Sampling(slice(first, last + 1), ruler.size, _blocks(matrix[:, first : last + 1], ruler))


def weights(ruler: Ruler) -> Matrix:
    """The whole matrix of an axis, (size, n)."""
    places = np.arange(ruler.start, ruler.start + ruler.size, dtype=np.float64) * ruler.step_mm / ruler.spacing_mm
    matrix = weights_at(places, ruler.n)
    return np.ascontiguousarray(matrix[:, ::-1]) if ruler.flipped else matrix


def weights_at(places: NDArray[np.float64], n: int) -> Matrix:
    """The weights of n voxels in samples at places, which count in voxels; (samples, n)."""
    corner = np.floor(places).astype(int)
    matrix = np.zeros((len(places), n))
    for offset, weight in enumerate(_cubic(places - corner), -1):
        matrix += weight[:, None] * _prefilter(_mirrored(corner + offset, n), n)
    matrix[(places < -0.5) | (places >= n - 0.5)] = 0
    return matrix


def _cubic(part: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The weights of the four coefficients around a place that lies `part` of a voxel behind the second of them."""
    rest = 1 - part
    near, far = (4 + (3 * t - 6) * t * t for t in (part, rest))
    return rest**3 / 6, near / 6, far / 6, part**3 / 6


def _mirrored(index: NDArray[np.int_], n: int) -> NDArray[np.int_]:
    period = max(2 * n - 2, 1)
    index = np.abs(index) % period
    return np.where(index < n, index, period - index)


def _prefilter(rows: NDArray[np.int_], n: int) -> Matrix:
    """Rows of the prefilter: what each voxel contributes to a coefficient, with its mirror images."""
    if n == 1:
        return np.ones((len(rows), 1))
    period = 2 * n - 2
    distance = np.arange(period + 1)
    response = 3**0.5 * (POLE**distance + POLE ** (period - distance)) / (1 - POLE**period)
    columns = np.arange(n)
    direct: Matrix = response[np.abs(rows[:, None] - columns)]
    direct[:, 1:-1] += response[rows[:, None] + columns[1:-1]]
    return direct


def _as_slice(voxels: NDArray[np.int_]) -> slice:
    first, last = int(voxels[0]), int(voxels[-1])
    step = int(voxels[1]) - first if len(voxels) > 1 else 1
    stop = last + (1 if step > 0 else -1)
    return slice(first, None if stop < 0 else stop, step)


def _blocks(matrix: Matrix, ruler: Ruler) -> tuple[Block, ...]:
    """The matrix without its far corners of nothing: its band is as wide as the prefilter reaches, some 23 voxels each way."""
    rows = int(np.clip(48 * ruler.spacing_mm / ruler.step_mm, 8, 32))
    blocks = []
    for first in range(0, ruler.size, rows):
        part = matrix[first : first + rows]
        used = np.flatnonzero((np.abs(part) > LEAST_WEIGHT).any(axis=0))
        column, end = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        blocks.append(Block(first, column, np.ascontiguousarray(part[:, column:end])))
    return tuple(blocks)
