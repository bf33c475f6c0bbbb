"""gyrus.data as people use it: names, signatures, shapes, and errors that say which file."""

import gzip
import inspect
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
import torch
from pydicom import dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import RLELossless

import gyrus.data
from gyrus.data import (
    CacheManager,
    DatasetMetadata,
    ImageError,
    find_stacks,
    foreground_mask,
    load_image,
    prepare_for_inference,
    tokenize_volume,
)
from gyrus.data.worker import DIED, Worker
from preprocessor.synthetic import AXIAL, CORONAL, SAGITTAL, Stack, write_multi_frame, write_stack

sitk: Any = SimpleITK


def write_nifti(path: Path, size: tuple[int, ...] = (60, 66, 20), spacing: tuple[float, ...] = (1.2, 1.1, 4.4), seed: int = 0) -> Path:
    array = np.random.default_rng(seed).integers(0, 900, size[::-1]).astype(np.int16)
    image = sitk.GetImageFromArray(array, isVector=False)
    image.SetSpacing(spacing)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize(
    ("what", "signature"),
    [
        (load_image, "(path, preprocess=True)"),
        (prepare_for_inference, "(img_sitk, mode, z_dim=None)"),
        (tokenize_volume, "(img_arr, mask_arr, patch_size=(4, 16, 16), remove_background=False)"),
        (DatasetMetadata, "()"),
        (DatasetMetadata.from_file, "(path)"),
        (DatasetMetadata.from_directory, "(data_dir, mode_mapping)"),
        (DatasetMetadata.add_study, "(self, name, mode, images)"),
        (DatasetMetadata.get_study, "(self, name)"),
        (DatasetMetadata.get_all_studies, "(self)"),
        (DatasetMetadata.get_studies_by_mode, "(self, mode)"),
        (DatasetMetadata.mark_processed, "(self, study, image)"),
        (DatasetMetadata.save, "(self, path)"),
        (CacheManager, "(data_dir)"),
        (CacheManager.build_cache, "(self, num_workers=1, force=False, study_names=None)"),
        (CacheManager.load_image, "(self, study, image, window=None)"),
        (CacheManager.get_cache_stats, "(self)"),
    ],
)
def test_the_names_and_parameters_are_those_that_were_asked_for(what: Any, signature: str) -> None:
    found = inspect.signature(what)
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values()]

    assert str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty)) == signature


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(gyrus.data, name) for name in gyrus.data.__all__)
    with pytest.raises(AttributeError, match="has no name 'load_imag'"):
        gyrus.data.load_imag  # noqa: B018


def test_it_needs_neither_nats_nor_mongodb() -> None:
    drivers = "{'nats', 'motor', 'pymongo', 'faststream'}"
    run = f"import sys, gyrus.data as d; [getattr(d, n) for n in d.__all__]; print({drivers} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize(("mode", "images"), [("mri", 1), ("CT", 3)])
def test_a_model_gets_a_channel_first_and_a_mask_of_tokens_in_which_1_is_background(tmp_path: Path, mode: str, images: int) -> None:
    image = load_image(write_nifti(tmp_path / "t1.nii.gz"))
    prepared = prepare_for_inference(image, mode=mode)
    assert prepared is not None
    arrays, mask, view = prepared

    assert (len(arrays), view) == (images, 0)
    assert {(array.dtype, tuple(array.shape)) for array in arrays} == {(torch.float32, (1, 20, 64, 64))}
    assert all(float(array.min()) >= 0 and float(array.max()) <= 1 for array in arrays)
    assert (mask.dtype, tuple(mask.shape)) == (torch.uint8, (5 * 4 * 4,))
    foreground = foreground_mask(image, mode)
    tokens, coords, filtered = tokenize_volume(arrays[0], foreground)
    assert torch.equal(filtered, mask)
    assert (tuple(tokens.shape), coords.dtype, coords[-1].tolist()) == ((80, 1024), torch.int64, [4, 3, 3])


def test_background_tokens_can_be_left_out(tmp_path: Path) -> None:
    volume, foreground = np.arange(4 * 32 * 32.0).reshape(4, 32, 32), np.ones((4, 32, 32), bool)
    foreground[3, 31, 31] = False

    tokens, coords, filtered = tokenize_volume(volume, foreground, remove_background=True)

    assert (tokens.shape, coords.tolist(), filtered.size) == ((3, 1024), [[0, 0, 0], [0, 0, 1], [0, 1, 0]], 0)
    assert tokens[1, :17].tolist() == [*range(16, 32), 48]


def test_the_image_of_a_path_has_rpi_axes_and_the_spacing_of_the_models(tmp_path: Path) -> None:
    image = load_image(write_nifti(tmp_path / "t1.nii"))

    assert (image.GetSpacing(), image.GetSize(), image.GetDirection()) == ((1, 1, 4), (64, 64, 20), (-1, 0, 0, 0, 1, 0, 0, 0, -1))


def test_without_preprocessing_the_voxels_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "t1.nii")
    raw, read = load_image(path, preprocess=False), sitk.ReadImage(str(path))

    assert np.array_equal(sitk.GetArrayFromImage(raw), sitk.GetArrayFromImage(read))
    assert (raw.GetSpacing(), raw.GetOrigin(), raw.GetDirection()) == (read.GetSpacing(), read.GetOrigin(), read.GetDirection())


def test_an_image_that_is_not_on_the_grid_is_put_on_it(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "t1.nii")
    from_raw, from_path, whole = (prepare_for_inference(one, "mri") for one in (load_image(path, False), path, load_image(path)))
    assert from_raw and from_path and whole

    assert torch.equal(from_raw[0][0], whole[0][0]) and torch.equal(from_path[0][0], whole[0][0])
    assert torch.equal(from_raw[1], whole[1])


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL])
def test_a_folder_a_stack_and_the_slices_of_a_stack_are_one_image(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    slices = write_stack(tmp_path / "s", orientation=orientation)
    (tmp_path / "s" / "notes.txt").write_text("not an image")
    [stack] = find_stacks(tmp_path / "s")
    one, two, three = (sitk.GetArrayFromImage(load_image(what)) for what in (tmp_path / "s", stack, slices))

    assert np.array_equal(one, two) and np.array_equal(one, three)


def test_one_multi_frame_file_is_an_image(tmp_path: Path) -> None:
    write_multi_frame(tmp_path / "object.dcm", Stack(), order=range(24))

    assert load_image(tmp_path / "object.dcm").GetSize() == (96, 112, 36)


def test_a_file_behind_a_link_is_read(tmp_path: Path) -> None:
    write_stack(tmp_path / "s")
    (tmp_path / "linked").mkdir()
    for path in (tmp_path / "s").iterdir():
        (tmp_path / "linked" / f"{path.name}.dcm").symlink_to(path)

    assert load_image(tmp_path / "linked").GetSize() == (96, 112, 36)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_image(tmp_path / "nowhere.nii")


@pytest.mark.parametrize("mode", ["pet", "", None])
def test_another_mode_is_an_error(tmp_path: Path, mode: Any) -> None:
    with pytest.raises(ValueError, match="neither 'ct' nor 'mri'"):
        prepare_for_inference(write_nifti(tmp_path / "t1.nii"), mode)


def test_two_series_in_a_folder_are_named_and_one_can_be_chosen(tmp_path: Path) -> None:
    write_stack(tmp_path / "a")
    for path in (tmp_path / "a").iterdir():
        path.rename(tmp_path / f"a_{path.name}")
    write_stack(tmp_path / "b", orientation=CORONAL, extra={"SeriesInstanceUID": "1.2.4", "SeriesDescription": "t2 cor"})
    for path in (tmp_path / "b").iterdir():
        path.rename(tmp_path / f"b_{path.name}")

    with pytest.raises(ImageError, match=r"2 stacks: series 1\.2\.3, .*series 1\.2\.4, .*t2 cor, 24 images"):
        load_image(tmp_path)
    assert load_image(find_stacks(tmp_path)[1]).GetSpacing() == (1, 4, 1)


def test_a_copy_of_a_file_is_no_second_slice(tmp_path: Path) -> None:
    slices = write_stack(tmp_path)
    (tmp_path / "copy").write_bytes(Path(slices[4][0]).read_bytes())

    assert load_image(tmp_path).GetSize() == (96, 112, 36)


def test_two_files_of_one_instance_with_other_pixels_are_refused_by_name(tmp_path: Path) -> None:
    slices = write_stack(tmp_path)
    (tmp_path / "other").write_bytes(Path(slices[4][0]).read_bytes()[:-2] + b"\x07\x00")

    with pytest.raises(ImageError, match=r"other: bears the SOPInstanceUID of .*im\d+ and other pixels"):
        load_image(tmp_path)


def test_a_broken_slice_is_named(tmp_path: Path) -> None:
    slices = write_stack(tmp_path)
    broken = Path(slices[3][0])
    broken.write_bytes(broken.read_bytes()[:-50])

    with pytest.raises(ImageError, match=f"{broken.name}: .*undecodable_pixels"):
        load_image(tmp_path)


def test_missing_slices_are_named_with_their_folder(tmp_path: Path) -> None:
    write_stack(tmp_path, left_out=[9])

    with pytest.raises(ImageError, match=rf"{tmp_path}: step 6.00 mm, but 12.00 mm between .*missing_slices"):
        load_image(tmp_path)


def test_missing_slices_are_interpolated_where_that_is_asked_for(tmp_path: Path) -> None:
    write_stack(tmp_path / "whole")
    write_stack(tmp_path / "less", left_out=[9])
    [whole], [less] = find_stacks(tmp_path / "whole"), find_stacks(tmp_path / "less")
    shown, filled = (sitk.GetArrayFromImage(load_image(stack.regridded(), preprocess=False)).astype(float) for stack in (whole, less))

    others = np.arange(24) != 9
    assert np.array_equal(shown[others], filled[others])
    assert np.abs((shown[8] + shown[10]) / 2 - filled[9]).max() < 1


def test_planes_beyond_a_ct_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_stack(tmp_path, modality="CT", intercept=-1024, size=(40, 56, 24), spacing_mm=(2.4, 2.0, 6.0))
    load_image(tmp_path)

    assert "2 planes at the edges" in caplog.text


def test_a_gap_of_more_than_three_steps_is_never_filled(tmp_path: Path) -> None:
    write_stack(tmp_path, left_out=[9, 10, 11])
    [stack] = find_stacks(tmp_path)

    with pytest.raises(ImageError, match="missing_slices"):
        load_image(stack.regridded())


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing")

    with pytest.raises(ImageError, match="no DICOM image in this folder"):
        load_image(tmp_path)


def test_a_file_that_is_no_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t1.nii.gz").write_bytes(b"once I was an image")

    with pytest.raises(ImageError, match=r"t1\.nii\.gz"):
        load_image(tmp_path / "t1.nii.gz")


@pytest.mark.parametrize("name", ["t1.nii", "t1.nii.gz"])
def test_a_nifti_file_that_was_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    path = write_nifti(tmp_path / name)
    whole = path.read_bytes()
    for part in (0.999, 0.5):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(ImageError, match=f"{name}: the file is damaged, or shorter than its header says"):
            load_image(path)


def test_a_compressed_file_that_is_damaged_in_its_middle_is_refused(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "t1.nii.gz")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 200] = bytes(200)
    path.write_bytes(whole)

    with pytest.raises(ImageError, match=r"t1\.nii\.gz"):
        load_image(path)


@pytest.mark.parametrize("scaled", [False, True])
def test_no_flipped_bit_of_a_compressed_file_gives_other_voxels(tmp_path: Path, scaled: bool) -> None:
    path = tmp_path / "t1.nii.gz"
    values = np.random.default_rng(3).integers(0, 900, (8, 20, 24)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(path))
    header = bytearray(gzip.decompress(path.read_bytes()))
    if scaled:
        struct.pack_into("<ff", header, 112, 0.5, 3.0)
    path.write_bytes(gzip.compress(bytes(header)))
    whole, expected = path.read_bytes(), sitk.GetArrayFromImage(load_image(path, preprocess=False))
    refused = 0
    for place in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found = sitk.GetArrayFromImage(load_image(path, preprocess=False))
        except ImageError:
            refused += 1
        else:
            assert np.array_equal(found, expected), f"bit {place % 8} of byte {place}"
    assert refused > len(whole) // 37 * 0.95


def test_a_bit_flipped_anywhere_in_a_compressed_file_is_told_as_damage_whatever_its_header_then_says(tmp_path: Path) -> None:
    whole = write_nifti(tmp_path / "t1.nii.gz", (24, 20, 8)).read_bytes()
    reasons = set()
    for place in (*range(10, 120), *range(120, len(whole), 97)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (tmp_path / "t1.nii.gz").write_bytes(damaged)
        with pytest.raises(ImageError) as caught:
            load_image(tmp_path / "t1.nii.gz", preprocess=False)
        reasons.add(caught.value.reason)
    assert reasons == {"undecodable_pixels"}


def test_a_broken_dicom_file_has_the_same_reason_alone_as_in_its_folder(tmp_path: Path) -> None:
    broken = tmp_path / "s/object.dcm"
    broken.parent.mkdir()
    write_multi_frame(broken, Stack(), order=range(24))
    broken.write_bytes(broken.read_bytes()[:300])

    for what in (broken, tmp_path / "s"):
        with pytest.raises(ImageError, match=r"object\.dcm: .*\(undecodable_pixels\)"):
            load_image(what)


@pytest.mark.parametrize("name", ["t1.nii", "t1.nii.gz"])
def test_nifti_2_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    header = bytearray(544 + 8 * 16 * 16)
    struct.pack_into("<i8s2h", header, 0, 540, b"n+2\0\r\n\x1a\n", 2, 8)
    struct.pack_into("<8q", header, 16, 3, 16, 16, 8, 1, 1, 1, 1)
    struct.pack_into("<q", header, 168, 544)
    (tmp_path / name).write_bytes(gzip.compress(bytes(header)) if name.endswith(".gz") else header)

    with pytest.raises(ImageError, match=rf"{name}: NIfTI-2, which is not read; convert it to NIfTI-1 \(no_image\)"):
        load_image(tmp_path / name)


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"])
def test_voxels_of_a_compressed_file_are_those_that_itk_reads_whatever_their_type(tmp_path: Path, kind: str) -> None:
    values = (np.random.default_rng(3).normal(0, 40, (5, 6, 7))).astype(kind)
    written = sitk.GetImageFromArray(values)
    written.SetDirection((0, 0, 1, 1, 0, 0, 0, -1, 0))
    sitk.WriteImage(written, str(tmp_path / "t1.nii.gz"))

    image = load_image(tmp_path / "t1.nii.gz", preprocess=False)

    expected = sitk.ReadImage(str(tmp_path / "t1.nii.gz"))
    assert np.array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(expected))
    for said in ("GetPixelID", "GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(image, said)() == getattr(expected, said)()


def test_an_image_whose_last_slice_is_empty_is_no_damaged_one(tmp_path: Path) -> None:
    array = np.zeros((20, 64, 64), np.int16)
    array[:10] = 7
    for name in ("t1.nii", "t1.nii.gz"):
        sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / name))
        assert np.array_equal(sitk.GetArrayFromImage(load_image(tmp_path / name, preprocess=False)), array)


def test_a_fourth_dimension_is_refused_with_its_length_unless_a_volume_is_chosen(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "bold.nii.gz", (40, 44, 12, 3), (3.0, 3.0, 4.0, 1.0))
    [whole] = find_stacks(path)

    with pytest.raises(ImageError, match=r"3 volumes \(40 x 44 x 12 x 3\)"):
        load_image(path)
    third = load_image(whole.of_volume(2), preprocess=False)
    assert np.array_equal(sitk.GetArrayFromImage(third), sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[2])
    with pytest.raises(ImageError, match="volume 3 is wanted of 3, which count from 0"):
        load_image(whole.of_volume(3))


def test_a_fourth_dimension_of_one_is_none(tmp_path: Path) -> None:
    assert load_image(write_nifti(tmp_path / "t1.nii", (40, 44, 12, 1), (3.0, 3.0, 4.0, 1.0))).GetDimension() == 3


def test_colours_are_refused(tmp_path: Path) -> None:
    grey = sitk.ReadImage(str(write_nifti(tmp_path / "grey.nii")))
    sitk.WriteImage(sitk.Compose(grey, grey, grey), str(tmp_path / "rgb.nii"))

    with pytest.raises(ImageError, match="3 numbers a voxel"):
        load_image(tmp_path / "rgb.nii")


@pytest.mark.parametrize("name", ["t1.nrrd", "t1.nii", "t1.nii.gz", "scaled.nii", "scaled.nii.gz"])
def test_values_that_are_no_numbers_are_refused_and_not_made_0(tmp_path: Path, name: str) -> None:
    array = np.ones((20, 64, 64), np.float32)
    array[3, 4, 5] = np.nan
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / name))
    if name.startswith("scaled"):
        with_header(tmp_path / name, 112, "<ff", 2.0, 1.0)

    with pytest.raises(ImageError, match="not_finite"):
        load_image(tmp_path / name)


def test_only_the_volume_that_is_chosen_must_be_finite(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(0, 1, (3, 20, 64, 64)).astype(np.float32)
    array[1, 3, 4, 5] = np.inf
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(tmp_path / "run.nii"))
    run = find_stacks(tmp_path / "run.nii")[0]

    assert np.array_equal(sitk.GetArrayFromImage(load_image(run.of_volume(2), preprocess=False)), array[2])
    with pytest.raises(ImageError, match="not_finite"):
        load_image(run.of_volume(1))


def with_header(path: Path, offset: int, form: str, *values: float) -> Path:
    """A NIfTI file with other values in its header."""
    is_packed = path.suffix == ".gz"
    content = bytearray(gzip.decompress(path.read_bytes()) if is_packed else path.read_bytes())
    struct.pack_into(form, content, offset, *values)
    path.write_bytes(gzip.compress(bytes(content)) if is_packed else bytes(content))
    return path


@pytest.mark.parametrize("name", ["t1.nii", "t1.nii.gz", "t1.img"])
@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 5.0), (0.0, 0.3), (float("nan"), 5.0), (0.0, 0.0)])
def test_without_a_slope_there_is_no_scale_whatever_the_intercept(tmp_path: Path, name: str, slope: float, intercept: float) -> None:
    path = write_nifti(tmp_path / name)
    stored = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    with_header(path.with_suffix(".hdr") if path.suffix == ".img" else path, 112, "<ff", slope, intercept)

    found = sitk.GetArrayFromImage(load_image(path, preprocess=False))

    assert found.dtype == np.int16 and np.array_equal(found, stored)


def test_nor_is_there_one_for_a_volume_of_a_run(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "bold.nii", (20, 22, 12, 3), (3.0, 3.0, 4.0, 1.0))
    stored = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    [run] = find_stacks(with_header(path, 112, "<ff", 0.0, 5.0))

    assert np.array_equal(sitk.GetArrayFromImage(load_image(run.of_volume(1), preprocess=False)), stored[1])


@pytest.mark.parametrize("name", ["t1.nii", "t1.nii.gz"])
@pytest.mark.parametrize("step", [0.0, -4.4, float("nan"), float("inf")])
def test_a_step_of_no_length_is_refused_and_not_made_1_mm(tmp_path: Path, name: str, step: float) -> None:
    path = with_header(write_nifti(tmp_path / name), 88, "<f", step)

    with pytest.raises(ImageError, match=rf"1\.2 x 1\.1 x {step:g} \(no_geometry\)"):
        load_image(path)


@pytest.mark.parametrize("name", ["t1.nii", "t1.nii.gz"])
def test_steps_that_the_sform_contradicts_are_refused_unless_there_is_a_qform(tmp_path: Path, name: str) -> None:
    path = with_header(write_nifti(tmp_path / name), 88, "<f", 2.2)
    assert load_image(path).GetSpacing() == (1, 1, 4)

    with_header(path, 252, "<h", 0)
    with pytest.raises(ImageError, match=r"1\.2 x 1\.1 x 2\.2 by pixdim, 1\.2 x 1\.1 x 4\.4 by the sform \(no_geometry\)"):
        load_image(path)


@pytest.mark.parametrize("offset", [0.0, 4.0, float("nan")])
def test_voxels_do_not_begin_inside_the_header(tmp_path: Path, offset: float) -> None:
    path = with_header(write_nifti(tmp_path / "t1.nii"), 108, "<f", offset)

    with pytest.raises(ImageError, match="the file is damaged"):
        load_image(path)


def test_a_pair_whose_voxels_were_cut_short_is_refused(tmp_path: Path) -> None:
    write_nifti(tmp_path / "t1.img")
    whole = (tmp_path / "t1.img").read_bytes()
    assert load_image(tmp_path / "t1.hdr").GetSpacing() == (1, 1, 4)

    (tmp_path / "t1.img").write_bytes(whole[: len(whole) // 2])
    for name in ("t1.img", "t1.hdr"):
        with pytest.raises(ImageError, match=rf"{name}: the file is damaged"):
            load_image(tmp_path / name)


def test_axes_that_are_not_at_right_angles_are_told_as_geometry(tmp_path: Path) -> None:
    path = with_header(write_nifti(tmp_path / "t1.nii"), 252, "<hh", 0, 1)
    with_header(path, 284, "<f", 0.4)

    with pytest.raises(ImageError, match="no_geometry"):
        load_image(path)


@pytest.mark.parametrize("what", [None, 5, b"t1.nii", [], [("a", "b", "c")], np.zeros((8, 32, 32)), object()])
def test_what_is_no_image_is_told_from_what_is(what: Any) -> None:
    with pytest.raises(TypeError, match="an image is a path"):
        load_image(what)


def test_an_empty_name_is_not_this_folder() -> None:
    with pytest.raises(FileNotFoundError, match="'' does not exist"):
        load_image("")


@pytest.mark.parametrize("z_dim", [3, -1, 1.5, "z"])
def test_another_axis_for_slices_is_an_error(tmp_path: Path, z_dim: Any) -> None:
    with pytest.raises(ValueError, match="0 \\(x\\), 1 \\(y\\), 2 \\(z\\)"):
        prepare_for_inference(load_image(write_nifti(tmp_path / "t1.nii")), "mri", z_dim)


@pytest.mark.parametrize("patch", [(0, 16, 16), (-4, 16, 16), (4, 16), (4.0, 16, 16)])
def test_a_patch_of_no_voxels_is_an_error(patch: Any) -> None:
    with pytest.raises(ValueError, match="three whole numbers of voxels"):
        tokenize_volume(np.zeros((8, 32, 32)), np.ones((8, 32, 32), bool), patch)


def test_ct_is_not_taken_for_mri(tmp_path: Path) -> None:
    write_stack(tmp_path, modality="CT", intercept=-1024)

    with pytest.raises(ImageError, match=f"{tmp_path}: modality CT does not go with mode mri"):
        prepare_for_inference(load_image(tmp_path), "mri")


def test_an_image_smaller_than_a_token_gives_none_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    image = sitk.GetImageFromArray(np.ones((3, 64, 64), np.int16))
    image.SetSpacing((1, 1, 4))
    image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, -1))

    assert prepare_for_inference(image, "mri") is None
    assert "3 x 64 x 64" in caplog.text


def test_an_error_travels_between_processes() -> None:
    import pickle  # noqa: PLC0415

    error = pickle.loads(pickle.dumps(ImageError("too_small", "3 slices", "/x/t1.nii")))

    assert (error.reason, str(error)) == ("too_small", str(ImageError("too_small", "3 slices", "/x/t1.nii")))


# ── the data set and its cache ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    write_nifti(tmp_path / "raw" / "p1" / "T1.nii.gz")
    write_nifti(tmp_path / "raw" / "p1" / "T2.nii", seed=1)
    write_stack(tmp_path / "raw" / "p2" / "ct_scan", modality="CT", intercept=-1024)
    (tmp_path / "raw" / "p3").mkdir()
    DatasetMetadata.from_directory(tmp_path, {"p1": "MRI", "p2": "ct"}).save(tmp_path / "metadata.json")
    return tmp_path


def test_the_metadata_names_studies_modes_and_images(data_dir: Path) -> None:
    written = json.loads((data_dir / "metadata.json").read_text())

    assert written.keys() == {"dataset_name", "version", "created", "num_studies", "studies"}
    assert (written["num_studies"], written["version"]) == (2, "1.0")
    assert written["studies"] == {
        "p1": {
            "mode": "mri",
            "images": {name: {"filename": file, "processed": False} for name, file in (("T1", "T1.nii.gz"), ("T2", "T2.nii"))},
        },
        "p2": {"mode": "ct", "images": {"ct_scan": {"filename": "ct_scan", "processed": False}}},
    }
    metadata = DatasetMetadata.from_file(data_dir / "metadata.json")
    assert (len(metadata), metadata.get_all_studies(), metadata.get_studies_by_mode("ct")) == (2, ["p1", "p2"], ["p2"])
    assert metadata.get_study("p3") is None


def test_studies_without_a_mode_are_named(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert DatasetMetadata.from_directory(data_dir, {"p1": "mri"}).unmapped == ["p2", "p3"]
    assert "p2, p3" in caplog.text


def test_a_dicom_file_is_found_without_a_suffix_and_a_study_without_images_is_named(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_multi_frame(data_dir / "raw/p3/IM_0001", Stack(), order=range(24))
    (data_dir / "raw/p3/README").write_text("what was scanned")
    (data_dir / "raw/p4").mkdir()
    (data_dir / "raw/p4/T1.nrrd").write_bytes(b"NRRD0004")

    found = DatasetMetadata.from_directory(data_dir, dict.fromkeys(("p1", "p2", "p3", "p4", "sub-05"), "mri"))

    assert found.studies["p3"]["images"] == {"IM_0001": {"filename": "IM_0001", "processed": False}}
    assert (found.unmapped, found.missing, found.empty) == ([], ["sub-05"], ["p4"])
    assert "hold no image" in caplog.text and "p4" in caplog.text
    assert "have no folder" in caplog.text and "sub-05" in caplog.text
    found.save(data_dir / "metadata.json")
    assert CacheManager(data_dir).build_cache(study_names=["p3"]).made == 1


@pytest.mark.parametrize("other", ["T1.nii", "T1_mask.nii.gz"])
def test_images_that_would_share_a_file_of_the_cache_are_refused(data_dir: Path, other: str) -> None:
    write_nifti(data_dir / "raw" / "p1" / other)

    with pytest.raises(ValueError, match=r"T1.* and T1.*Rename one of each"):
        DatasetMetadata.from_directory(data_dir, {"p1": "mri"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[]", "has no studies"),
        ('{"studies": {"a": []}}', "study a has no mode"),
        ('{"studies": {"a": {"images": {}}}}', "study a has no mode"),
        ('{"studies": {"a": {"mode": "ct"}}}', "study a has no mode .* or no images"),
        ('{"studies": {"a": {"mode": "ct", "images": {"x": {}}}}}', "image a/x has no filename"),
        ('{"studies": {"../a": {"mode": "ct", "images": {}}}}', "'../a' is no name of a study"),
        ('{"studies": {"a": {"mode": "ct", "images": {"../x": {"filename": "x.nii"}}}}}', "'../x' is no name of a study or image"),
    ],
)
def test_a_file_that_is_no_metadata_is_told_with_its_name(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "metadata.json").write_text(content)

    with pytest.raises(ValueError, match=rf"metadata\.json.*{message}"):
        CacheManager(tmp_path)


def test_only_images_are_scanned(data_dir: Path) -> None:
    for name in ("T1.nii.bak", "T1.json", ".hidden.nii"):
        (data_dir / "raw" / "p1" / name).write_text("{}")

    study = DatasetMetadata.from_directory(data_dir, {"p1": "mri"}).get_study("p1")
    assert study is not None and list(study["images"]) == ["T1", "T2"]


def test_the_cache_holds_the_files_that_its_readers_look_for(data_dir: Path) -> None:
    built = CacheManager(data_dir).build_cache()

    assert (built.made, built.kept, built.failed) == (3, 0, [])
    files = sorted(path.relative_to(data_dir / "processed").as_posix() for path in (data_dir / "processed").rglob("*.*"))
    of_t = [f"p1/{name}{end}" for name in ("T1", "T2") for end in (".pt", "_mask.pt", "_metadata.json")]
    assert files == [*of_t, *(f"p2/ct_scan_{end}" for end in ("blood.pt", "bone.pt", "brain.pt", "mask.pt", "metadata.json"))]
    said = json.loads((data_dir / "processed/p2/ct_scan_metadata.json").read_text())
    assert said.keys() >= {"source_file", "mode", "shape", "spacing", "view", "processed_date", "version", "windows"}
    assert (said["source_file"], said["windows"]["brain"]) == ("raw/p2/ct_scan", {"level": 40, "width": 80})


def test_the_cache_gives_back_what_inference_gives_to_a_step_of_1_in_255(data_dir: Path) -> None:
    cache = CacheManager(data_dir)
    cache.build_cache()
    fresh = prepare_for_inference(load_image(data_dir / "raw/p1/T1.nii.gz"), "mri")
    assert fresh is not None

    cached = cache.load_image("p1", "T1")

    assert float((fresh[0][0] - cached["data"]).abs().max()) < 1 / 255 + 1e-6
    assert torch.equal(cached["data"], (cached["data"] * 255).round().to(torch.uint8).float() / 255)
    assert torch.equal(cached["mask"], fresh[1])
    assert (tuple(cached["shape"]), cached["view"], cached["mode"], cached["window"]) == ((20, 64, 64), 0, "mri", None)
    assert cache.load_mask("p1", "T1").shape == cached["data"].shape


def test_a_mask_of_voxels_is_true_or_false_and_that_of_the_cache_is_not_taken_upside_down(data_dir: Path) -> None:
    cache = CacheManager(data_dir)
    cache.build_cache()
    image, mask = cache.load_image("p1", "T1"), cache.load_mask("p1", "T1")

    for number in (mask, mask.numpy(), mask.float()):
        with pytest.raises(ValueError, match=r"bool, True = foreground; this is \w+.*load_mask\(…\) == 0"):
            tokenize_volume(image["data"], number)
    assert torch.equal(tokenize_volume(image["data"], mask == 0)[2], image["mask"])
    assert torch.equal(tokenize_volume(image["data"], image["mask"])[2], image["mask"])


def test_ct_has_three_windows_or_the_one_that_is_asked_for(data_dir: Path) -> None:
    cache = CacheManager(data_dir)
    cache.build_cache()

    assert [one["window"] for one in cache.load_image("p2", "ct_scan")] == ["brain", "blood", "bone"]
    assert cache.load_image("p2", "ct_scan", window="bone")["window"] == "bone"
    with pytest.raises(KeyError, match="no window 'liver'"):
        cache.load_image("p2", "ct_scan", window="liver")


def test_nothing_is_made_twice_whatever_the_number_of_workers(data_dir: Path) -> None:
    assert CacheManager(data_dir).build_cache().made == 3

    again = CacheManager(data_dir).build_cache(num_workers=2)

    assert (again.made, again.kept) == (0, 3)
    assert CacheManager(data_dir).get_cache_stats() == {"total_studies": 2, "total_images": 3, "cached_images": 3, "cache_coverage": 1.0}
    images = DatasetMetadata.from_file(data_dir / "metadata.json").studies["p1"]["images"]
    assert all(image["processed"] for image in images.values())


def test_a_plain_script_may_ask_for_workers(data_dir: Path) -> None:
    """As the documentation has it: without `if __name__ == "__main__"`."""
    script = data_dir / "script.py"
    script.write_text(f"from gyrus.data import CacheManager\nprint(CacheManager({str(data_dir)!r}).build_cache(num_workers=2).made)\n")

    assert subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True).stdout == "3\n"


def test_a_worker_that_is_killed_costs_its_image_only_and_is_replaced() -> None:
    worker = Worker()
    alone = worker._process = subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    alone.kill()

    assert worker.answer("an image") == DIED
    assert worker._process is None


def test_a_changed_source_counts_as_not_cached(data_dir: Path) -> None:
    cache = CacheManager(data_dir)
    cache.build_cache()
    write_nifti(data_dir / "raw/p1/T1.nii.gz", seed=5)

    assert cache.get_cache_stats()["cached_images"] == 2
    with pytest.raises(FileNotFoundError, match="p1/T1 is not in the cache"):
        cache.load_image("p1", "T1")
    assert cache.build_cache(study_names=["p1"]).made == 1


def test_a_file_that_was_cut_off_while_writing_leaves_no_cached_image(data_dir: Path) -> None:
    cache = CacheManager(data_dir)
    cache.build_cache()
    (data_dir / "processed/p1/T1_metadata.json").unlink()

    assert cache.get_cache_stats()["cached_images"] == 2


def test_images_that_fail_are_counted_and_named(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    (data_dir / "raw/p1/T1.nii.gz").write_bytes(b"")
    built = CacheManager(data_dir).build_cache()

    assert (built.made, [name[:2] for name in built.failed]) == (2, [("p1", "T1")])
    assert "p1/T1 is not in the cache" in caplog.text


def test_an_image_whose_decoder_is_not_installed_fails_alone_and_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (data_dir / "raw/p2/ct_scan").iterdir():
        image = dcmread(path)
        image.compress(RLELossless)
        image.save_as(path)
    monkeypatch.setattr(get_decoder(RLELossless), "_available", {})

    built = CacheManager(data_dir).build_cache()

    [(study, image_name, why)] = built.failed
    assert (built.made, study, image_name) == (2, "p2", "ct_scan")
    assert f"{data_dir}/raw/p2/ct_scan: no decoder for RLE Lossless: install gyrus" in why


def test_a_link_to_nothing_in_a_folder_is_the_same_to_the_cache_as_to_who_loads_the_folder(data_dir: Path) -> None:
    series = data_dir / "raw/p2/ct_scan"
    (series / "latest").symlink_to(data_dir / "later")
    cache = CacheManager(data_dir)
    assert (load_image(series).GetDimension(), cache.build_cache().failed, cache.build_cache().kept) == (3, [], 3)

    (series / "im999").symlink_to(data_dir / "not_fetched")
    with pytest.raises(ImageError, match=r"im999: vanished"):
        load_image(series)
    [(study, image, why)] = cache.build_cache().failed
    assert (study, image) == ("p2", "ct_scan") and "im999: vanished" in why


def test_a_folder_without_metadata_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"metadata\.json"):
        CacheManager(tmp_path)
