"""Slices of a tilted gantry, each shifted beside the one before, become a straight volume: each is sampled where the others lie. Pure."""

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
    for axis, shear_mm in ((2, volume.shear_mm[0]), (1, volume.shear_mm[1])):
        step = shear_mm / volume.space.spacing_mm[2 - axis]
        array, before = _shifted(array, axis, step)
        origin = origin - volume.space.matrix[:, 2 - axis] * before * volume.space.spacing_mm[2 - axis]
    space = Space(tuple(map(float, origin)), volume.space.spacing_mm, volume.space.direction)
    return replace(volume, array=array, space=space, shear_mm=(0.0, 0.0))


def _shifted(array: NDArray[Any], axis: int, step: float) -> tuple[NDArray[Any], int]:
    """Each slice shifted by `step` voxels more than the one before, and how many voxels there are now before the first."""
    if not step:
        return array, 0
    n, last = array.shape[axis], step * (len(array) - 1)
    before, after = math.ceil(max(0.0, -last)), math.ceil(max(0.0, last))
    shape = [length + before + after if at == axis else length for at, length in enumerate(array.shape)]
    made = np.empty(shape, array.dtype)
    nothing = array.min()
    for number, image in enumerate(array):
        places = np.arange(-before, n + after) - step * number
        moved = Sampling(slice(None), len(places), tuple(blocks_at(places, n, ROWS)))
        values = sampled(image.astype(np.float64)[None], axis, moved)
        beside = (places < -0.5) | (places >= n - 0.5)
        values[(slice(None), beside) if axis == 1 else (slice(None), slice(None), beside)] = nothing
        made[number] = typed(values, array.dtype)[0]
    return made, before
