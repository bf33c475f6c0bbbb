"""Claims about images of real scanners. GYRUS_TEST_DICOM names the folder in which the public sets lie unpacked, one folder a set."""

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest

from gyrus.data import ImageError, ImageSource, find_stacks, load_image
from gyrus.dicom.layouts import read_layout
from gyrus.dicom.pixels import Refused, read_volume, volume_of
from gyrus.preprocessor.core.prepare import prepare

SETS = os.environ.get("GYRUS_TEST_DICOM", "")
pytestmark = pytest.mark.skipif(not Path(SETS, "dcm_qa").is_dir() or not SETS, reason="GYRUS_TEST_DICOM names no folder of unpacked sets")


def images(folder: str, pattern: str = "*") -> list[tuple[str, int | None]]:
    return [(str(path), None) for path in sorted(Path(SETS, folder).glob(pattern)) if path.is_file()]


def test_a_head_of_0_99999916_mm_slices_is_cut_as_the_models_pipeline_cuts_it() -> None:
    made = prepare(images("dcm_qa_philips_enh/In/cl", "1301*"), "mri").prepared

    assert (made.view, made.shape, made.images[""].max()) == (2, (40, 256, 256), 254)


def test_an_enhanced_object_and_its_classic_copy_are_one_volume() -> None:
    folder = "wg04/data/dcmqi/segmentations/23x38x3"
    enhanced, classic = read_volume(images(f"{folder}/multiframe", "mf.dcm")), read_volume(images(f"{folder}/image", "*.dcm"))

    assert np.array_equal(enhanced.array, classic.array)
    for name in ("origin_mm", "spacing_mm", "direction"):
        assert np.allclose(getattr(enhanced.space, name), getattr(classic.space, name), atol=1e-6)


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("dcm_qa_ct/In/GE", "uneven_spacing"),
        ("dicom2nifti/tests/data/failing/sliceincrement/001", "missing_slices"),
        ("dicom2nifti/tests/data/generic/rgb/001", "unsupported_pixels"),
        ("fo_dicom/Tests/FO-DICOM.Tests/Test Data/abd1", "mixed_orientation"),
        ("dcm_qa_fmap/In/GE/6_CV_Neuro", "several_volumes"),
        ("dcm_qa_decubitus/In/HFP/3_ep2d_diff_mddw_20_p2", "several_volumes"),
    ],
)
def test_what_no_volume_can_be_made_of_is_refused(folder: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        read_volume(images(folder))

    assert caught.value.reason == reason


# ── faulty and unusual series: each handled, or refused with the right reason ────────────────────────────────────────


def source(folder: str) -> ImageSource:
    [only] = find_stacks(Path(SETS, folder))
    return only


def test_a_mosaic_run_is_refused_with_its_volumes_and_each_can_be_chosen() -> None:
    folder = "dcm_qa_decubitus/In/HFP/3_ep2d_diff_mddw_20_p2"

    with pytest.raises(ImageError, match="325 images at 25 positions"):
        load_image(Path(SETS, folder))
    assert load_image(source(folder).of_volume(12)).GetSize() == (208, 208, 32)


def test_a_grid_of_united_imaging_is_taken_apart() -> None:
    run = source("dcm_qa_uih/In/DTI_132225/dti_tra_dir16_PA_rot_SaveBySlc__134057")

    assert load_image(run.of_volume(0), preprocess=False).GetSize() == (64, 64, 20)


def test_one_image_in_nine_encodings_is_one_volume_nine_times() -> None:
    """Implicit, explicit, big endian, RLE, JPEG lossless, JPEG-LS and JPEG 2000: a mosaic, compressed."""
    layout = read_layout(images("dcm_qa_ts/In"))
    volumes = [volume_of(layout, number).array for number in range(len(layout.volumes))]

    assert len(volumes) == 9
    assert all(np.array_equal(volume, volumes[0]) for volume in volumes)


@pytest.mark.parametrize(("folder", "most"), [("5001_anat-T1w_acq-tfl", 66), ("6001_anat-T1w_acq-tfl", 14)])
def test_pixels_in_several_fragments_are_put_together(folder: str, most: int) -> None:
    assert read_volume(images(f"dcm_qa_frag/In/{folder}")).array.max() == most


def test_four_enhanced_objects_of_a_run_are_four_volumes() -> None:
    run = source("dcm_qa_enh/In/Siemens/XA10")

    shown = [load_image(run.of_volume(number), preprocess=False).GetSize() for number in range(4)]

    assert shown == [(64, 64, 6)] * 4


def test_magnitude_and_field_map_of_one_object_are_two_stacks() -> None:
    [path] = [path for path in Path(SETS, "dcm_qa_enh/In/Philips").rglob("*") if path.is_file()]

    with pytest.raises(ImageError, match="2 stacks"):
        load_image(path)
    assert [load_image(stack, preprocess=False).GetSize() for stack in find_stacks(path)] == [(64, 64, 32)] * 2


def test_a_tilted_gantry_is_straightened_along_the_normal() -> None:
    """GE head, 18.5 degrees: 4 mm slices, 1.33 mm further down for each."""
    for stack in find_stacks(Path(SETS, "dcm_qa_ct/In/GE")):
        volume = read_volume([(image.path, None) for image in stack.images])
        straight = load_image(stack, preprocess=False)

        assert volume.shear_mm[0] == 0 and abs(volume.shear_mm[1]) > 1
        assert np.allclose(np.cross(*np.reshape(straight.GetDirection(), (3, 3)).T[:2]), np.reshape(straight.GetDirection(), (3, 3)).T[2])
        assert straight.GetSize()[1] > 512


def test_ten_volumes_in_one_folder_are_not_one_volume_of_ten_times_the_slices() -> None:
    run = source("dcm_qa_nih/In/20180918GE/mr_0005")

    with pytest.raises(ImageError, match="150 images at 15 positions"):
        load_image(Path(SETS, "dcm_qa_nih/In/20180918GE/mr_0005"))
    assert load_image(run.of_volume(3), preprocess=False).GetSize() == (64, 64, 15)


def test_each_slice_has_its_own_rescale() -> None:
    volume = read_volume(images("dicom2nifti/tests/data/generic/anatomical/002_non_isotropic"))

    assert volume.array.dtype == np.float32
    for path, _ in images("dicom2nifti/tests/data/generic/anatomical/002_non_isotropic"):
        dataset = pydicom.dcmread(path)
        values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        assert any(np.allclose(values, plane, rtol=1e-5) for plane in volume.array)


def test_three_orientations_of_a_survey_are_three_stacks() -> None:
    with pytest.raises(ImageError, match="3 stacks"):
        load_image(Path(SETS, "fo_dicom/Tests/FO-DICOM.Tests/Test Data/abd1"))


def test_an_interrupted_run_is_refused_with_the_volume_that_lacks_slices() -> None:
    with pytest.raises(ImageError, match="volume 2 lacks 8 slices"):
        load_image(Path(SETS, "heudiconv/heudiconv/tests/data/xa_4d_interrupted"))


def test_uneven_slices_are_refused_with_their_positions() -> None:
    with pytest.raises(Refused, match=r"step 15\.75 mm, but 10\.50 mm between -33\.71 and -23\.21; 21\.00 mm between -23\.21 and -2\.21"):
        read_volume([(image.path, None) for image in find_stacks(Path(SETS, "dcmstack/test/data/dcmstack/2D_16Echo_qT2"))[0].images])
