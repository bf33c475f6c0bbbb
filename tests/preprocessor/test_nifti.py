"""NIfTI: each stored voxel lies where its file says, whatever the orientation, tilted or not; other readers agree."""

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import dcm2niix
import nibabel
import numpy as np
import pytest

from gyrus.data import ImageSource, find_stacks
from gyrus.data.exporting import IMAGE_AXES, nifti_of
from gyrus.data.nifti import Nifti, affine_of, directions, encoded
from gyrus.data.nifti_header import header_of
from gyrus.dicom.pixels import Refused
from gyrus.preprocessor.core.export import Export, export
from preprocessor.synthetic import ORIENTATIONS, Stack, write_stack

SETS = os.environ.get("GYRUS_TEST_DICOM", "")
RAS_TO_LPS = np.diag([-1, -1, 1, 1])


def written(folder: Path, **told: Any) -> Any:
    """A stack as nibabel reads it from what we write."""
    outcome = export(Export(slices=write_stack(folder / "raw", **told), folder=str(folder / "out"), name="t1"))
    assert outcome == ["t1.json", "t1.nii.gz"]
    return nibabel.load(folder / "out" / "t1.nii.gz")


@pytest.mark.parametrize("shift_mm", [0.0, 1.7])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_voxel_lies_where_its_file_says(tmp_path: Path, orientation: tuple[float, ...], shift_mm: float) -> None:
    stack = Stack(orientation=orientation, size=(20, 24, 9), spacing_mm=(2.0, 2.5, 7.0), shift_mm=shift_mm)
    image = written(tmp_path, stack=stack)
    to_lps, voxels = RAS_TO_LPS @ image.affine, np.asarray(image.dataobj)

    for column, row, k in ((0, 0, 0), (19, 23, 8), (7, 3, 5)):
        place = stack.positions()[k] + column * 2.0 * stack.axes()[0] + row * 2.5 * stack.axes()[1]
        assert np.allclose((to_lps @ [column, 23 - row, k, 1])[:3], place, atol=1e-3)
        assert voxels[column, 23 - row, k] == stack.pixels(k)[row, column]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_quaternion_says_what_the_matrix_says(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    image = written(tmp_path, orientation=orientation, size=(20, 24, 9))

    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    assert (int(image.header["qform_code"]), int(image.header["sform_code"]), image.header.get_xyzt_units()) == (1, 1, ("mm", "sec"))


def test_a_rescale_of_all_slices_is_left_to_the_reader(tmp_path: Path) -> None:
    image = written(tmp_path, modality="CT", intercept=-1024, size=(20, 24, 5))

    assert image.get_data_dtype() == np.uint16
    assert np.array_equal(image.get_fdata()[:, ::-1, 2].T, Stack(size=(20, 24, 5)).pixels(2) - 1024)


def test_slices_with_rescales_of_their_own_become_real_numbers(tmp_path: Path) -> None:
    image = written(tmp_path, size=(20, 24, 4), slopes=(1.0, 0.5, 2.0, 0.25))

    assert image.get_data_dtype() == np.float32
    assert np.array_equal(image.get_fdata()[:, ::-1, 1].T, Stack(size=(20, 24, 4)).pixels(1) * 0.5)


def test_the_side_file_has_seconds_and_no_person(tmp_path: Path) -> None:
    written(tmp_path, size=(20, 24, 4), extra={"RepetitionTime": "2300", "EchoTime": "2.98", "PatientName": "Doe^Jane", "PatientID": "7"})
    said = json.loads((tmp_path / "out" / "t1.json").read_text())

    assert (said["RepetitionTime"], said["EchoTime"], said["Modality"]) == (2.3, 0.00298, "MR")
    assert "Doe" not in str(said) and not any(name.startswith("Patient") for name in said)


def test_equal_stacks_give_equal_bytes(tmp_path: Path) -> None:
    slices = write_stack(tmp_path / "raw", size=(20, 24, 5))
    for name, order in (("a", 1), ("b", -1)):
        export(Export(slices=slices[::order], folder=str(tmp_path), name=name))

    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("version", "format_"), [(1, nibabel.Nifti1Header), (2, nibabel.Nifti2Header)])
def test_a_header_says_the_same_in_both_versions_and_orders_of_bytes(version: int, format_: Any, order: str) -> None:
    written = format_(endianness=order)
    written.set_data_dtype(np.int16)
    written.set_data_shape((20, 24, 9, 3))
    written.set_zooms((2, 2.5, 7, 1))
    written.set_slope_inter(0.5, -1024)
    written.set_sform(np.diag([2, 2.5, 8, 1]), code=1)
    written["vox_offset"] = 1024

    read = header_of(written.binaryblock.ljust(1024, b"\0") + bytes(4))

    assert read is not None
    assert (read.version, read.order, read.kind, read.bits, read.offset) == (version, order, np.dtype(f"{order}i2"), 16, 1024)
    assert (read.lengths, read.scale, read.steps_mm, read.sform_mm) == ((20, 24, 9, 3), (0.5, -1024), (2, 2.5, 7), (2, 2.5, 8))


def test_the_header_that_we_write_is_the_one_that_we_read() -> None:
    image = Nifti(np.zeros((4, 5, 6), np.float32), np.diag([1.0, 2, 3, 1])[:3], slope=2.0, intercept=3.0)

    read = header_of(gzip.decompress(encoded(image)))

    assert read is not None
    assert (read.lengths, read.kind, read.offset, read.scale) == ((4, 5, 6), np.dtype("<f4"), 352, (2.0, 3.0))


@pytest.mark.parametrize("beginning", [b"", b"\x5c\x01\0\0", bytes(600)])
def test_what_is_no_header_says_nothing(beginning: bytes) -> None:
    assert header_of(beginning) is None


def test_what_has_no_volume_is_refused(tmp_path: Path) -> None:
    outcome = export(Export(slices=write_stack(tmp_path / "raw", left_out=[9]), folder=str(tmp_path / "out"), name="t1"))

    assert isinstance(outcome, Refused) and outcome.reason == "missing_slices"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_directions_turn_back_into_those_of_the_patient(orientation: tuple[float, ...]) -> None:
    stack = Stack(orientation=orientation)
    affine = affine_of(np.column_stack([stack.axes().T * stack.spacing_mm, (0, 0, 0)]), 56)
    vectors = np.array([[1.0, 0, 0], [0, 0.6, -0.8], [0.48, 0.6, 0.64]])

    along = directions(vectors, affine)
    along[:, 0] *= -1 if np.linalg.det(affine[:, :3]) > 0 else 1
    rigid = affine[:, :3] / np.linalg.norm(affine[:, :3], axis=0)

    assert np.allclose((rigid @ along.T).T * (-1, -1, 1), vectors, atol=1e-9)


@pytest.mark.parametrize("axes", IMAGE_AXES.values())
def test_axes_of_makers_are_turns_of_the_voxels_axes(axes: tuple[tuple[int, ...], ...]) -> None:
    assert np.array_equal(np.array(axes) @ np.array(axes).T, np.eye(3))


# ── dcm2niix as a judge ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not Path(SETS, "dcm_qa").is_dir(), reason="GYRUS_TEST_DICOM names no sets")
@pytest.mark.parametrize(
    "folder",
    [
        "dcm_qa_canon/In/9000_DTI_PA-ortho",
        "dcm_qa_decubitus/In/HFP/3_ep2d_diff_mddw_20_p2",
        "dcm_qa_ge/In/02_Ax_DWI_TENSOR_R3",
        "dcm_qa_uih/In/DTI_132225/dti_tra_dir16_PA_rot_SaveBySlc__134057",
        "dcm_qa_canon/In/38000_SAG_DTI_PA-COR_20d",
        "dcm_qa_stc/In/Siemens/XA10/6_REST1_w_SMS_PF7-8",
        "dcm_qa_philips_enh/In/cl",
    ],
)
def test_dcm2niix_has_the_same_voxels_in_the_same_places(tmp_path: Path, folder: str) -> None:
    # -p n: values as a scanner's console shows them; its default for Philips are the maker's own
    stack = _stack_of(folder)
    (tmp_path / "src").mkdir()
    for number, image in enumerate(stack.images):
        (tmp_path / "src" / f"{number}.dcm").symlink_to(image.path)
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-p", "n", "-f", "x", "-o", str(tmp_path), str(tmp_path / "src")]
    subprocess.run(command, check=True, capture_output=True)

    files = nifti_of(stack.images)
    (tmp_path / "ours.nii.gz").write_bytes(files[".nii.gz"])
    ours, theirs = (nibabel.as_closest_canonical(nibabel.load(tmp_path / name)) for name in ("ours.nii.gz", "x.nii"))

    assert np.allclose(ours.get_fdata(), theirs.get_fdata(), rtol=1e-5)
    assert np.allclose(ours.affine, theirs.affine, atol=2e-3)
    if ".bvec" in files:
        _same_directions(files, tmp_path)


def _stack_of(folder: str) -> ImageSource:
    return max(find_stacks(Path(SETS, folder)), key=lambda stack: len(stack.images))


def _same_directions(files: dict[str, bytes], folder: Path) -> None:
    """b-values, and directions within a degree, along the axes of each image's voxels turned into the patient's."""
    shown = []
    for image, text in (
        (nibabel.load(folder / "ours.nii.gz"), files[".bvec"].decode()),
        (nibabel.load(folder / "x.nii"), (folder / "x.bvec").read_text()),
    ):
        vectors = np.array([line.split() for line in text.splitlines()], float)
        axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
        vectors[0] *= -1 if np.linalg.det(axes) > 0 else 1
        shown.append(axes @ vectors / np.maximum(np.linalg.norm(vectors, axis=0), 0.1))

    assert np.allclose(np.array(files[".bval"].split(), float), np.loadtxt(folder / "x.bval"), atol=2)
    weighted = np.loadtxt(folder / "x.bval") > 50
    assert np.abs((shown[0] * shown[1]).sum(axis=0)[weighted]).min() > np.cos(np.radians(1))
