"""Enhanced objects of every kind: CT, PET, legacy conversions; with groups that are missing, empty, or of another number."""

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.enhanced import a_frame, an_object, macro, read_object
from dicom.headers import AXIAL
from gyrus.dicom import describe
from gyrus.dicom.columns import unpacked
from gyrus.dicom.keys import parsed_key
from gyrus.dicom.reader import Header

STORAGE = "1.2.840.10008.5.1.4.1.1."
ENHANCED_CT, ENHANCED_PET, LEGACY_MR = STORAGE + "2.1", STORAGE + "130", STORAGE + "4.4"
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def an_object_of(sop_class: str, modality: str, frames: list[Dataset], **elements: object) -> Dataset:
    """An enhanced object without anything of MR."""
    return an_object(frames, SOPClassUID=sop_class, Modality=modality, ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], **elements)


def keys(header: Header) -> list[dict[str, str]]:
    return [parsed_key(stack["key"]) for stack in header.stacks]


def volumes(header: Header) -> list[tuple[int, int]]:
    """Images and volumes of each stack."""
    block = {"sop": header.sop_instance_uid, "shared": header.shared, "image": header.image}
    described = [describe(stack["key"], [block | {"frames": stack["frames"], "n": stack["n"]}]) for stack in header.stacks]
    return [(one["n_images"], one["n_volumes"]) for one in described]


def test_kernels_of_one_enhanced_ct_are_stacks_and_its_dose_changes_from_frame_to_frame(tmp_path: Path) -> None:
    frames = [
        a_frame(
            2.0 * slice_,
            CTReconstructionSequence=macro(ConvolutionKernel=[kernel]),
            CTXRayDetailsSequence=macro(KVP=120.0),
            CTExposureSequence=macro(ExposureTimeInms=500.0, XRayTubeCurrentInmA=200.0 + slice_, CTDIvol=5.5),
        )
        for kernel in ("Br40", "Hr60")
        for slice_ in range(3)
    ]

    header = read_object(tmp_path, an_object_of(ENHANCED_CT, "CT", frames))

    assert [(key["KVP"], key["KERNEL"], key["ORIENT"], key["MF"]) for key in keys(header)] == [
        ("120", "Br40", "AX", "1"),
        ("120", "Hr60", "AX", "1"),
    ]
    assert [(stack["frames"], stack["n"]) for stack in header.stacks] == [("1-3", 3), ("4-6", 3)]
    assert unpacked(header.image["frames"]["columns"]["x_ray_tube_current"]) == [200.0, 201.0, 202.0] * 2
    assert (header.image["exposure_time"], header.image["ctdi_vol"]) == (500.0, 5.5)
    assert volumes(header) == [(3, 1), (3, 1)]


def test_a_dynamic_enhanced_pet_is_one_stack_of_several_volumes(tmp_path: Path) -> None:
    frames = [
        a_frame(4.0 * slice_, FrameContentSequence=macro(TemporalPositionIndex=time), PETFrameTypeSequence=macro(FrameType=["ORIGINAL"]))
        for time in (1, 2)
        for slice_ in range(3)
    ]

    header = read_object(tmp_path, an_object_of(ENHANCED_PET, "PT", frames, CorrectedImage=["ATTN", "DECY"]))

    assert [(key["MODALITY"], key["AC"], key["ORIENT"]) for key in keys(header)] == [("PT", "1", "AX")]
    assert volumes(header) == [(6, 2)]


def test_what_a_legacy_conversion_left_unassigned_is_found_and_says_where_it_was(tmp_path: Path) -> None:
    frames = [
        a_frame(2.0 * slice_, UnassignedPerFrameConvertedAttributesSequence=macro(EchoTime="4.6", InversionTime=f"{900 + 100 * slice_}"))
        for slice_ in range(2)
    ]
    dataset = an_object_of(LEGACY_MR, "MR", frames)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.UnassignedSharedConvertedAttributesSequence = macro(ScanningSequence="GR", ProtocolName="t1", EchoTrainLength="7")

    header = read_object(tmp_path, dataset)

    assert (header.shared["scanning_sequence"], header.shared["echo_train_length"]) == (["GR"], 7)
    assert (header.shared["echo_time"], header.shared["echo_time_source"]) == (4.6, "legacy_conversion")
    assert [(key["TE"], key["TI"]) for key in keys(header)] == [("4.6", "900"), ("4.6", "1000")]


def test_planes_of_one_object_are_stacks_and_every_frame_is_in_one(tmp_path: Path) -> None:
    planes = [AXIAL, SAGITTAL, AXIAL, SAGITTAL, AXIAL]
    frames = [a_frame(2.0 * n, PlaneOrientationSequence=macro(ImageOrientationPatient=plane)) for n, plane in enumerate(planes)]

    header = read_object(tmp_path, an_object(frames))

    assert [(stack["frames"], stack["n"]) for stack in header.stacks] == [("1,3,5", 3), ("2,4", 2)]


def test_without_shared_groups_the_frames_speak_for_themselves(tmp_path: Path) -> None:
    frames = [a_frame(z, PlaneOrientationSequence=macro(ImageOrientationPatient=AXIAL)) for z in (0.0, 2.0, 4.0)]
    dataset = an_object(frames)
    del dataset.SharedFunctionalGroupsSequence

    header = read_object(tmp_path, dataset)

    assert (header.shared["enhanced"], volumes(header)) == (True, [(3, 1)])
    assert "repetition_time" not in header.shared


def test_without_groups_of_frames_the_shared_ones_speak_for_as_many_as_are_announced(tmp_path: Path) -> None:
    dataset = an_object([], NumberOfFrames=4)
    del dataset.PerFrameFunctionalGroupsSequence

    header = read_object(tmp_path, dataset)

    assert [(stack["frames"], stack["n"]) for stack in header.stacks] == [("1-4", 4)]
    assert header.shared["repetition_time"] == 500.0


def test_an_empty_macro_in_a_frame_leaves_the_shared_value(tmp_path: Path) -> None:
    frames = [a_frame(0.0, MRTimingAndRelatedParametersSequence=Sequence([])), a_frame(2.0)]

    header = read_object(tmp_path, an_object(frames))

    assert header.shared["repetition_time"] == 500.0


def test_more_groups_than_frames_are_cut_to_the_frames_and_counted_as_odd(tmp_path: Path) -> None:
    header = read_object(tmp_path, an_object([a_frame(2.0 * n) for n in range(5)], NumberOfFrames=3))

    assert [stack["frames"] for stack in header.stacks] == ["1-3"]
    assert len(unpacked(header.image["frames"]["columns"]["image_position_patient"])) == 3
    assert header.diagnostics == {"frame_count_mismatch": 1}
