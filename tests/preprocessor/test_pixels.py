"""Files of one stack become one volume, or a refusal that says why."""

import ast
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.pixels.decoders.base import get_decoder

import gyrus.data
import gyrus.dicom.layouts
import gyrus.dicom.pixels
import gyrus.dicom.planes
import gyrus.preprocessor.core
from gyrus.data.refusals import REFUSALS
from gyrus.dicom.pixels import Refused, read_volume
from gyrus.shared.policy import NOT_ASKED
from preprocessor.synthetic import AXIAL, CORONAL, ORIENTATIONS, SAGITTAL, Slices, Stack, write_multi_frame, write_stack

UNKNOWN_TO_PYDICOM = (uid.JPEG2000MC, uid.JPEG2000MCLossless)
COMPRESSED = (*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes, *uid.JPEG2000TransferSyntaxes)


def refusal(slices: Slices) -> Refused:
    with pytest.raises(Refused) as caught:
        read_volume(slices)
    assert caught.value.reason in REFUSALS
    return caught.value


def edit(slices: Slices, k: int, change: Callable[[pydicom.Dataset], object]) -> None:
    image = pydicom.dcmread(slices[k][0])
    change(image)
    image.save_as(slices[k][0])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_slices_in_any_order_make_the_same_volume(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    slices = write_stack(tmp_path, orientation=orientation, size=(20, 24, 9))
    volume = read_volume(slices)

    for seed in range(3):
        shuffled = read_volume(random.Random(seed).sample(slices, len(slices)))
        assert np.array_equal(shuffled.array, volume.array)
        assert (shuffled.space, shuffled.shear_mm) == (volume.space, volume.shear_mm)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_voxel_lies_where_its_file_says(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    stack = Stack(orientation=orientation, size=(20, 24, 9), spacing_mm=(2.0, 2.5, 7.0))
    volume = read_volume(write_stack(tmp_path, stack))

    assert np.allclose(volume.space.spacing_mm, (2.0, 2.5, 7.0), atol=1e-6)
    assert np.allclose(volume.space.matrix.T, stack.axes(), atol=1e-6)
    assert np.allclose(volume.space.origin_mm, stack.positions()[0], atol=1e-5)
    assert np.array_equal(volume.array, [stack.pixels(k) for k in range(9)])


def test_numbers_without_a_rescale_keep_their_type(tmp_path: Path) -> None:
    assert read_volume(write_stack(tmp_path, size=(20, 24, 5))).array.dtype == np.uint16


def test_a_whole_rescale_gives_whole_numbers(tmp_path: Path) -> None:
    stack = Stack(size=(20, 24, 5), modality="CT", intercept=-1024)
    volume = read_volume(write_stack(tmp_path, stack))

    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array[2], stack.pixels(2) - 1024)


def test_each_slice_is_rescaled_by_its_own_slope(tmp_path: Path) -> None:
    stack = Stack(size=(20, 24, 4), slopes=(1.0, 0.5, 2.0, 0.25))
    volume = read_volume(write_stack(tmp_path, stack))

    assert volume.array.dtype == np.float32
    for k, slope in enumerate((1.0, 0.5, 2.0, 0.25)):
        assert np.array_equal(volume.array[k], stack.pixels(k) * slope)


def test_frames_of_a_multi_frame_object_lie_at_their_own_positions(tmp_path: Path) -> None:
    stack = Stack(size=(20, 24, 6), orientation=SAGITTAL)
    write_multi_frame(tmp_path / "object", stack, order=(3, 0, 5, 1, 4, 2), slope=0.5)
    path = str(tmp_path / "object")

    whole, some = read_volume([(path, None)]), read_volume([(path, 5), (path, 1), (path, 6)])

    assert np.array_equal(whole.array, [stack.pixels(k) * 0.5 for k in range(6)])
    assert np.array_equal(some.array, [stack.pixels(k) * 0.5 for k in (2, 3, 4)])


def test_a_missing_slice_is_refused_with_its_place(tmp_path: Path) -> None:
    refused = refusal(write_stack(tmp_path, size=(20, 24, 9), spacing_mm=(3, 3, 5), left_out=[4]))

    assert (refused.reason, refused.detail) == ("missing_slices", "step 5.00 mm, but 10.00 mm between -5.00 and 5.00")


def test_uneven_steps_are_refused_with_their_place(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 9), spacing_mm=(3, 3, 5))
    edit(slices, 8, lambda image: setattr(image, "ImagePositionPatient", [*image.ImagePositionPatient[:2], 22]))

    refused = refusal(slices)

    assert (refused.reason, refused.detail) == ("uneven_spacing", "step 5.00 mm, but 7.00 mm between 15.00 and 22.00")


def test_steps_that_wobble_within_one_percent_are_even(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 9), spacing_mm=(3, 3, 5))
    edit(slices, 4, lambda image: setattr(image, "ImagePositionPatient", [*image.ImagePositionPatient[:2], 0.04]))

    assert np.allclose(read_volume(slices).space.spacing_mm, (3, 3, 5))


def test_several_images_at_one_position_are_refused(tmp_path: Path) -> None:
    slices = write_stack(tmp_path / "a", size=(20, 24, 5)) + write_stack(tmp_path / "b", size=(20, 24, 5))

    refused = refusal(slices)

    assert (refused.reason, refused.detail) == ("several_volumes", "10 images at 5 positions")


@pytest.mark.parametrize("degrees", [0.2, 18.5])
def test_slices_of_a_tilted_gantry_say_how_far_each_lies_beside_the_one_before(tmp_path: Path, degrees: float) -> None:
    shift_mm = 6 * float(np.tan(np.radians(degrees)))
    volume = read_volume(write_stack(tmp_path, size=(20, 24, 9), shift_mm=shift_mm))

    assert np.allclose(volume.shear_mm, (0, shift_mm), atol=1e-6)
    assert np.allclose(volume.space.spacing_mm, (2, 2, 6), atol=1e-6)


def test_one_slice_beside_the_line_of_the_others_is_refused(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 9))
    edit(slices, 4, lambda image: setattr(image, "ImagePositionPatient", [5, *image.ImagePositionPatient[1:]]))

    assert refusal(slices).reason == "shifted"


def test_two_orientations_are_refused(tmp_path: Path) -> None:
    slices = write_stack(tmp_path / "a", size=(20, 20, 5), orientation=AXIAL)
    slices += write_stack(tmp_path / "b", size=(20, 20, 5), orientation=CORONAL)

    assert refusal(slices).reason == "mixed_orientation"


@pytest.mark.parametrize("other", [{"size": (22, 24, 5)}, {"spacing_mm": (3.1, 3.0, 6.0), "size": (20, 24, 5)}])
def test_two_matrices_are_refused(tmp_path: Path, other: dict[str, tuple[int, ...]]) -> None:
    slices = write_stack(tmp_path / "a", size=(20, 24, 5))[:3] + write_stack(tmp_path / "b", **other)[3:]

    assert refusal(slices).reason == "mixed_matrix"


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "mosaic"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "VFRAME"]}, "mosaic"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "unsupported_pixels"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "no_geometry"),
        ({"ImageOrientationPatient": None}, "no_geometry"),
        ({"PixelSpacing": [0, 0]}, "no_geometry"),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "unsupported_pixels"),
        ({"Rows": None}, "undecodable_pixels"),
        ({"BitsAllocated": 12}, "unsupported_pixels"),
        ({"ModalityLUTSequence": [pydicom.Dataset()]}, "unsupported_pixels"),
    ],
)
def test_images_that_would_have_to_be_guessed_are_refused(tmp_path: Path, extra: dict[str, object], reason: str) -> None:
    assert refusal(write_stack(tmp_path, size=(20, 24, 5), extra=extra)).reason == reason


def test_pixels_that_were_cut_short_are_refused(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 5))
    whole = Path(slices[2][0]).read_bytes()
    Path(slices[2][0]).write_bytes(whole[:-100])

    assert refusal(slices).reason == "undecodable_pixels"


def test_a_file_that_is_no_dicom_any_more_is_refused(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 5))
    Path(slices[2][0]).write_bytes(b"once I was an image")

    assert refusal(slices).reason == "undecodable_pixels"


def test_a_frame_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 5))

    assert refusal([*slices[1:], (slices[0][0], 2)]).detail == "frame 2 is wanted of a file with 1"


def test_a_file_that_is_gone_is_refused_as_vanished(tmp_path: Path) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 5))
    Path(slices[2][0]).unlink()

    assert refusal(slices).reason == "vanished"


def test_storage_that_fails_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File name too long"):
        read_volume([*write_stack(tmp_path, size=(20, 24, 5)), (str(tmp_path / ("x" * 300)), None)])


@pytest.mark.parametrize("syntax", [one for one in COMPRESSED if one not in UNKNOWN_TO_PYDICOM], ids=lambda one: one.keyword)
def test_every_compression_that_pydicom_knows_has_a_decoder(syntax: uid.UID) -> None:
    assert get_decoder(syntax).is_available, get_decoder(syntax).missing_dependencies


def test_a_decoder_that_is_not_installed_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slices = write_stack(tmp_path, size=(20, 24, 5))
    for k in range(5):
        edit(slices, k, lambda image: image.compress(uid.RLELossless))
    assert read_volume(slices).array.shape == (5, 24, 20)

    monkeypatch.setattr(get_decoder(uid.RLELossless), "_available", {})

    with pytest.raises(ModuleNotFoundError, match="RLE Lossless: install gyrus"):
        read_volume(slices)


@pytest.mark.parametrize("count", [0, 1])
def test_one_image_is_no_volume(tmp_path: Path, count: int) -> None:
    assert refusal(write_stack(tmp_path)[:count]).reason == "single_image"


def test_a_refusal_names_no_file(tmp_path: Path) -> None:
    slices = write_stack(tmp_path / "Doe^Jane", size=(20, 24, 5))
    for path, _ in slices:
        Path(path).write_bytes(Path(path).read_bytes()[:-100])

    assert "Doe" not in refusal(slices).detail


def test_every_refusal_is_in_the_closed_list_and_none_is_idle() -> None:
    folders = [Path(next(iter(package.__path__))) for package in (gyrus.preprocessor.core, gyrus.data)]
    modules = [Path(str(module.__file__)) for module in (gyrus.dicom.pixels, gyrus.dicom.planes, gyrus.dicom.layouts)]
    raised = set()
    for module in [*modules, *(path for folder in folders for path in folder.glob("*.py"))]:
        for call in ast.walk(ast.parse(module.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Refused", "ImageError"):
                raised |= {each.value for each in ast.walk(call.args[0]) if isinstance(each, ast.Constant) and isinstance(each.value, str)}

    assert raised | {NOT_ASKED} == set(REFUSALS)
