"""How one axis is sampled with a cubic B-spline: a small matrix, or a mere choice of voxels. Pure.

On a grid whose axes are those of the image the interpolation is separable: each axis has a matrix from its voxels to its samples, the
product of the spline's prefilter (whole-sample mirror at both ends) and of the four cubic weights at each sample. Crop and flip are rows
that are left out and columns that are turned round. A sample that lies beyond the outermost half voxel is 0, as in ITK.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

POLE: Final = 3**0.5 - 2  # of the prefilter of the cubic B-spline; its response falls by this factor from voxel to voxel
REACH: Final = 26  # voxels: POLE**REACH is 1e-15
ON_A_VOXEL: Final = 2e-10  # of a voxel: nearer than that a sample lies on it; the others weigh less than 1e-9 then

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
    places = np.arange(ruler.start, ruler.start + ruler.size, dtype=np.float64) * ruler.step_mm / ruler.spacing_mm
    voxels = np.rint(places).astype(int)
    if np.abs(places - voxels).max() < ON_A_VOXEL and voxels.max() < ruler.n:
        return Sampling(_as_slice(ruler.n - 1 - voxels if ruler.flipped else voxels), ruler.size)
    rows = int(np.clip(48 * ruler.spacing_mm / ruler.step_mm, 8, 32))
    blocks = [_flipped(block, ruler.n) if ruler.flipped else block for block in blocks_at(places, ruler.n, rows)]
    first = min(block.column for block in blocks)
    last = max(block.column + block.matrix.shape[1] for block in blocks)
    return Sampling(slice(first, last), ruler.size, tuple(Block(block.first, block.column - first, block.matrix) for block in blocks))


def blocks_at(places: NDArray[np.float64], n: int, rows: int) -> list[Block]:
    """The weights of n voxels in samples at places, which count in voxels, without the far corners where they are nothing."""
    blocks = []
    for first in range(0, len(places), rows):
        part = places[first : first + rows]
        low = min(max(0, math.floor(part.min()) - REACH), n - 1)
        high = max(min(n, math.floor(part.max()) + REACH + 1), low + 1)
        blocks.append(Block(first, low, weights_at(part, n, low, high)))
    return blocks


def weights_at(places: NDArray[np.float64], n: int, low: int, high: int) -> Matrix:
    """The weights of the voxels from low to high, of n, in samples at places; (samples, high - low)."""
    corner = np.floor(places).astype(int)
    matrix = np.zeros((len(places), high - low))
    for offset, weight in enumerate(_cubic(places - corner), -1):
        matrix += weight[:, None] * _prefilter(_mirrored(corner + offset, n), n, low, high)
    matrix[(places < -0.5) | (places >= n - 0.5)] = 0
    return matrix


def _flipped(block: Block, n: int) -> Block:
    return Block(block.first, n - block.column - block.matrix.shape[1], np.ascontiguousarray(block.matrix[:, ::-1]))


def _cubic(part: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The weights of the four coefficients around a place that lies `part` of a voxel behind the second of them."""
    rest = 1 - part
    near, far = (4 + (3 * t - 6) * t * t for t in (part, rest))
    return rest**3 / 6, near / 6, far / 6, part**3 / 6


def _mirrored(index: NDArray[np.int_], n: int) -> NDArray[np.int_]:
    period = max(2 * n - 2, 1)
    index = np.abs(index) % period
    return np.where(index < n, index, period - index)


def _prefilter(rows: NDArray[np.int_], n: int, low: int, high: int) -> Matrix:
    """Rows of the prefilter: what each voxel contributes to a coefficient, with its mirror images."""
    if n == 1:
        return np.ones((len(rows), 1))
    columns = np.arange(low, high)
    response = _response(n)
    direct: Matrix = response[np.abs(rows[:, None] - columns)]
    has_mirror = (columns > 0) & (columns < n - 1)
    direct[:, has_mirror] += response[rows[:, None] + columns[has_mirror]]
    return direct


@lru_cache(maxsize=64)
def _response(n: int) -> Matrix:
    """Of the prefilter at each distance, on a line of n voxels that is mirrored at both ends for ever."""
    period = 2 * n - 2
    distance = np.arange(period + 1)
    made: Matrix = 3**0.5 * (POLE**distance + POLE ** (period - distance)) / (1 - POLE**period)
    return made


def _as_slice(voxels: NDArray[np.int_]) -> slice:
    first, last = int(voxels[0]), int(voxels[-1])
    step = int(voxels[1]) - first if len(voxels) > 1 else 1
    stop = last + (1 if step > 0 else -1)
    return slice(first, None if stop < 0 else stop, step)
