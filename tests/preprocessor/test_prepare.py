"""A stack becomes model-ready bytes on a 1 x 1 x 4 mm grid, and a picture a person recognises."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gyrus.data.grid import slice_axis_of
from gyrus.data.intensity import Toner, tone_of
from gyrus.data.preparing import Prepared, gridded
from gyrus.dicom.pixels import Refused, VolumeArray
from gyrus.dicom.space import Space
from gyrus.preprocessor.core.pictures import HEIGHT_PX, MONTAGE, THUMBNAIL, middle_planes, pictures_of, pictures_of_stack, shown_of
from gyrus.preprocessor.core.prepare import prepare, prepare_volume
from preprocessor.synthetic import AXIAL, CORONAL, CROWN, LEFT_EAR, NOSE, ORIENTATIONS, SAGITTAL, Stack, write_stack


def prepared(folder: Path, mode: str = "mri", **told: Any) -> Prepared:
    return prepare(write_stack(folder, **told), mode).prepared


def a_volume(array: np.ndarray, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 4.0)) -> VolumeArray:
    """An axial volume; slices from the feet up."""
    return VolumeArray(array, Space((0.0, 0.0, 0.0), spacing_mm, (1, 0, 0, 0, 1, 0, 0, 0, 1)), "MR", hounsfield=True)


def noise(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 1000, shape).astype(np.int16)


def centre_of(plane: np.ndarray, brightness: int) -> tuple[float, float]:
    """Where a mark lies in a plane, as parts of its height and width. The crown is the brightest."""
    expected = brightness / CROWN * 254
    rows, columns = np.nonzero(np.abs(plane.astype(float) - expected) < 8)
    return float(np.median(rows)) / plane.shape[0], float(np.median(columns)) / plane.shape[1]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_head_is_never_upside_down_and_left_is_on_the_right(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    stack = Stack(orientation=orientation, size=(64, 64, 40), spacing_mm=(2.5, 2.5, 4.0))
    planes = [plane.pixels for plane in middle_planes(shown_of(prepare(write_stack(tmp_path, stack), "mri").prepared))]
    axial, coronal, sagittal = planes

    assert centre_of(axial, NOSE)[0] < 0.3
    assert centre_of(axial, LEFT_EAR)[1] > 0.65
    assert centre_of(coronal, CROWN)[0] < 0.3
    assert centre_of(coronal, LEFT_EAR)[1] > 0.65
    assert centre_of(sagittal, CROWN)[0] < 0.3
    assert centre_of(sagittal, NOSE)[1] < 0.3


@pytest.mark.parametrize(("orientation", "view"), [(AXIAL, 0), (CORONAL, 1), (SAGITTAL, 2)])
def test_the_view_is_the_plane_of_the_slices(tmp_path: Path, orientation: tuple[float, ...], view: int) -> None:
    made = prepared(tmp_path, orientation=orientation, size=(56, 56, 24), spacing_mm=(2.5, 2.5, 6.0))

    assert made.view == view
    assert made.shape == (36, 128, 128)
    assert made.spacing_mm == tuple(4.0 if axis == 2 - view else 1.0 for axis in range(3))
    assert made.images[""].shape == made.background.shape == made.shape


def test_slices_in_any_order_make_the_same_bytes(tmp_path: Path) -> None:
    slices = write_stack(tmp_path)
    first, second = prepare(slices, "mri").prepared, prepare(slices[::-1], "mri").prepared

    assert np.array_equal(first.images[""], second.images[""])
    assert np.array_equal(first.background, second.background)
    assert pictures_of(first) == pictures_of(second)


def test_the_brightest_byte_is_254(tmp_path: Path) -> None:
    mri = prepared(tmp_path / "mri")
    ct = prepared(tmp_path / "ct", "ct", modality="CT", intercept=-1024)

    assert max(image.max() for image in [*mri.images.values(), *ct.images.values()]) == 254


def test_known_hounsfield_units_become_the_bytes_that_the_models_were_trained_on() -> None:
    values = np.array([[[-1000, -500, -499, 0, 16, 32, 80, 2000]]])
    tone, toner = tone_of(values, "ct"), Toner(values)

    assert toner.to_bytes(tone.ranges["brain"]).ravel().tolist() == [0, 0, 0, 0, 50, 101, 254, 254]
    assert toner.to_bytes(tone.ranges["blood"]).ravel().tolist() == [0, 0, 0, 25, 45, 66, 127, 254]
    assert toner.to_bytes(tone.ranges["bone"]).ravel().tolist() == [0, 27, 27, 72, 74, 75, 80, 254]
    assert toner.background(tone).ravel().tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_mri_is_spread_between_its_percentiles_and_its_darkest_tenth_is_background() -> None:
    values = np.arange(1001.0).reshape(1, 7, 143)
    tone, toner = tone_of(values, "mri"), Toner(values)
    image = toner.to_bytes(tone.ranges[""]).ravel()

    assert (image[:6] == 0).all() and (image[995:] == 254).all()
    assert image[500] == int((500 - 5) / (990 + 1e-8) * 255)
    assert toner.background(tone).sum() == 101


def test_voxels_that_lie_on_the_grid_keep_their_values() -> None:
    array = noise((40, 40, 52))
    grid, _ = gridded(a_volume(array, (1.0, 1.0, 1.0)))

    assert grid.array.dtype == np.int16
    assert np.array_equal(grid.array, array[::-4, :, ::-1][1:9, 4:36, 2:50])


@pytest.mark.parametrize(
    ("size", "spacing", "axis"),
    [
        ((256, 256, 176), (1.0, 1.0, 1.0), 2),
        ((512, 512, 40), (0.45, 0.45, 5.0), 2),
        ((24, 256, 256), (5.0, 0.9, 0.9), 0),
        ((70, 110, 96), (1.0, 1.0, 1.6), 0),
        ((64, 64, 64), (1.0, 1.0, 2.0), 2),
        ((64, 64, 64), (1.0, 2.0, 1.0), 1),
    ],
)
def test_the_slice_axis_is_found_as_the_models_pipeline_finds_it(size: tuple[int, ...], spacing: tuple[float, ...], axis: int) -> None:
    assert slice_axis_of(size, spacing) == axis


@pytest.mark.parametrize(
    ("told", "mode", "reason"),
    [
        ({"size": (48, 56, 2)}, "mri", "too_small"),
        ({"size": (48, 56, 2), "spacing_mm": (1.0, 1.0, 10.5)}, "mri", "too_small"),
        ({"size": (5, 56, 24)}, "mri", "too_small"),
        ({"spacing_mm": (3.0, 3.0, 4e4)}, "mri", "too_large"),
        ({"modality": "PT"}, "mri", "unsupported_modality"),
        ({"modality": "CT", "intercept": -1024}, "mri", "unsupported_modality"),
        ({}, "ct", "unsupported_modality"),
        ({"modality": "PT"}, "ct", "unsupported_modality"),
        ({}, "pet", "unsupported_modality"),
        ({"modality": "CT"}, "ct", "no_hounsfield"),
        ({"modality": "CT", "intercept": -1024, "extra": {"RescaleType": "US"}}, "ct", "no_hounsfield"),
        ({"extra": {"PixelData": bytes(2 * 48 * 56)}}, "mri", "constant_image"),
    ],
)
def test_what_cannot_be_prepared_is_refused(tmp_path: Path, told: dict[str, Any], mode: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        prepared(tmp_path, mode, **told)

    assert caught.value.reason == reason


def test_an_image_that_is_almost_all_one_value_is_refused() -> None:
    array = np.full((20, 64, 64), 7, np.int16)
    array[10, 30, 30] = 900

    with pytest.raises(Refused, match="constant_image"):
        prepare_volume(a_volume(array), "mri")


def test_ct_and_its_three_windows_share_one_background(tmp_path: Path) -> None:
    made = prepared(tmp_path, "ct", modality="CT", intercept=-1024)

    assert list(made.images) == ["brain", "blood", "bone"]
    assert set(np.unique(made.background)) <= {0, 1}


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL])
def test_the_picture_shows_three_planes_in_one_scale(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    made = prepared(tmp_path, orientation=orientation, size=(56, 56, 24), spacing_mm=(2.5, 2.5, 6.0))
    picture = Image.open(io.BytesIO(pictures_of(made)[THUMBNAIL]))
    sides = [(round(plane.height_mm), round(plane.width_mm)) for plane in middle_planes(shown_of(made))]

    assert (picture.mode, picture.height) == ("L", HEIGHT_PX)
    scale = HEIGHT_PX / max(height for height, _ in sides)
    assert abs(picture.width - 12 - scale * sum(width for _, width in sides)) <= 2


def marks(plane: np.ndarray) -> tuple[float, float]:
    """Row and column of the brightest part of a picture, as parts of its height and width."""
    rows, columns = np.nonzero(plane > 240)
    return float(np.median(rows)) / plane.shape[0], float(np.median(columns)) / plane.shape[1]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_stack_without_volume_is_pictured_with_its_head_up_too(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    pictures = pictures_of_stack(write_stack(tmp_path, orientation=orientation, size=(64, 64, 40), spacing_mm=(2.5, 2.5, 4.0)))
    thumbnail = np.asarray(Image.open(io.BytesIO(pictures[THUMBNAIL])))
    front = thumbnail[:, thumbnail.shape[1] // 3 : 2 * thumbnail.shape[1] // 3]

    assert marks(front)[0] < 0.35


def test_a_montage_shows_twenty_slices_spread_over_the_volume_or_all_of_fewer(tmp_path: Path) -> None:
    many = pictures_of(prepared(tmp_path / "many", size=(64, 64, 60), spacing_mm=(2.0, 2.0, 4.0)))
    few = pictures_of(prepared(tmp_path / "few", size=(64, 64, 8), spacing_mm=(2.0, 2.0, 4.0)))

    assert Image.open(io.BytesIO(many[MONTAGE])).size == (5 * 150 - 6, 4 * 150 - 6)
    assert Image.open(io.BytesIO(few[MONTAGE])).size == (5 * 150 - 6, 2 * 150 - 6)


def test_images_that_make_no_volume_are_pictured_as_they_are_stored(tmp_path: Path) -> None:
    single = pictures_of_stack(write_stack(tmp_path / "one", size=(64, 48, 1)))
    gaps = pictures_of_stack(write_stack(tmp_path / "gaps", left_out=[5, 9]))

    assert Image.open(io.BytesIO(single[THUMBNAIL])).size == (256, 192)
    assert gaps.keys() == {THUMBNAIL, MONTAGE}


def test_a_stack_that_cannot_be_decoded_has_no_picture(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(32, 32, 4))
    for path, _ in slices:
        Path(path).write_bytes(Path(path).read_bytes()[:-900])

    assert pictures_of_stack(slices) == {}
