"""What becomes of every MR and CT stack of the public sets whose pixels are real."""

from collections import Counter
from pathlib import Path

import pytest

from gyrus.dicom.refused import Refused
from soak.real_stacks import MANIFEST, NO_VOLUME, real_stacks

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

# Stacks of several slices, a token thick and more, of which no volume can be made: folder, reason, and what is wrong with them.
FAULTY: dict[tuple[str, str], str] = {
    ("cornerstone/testImages", "undecodable_pixels"): "JPEG Extended with 12 bits, which no decoder of pydicom's reads",
    ("dcm_qa_xa30i/In/19001_asl_2d_tra", "unsupported_pixels"): "a map in colour",
    ("dcmstack/test/data/dcmstack/2D_16Echo_qT2", "uneven_spacing"): "slices are missing",
    ("dicom2nifti/tests/data/failing/sliceincrement/002", "missing_slices"): "made so: 0.75, 0.75, 1.5 mm",
    ("dicom2nifti/tests/data/siemens/fmri/001", "mosaic"): "anonymised: nothing says how many tiles there are",
    ("dicom2nifti/tests/data/generic/rgb/001", "unsupported_pixels"): "in colour",
    ("heudiconv/heudiconv/tests/data/xa_4d_interrupted", "several_volumes"): "an interrupted run: 26 and 34 frames",
    ("heudiconv/heudiconv/tests/data", "mixed_orientation"): "a scout: three planes in one object",
    ("nibabel/nibabel/nicom/tests/data", "mixed_matrix"): "mosaics with tiles of two sizes",
    ("nibabel/nibabel/nicom/tests/data", "constant_image"): "all pixels are zero in the source",
    ("pydicom_data/data_store/data", "no_geometry"): "frames without positions",
    ("pydicom_test_files/src/pydicom/data/test_files/dicomdirtests/77654033/CT2", "missing_slices"): "four slices, one 200 mm away",
    ("pydicom_test_files/src/pydicom/data/test_files/dicomdirtests/98892003/MR700", "mixed_orientation"): "projections from all around",
    ("wg04/data/dcmqi/segmentations/23x38x3/image", "no_hounsfield"): "nothing says how its numbers become HU",
    ("wg04/data/dcmqi/segmentations/24x38x3/image", "no_hounsfield"): "the same",
    ("wg04/data/dcmqi/segmentations/23x38x3/multiframe", "no_hounsfield"): "the same",
    ("wg04/data/dcmqi/segmentations/24x38x3/multiframe", "no_hounsfield"): "the same",
}
LEAST = 0.95


def test_all_stacks_with_real_pixels_but_faulty_and_thin_ones_become_volumes(real: Path) -> None:
    if not MANIFEST.exists():
        pytest.skip("the real files are not at hand: ../shared/data/dicom/MANIFEST.jsonl is missing")
    volumes, thin, refused = 0, 0, Counter[tuple[str, str]]()
    for found in real_stacks(real):
        outcome = found.outcome
        if not isinstance(outcome, Refused):
            volumes += 1
        elif outcome.reason in NO_VOLUME:
            thin += 1
        else:
            refused[found.folder, outcome.reason] += 1
    unexpected = sum(count for where, count in refused.items() if where not in FAULTY)
    faulty = sum(refused.values()) - unexpected
    print(
        f"\n{volumes} volumes; {thin} single images or cut-outs thinner than a token; {faulty} faulty; {unexpected} others without a volume"
    )

    assert volumes / (volumes + unexpected) >= LEAST, dict(refused)
    assert refused.keys() == FAULTY.keys()
