"""Claims about images of real scanners. GYRUS_TEST_DICOM names the folder in which the public sets lie unpacked, one folder a set."""

import os
from pathlib import Path

import numpy as np
import pytest

from gyrus.dicom.pixels import Refused, read_volume
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
