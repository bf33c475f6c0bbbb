"""Slices that lie beside each other, or at uneven steps, become a volume on a regular grid. Pure.

Those of a tilted gantry, each shifted beside the one before, are sampled where the others lie. Where uneven steps were allowed, slices at
even steps are interpolated linearly between their neighbours.
"""

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gyrus.data.resampling import sampled, typed
from gyrus.data.splines import Sampling, blocks_at
from gyrus.data.threads import one_thread
from gyrus.dicom.pixels import VolumeArray
from gyrus.dicom.space import Space

ROWS: Final = 32  # samples at once


def rectilinear(volume: VolumeArray) -> VolumeArray:
    """The same volume on a regular grid at right angles."""
    return regridded(straightened(volume))


def regridded(volume: VolumeArray) -> VolumeArray:
    """Slices at even steps, the usual one, from the first to the last height; an even volume is given back as it is."""
    if not volume.heights_mm:
        return volume
    heights, step = np.array(volume.heights_mm), volume.space.spacing_mm[2]
    wanted = np.arange(int(heights[-1] / step + 1e-6) + 1) * step
    after = np.clip(np.searchsorted(heights, wanted, side="right"), 1, len(heights) - 1)
    part = ((wanted - heights[after - 1]) / (heights[after] - heights[after - 1])).clip(0, 1)[:, None, None]
    values = volume.array[after - 1] * (1 - part) + volume.array[after] * part
    return replace(volume, array=typed(values, volume.array.dtype), heights_mm=())


def straightened(volume: VolumeArray) -> VolumeArray:
    """The same volume without shear; a straight one is given back as it is.

    The box grows so that no voxel is lost. What lies beside a slice gets the lowest value of the volume: air in CT.
    """
    if not any(volume.shear_mm):
        return volume
    with one_thread():
        return _straightened(volume)


def _straightened(volume: VolumeArray) -> VolumeArray:
    array, origin = volume.array, np.array(volume.space.origin_mm)
    steps = np.array(volume.heights_mm) / volume.space.spacing_mm[2] if volume.heights_mm else np.arange(len(array), dtype=np.float64)
    for axis, shear_mm in ((2, volume.shear_mm[0]), (1, volume.shear_mm[1])):
        array, before = _shifted(array, axis, steps * shear_mm / volume.space.spacing_mm[2 - axis])
        origin = origin - volume.space.matrix[:, 2 - axis] * before * volume.space.spacing_mm[2 - axis]
    space = Space(tuple(map(float, origin)), volume.space.spacing_mm, volume.space.direction)
    return replace(volume, array=array, space=space, shear_mm=(0.0, 0.0))


def _shifted(array: NDArray[Any], axis: int, shifts: NDArray[np.float64]) -> tuple[NDArray[Any], int]:
    """Each slice shifted by its number of voxels, and how many voxels there are now before the first."""
    if not shifts.any():
        return array, 0
    n, last = array.shape[axis], float(shifts[-1])
    before, after = math.ceil(max(0.0, -last)), math.ceil(max(0.0, last))
    shape = [length + before + after if at == axis else length for at, length in enumerate(array.shape)]
    made = np.empty(shape, array.dtype)
    nothing = array.min()
    for number, (image, shift) in enumerate(zip(array, shifts, strict=True)):
        places = np.arange(-before, n + after) - shift
        moved = Sampling(slice(None), len(places), tuple(blocks_at(places, n, ROWS)))
        values = sampled(image.astype(np.float64)[None], axis, moved)
        beside = (places < -0.5) | (places >= n - 0.5)
        values[(slice(None), beside) if axis == 1 else (slice(None), slice(None), beside)] = nothing
        made[number] = typed(values, array.dtype)[0]
    return made, before
