"""Laws of volumes, whatever the image: turning loses nothing, the crop lies within, and brighter is never darker."""

from itertools import permutations, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gyrus.data.intensity import WINDOWS_HU, Range, Toner, tone_of
from gyrus.data.preparing import gridded
from gyrus.dicom.pixels import VolumeArray
from gyrus.dicom.space import Space

DIRECTIONS = [
    np.eye(3)[:, list(axes)] * signs for axes in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)
]  # every way in which an image may lie along the patient's axes


def a_volume(direction: NDArray[np.float64], size: tuple[int, int, int], seed: int) -> VolumeArray:
    """Columns, rows, slices of 1 × 1 × 4 mm: samples of the grid lie on voxels."""
    array = np.random.default_rng(seed).integers(-1000, 3000, size[::-1]).astype(np.int16)
    space = Space((3.0, -7.0, 11.0), (1.0, 1.0, 4.0), tuple(map(float, direction.ravel())))
    return VolumeArray(array, space, "MR", hounsfield=True)


def points(volume: VolumeArray) -> NDArray[np.float64]:
    """Where the voxels lie in the patient, (voxels, 3), in the order of the array."""
    slices, rows, columns = volume.array.shape
    index = np.stack(np.meshgrid(np.arange(slices), np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 3)[:, ::-1]
    return np.asarray(volume.space.origin_mm + (index * volume.space.spacing_mm) @ volume.space.matrix.T)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(DIRECTIONS), st.integers(16, 40), st.integers(41, 60), st.integers(4, 14), st.integers(0, 99))
def test_each_voxel_of_the_grid_is_the_voxel_that_lies_there_however_the_image_lay(
    direction: NDArray[np.float64], columns: int, rows: int, slices: int, seed: int
) -> None:
    volume = a_volume(direction, (columns, rows, slices), seed)

    found, _ = gridded(volume)

    back = (points(found) - volume.space.origin_mm) @ volume.space.matrix / volume.space.spacing_mm
    index = np.rint(back).astype(int)
    assert np.abs(back - index).max() < 1e-6
    assert (index >= 0).all() and (index < (columns, rows, slices)).all()
    assert np.array_equal(found.array.ravel(), volume.array[index[:, 2], index[:, 1], index[:, 0]])


@given(st.lists(st.integers(-4000, 4000), min_size=2, max_size=200), st.sampled_from(sorted(WINDOWS_HU)))
def test_what_is_denser_is_never_darker_in_any_window(values: list[int], window: str) -> None:
    ordered = np.sort(np.array(values, np.int16))
    shown = tone_of(ordered, "ct").ranges[window]
    toner = Toner(ordered)

    assert (np.diff(toner.to_bytes(shown).astype(int)) >= 0).all()
    assert (np.diff(toner.fractions(shown)) >= 0).all()
    assert toner.to_bytes(shown).max() <= 254


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=200), st.floats(-1e5, 1e5), st.floats(1e-2, 1e5))
def test_what_is_brighter_is_never_darker_between_any_limits(values: list[float], lower: float, width: float) -> None:
    shown = Toner(np.sort(np.array(values, np.float32))).to_bytes(Range(lower, lower + width))

    assert (np.diff(shown.astype(int)) >= 0).all()
