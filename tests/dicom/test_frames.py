from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.enhanced import a_frame, an_object, macro, read_object
from dicom.headers import AXIAL
from gyrus.dicom import describe
from gyrus.dicom.columns import unpacked
from gyrus.dicom.keys import parsed_key


def echo(milliseconds: float) -> Sequence:
    return macro(EffectiveEchoTime=milliseconds)


def test_two_echoes_in_one_object_are_two_stacks_of_frames(tmp_path: Path) -> None:
    frames = [a_frame(z, MREchoSequence=echo(te)) for te in (2.5, 7.4) for z in (0.0, 2.0, 4.0)]

    header = read_object(tmp_path, an_object(frames))

    assert header.stacks == [
        {"key": "MR|TE=2.5|FA=9|ECHO=1|TYPE=M|ORIENT=AX|MF=1", "frames": "1-3", "n": 3},
        {"key": "MR|TE=7.4|FA=9|ECHO=2|TYPE=M|ORIENT=AX|MF=1", "frames": "4-6", "n": 3},
    ]


def test_what_all_frames_share_is_said_once_and_the_rest_is_packed(tmp_path: Path) -> None:
    frames = [a_frame(float(z), MREchoSequence=echo(2.5)) for z in range(4)]

    header = read_object(tmp_path, an_object(frames))

    assert (header.shared["echo_time"], header.shared["repetition_time"], header.shared["enhanced"]) == (2.5, 500.0, True)
    assert header.image["image_orientation_patient"] == AXIAL
    assert list(header.image["frames"]["columns"]) == ["image_position_patient"]
    assert unpacked(header.image["frames"]["columns"]["image_position_patient"]) == [[0.0, 0.0, float(z)] for z in range(4)]


def test_a_frames_own_value_stands_before_the_shared_one(tmp_path: Path) -> None:
    own = macro(RepetitionTime=900.0, FlipAngle=9.0)
    frames = [a_frame(0.0), a_frame(2.0, MRTimingAndRelatedParametersSequence=own)]

    header = read_object(tmp_path, an_object(frames))

    assert unpacked(header.image["frames"]["columns"]["repetition_time"]) == [500.0, 900.0]
    assert "repetition_time" not in header.shared


def test_mixed_at_the_top_gives_way_to_the_component_of_the_frame(tmp_path: Path) -> None:
    frames = [a_frame(0.0, MRImageFrameTypeSequence=macro(ComplexImageComponent=word)) for word in ("MAGNITUDE", "REAL")]

    header = read_object(tmp_path, an_object(frames, ComplexImageComponent="MIXED"))

    assert [parsed_key(stack["key"])["TYPE"] for stack in header.stacks] == ["M", "R"]


def test_diffusion_weighted_frames_stay_one_stack_of_several_volumes(tmp_path: Path) -> None:
    weightings = [macro(DiffusionBValue=b_value) for b_value in (0.0, 1000.0)]
    frames = [a_frame(z, MRDiffusionSequence=weighting) for weighting in weightings for z in (0.0, 2.0, 4.0)]

    header = read_object(tmp_path, an_object(frames))
    (stack,) = header.stacks
    image = {"sop": header.sop_instance_uid, "shared": header.shared, "image": header.image, "frames": stack["frames"], "n": stack["n"]}
    described = describe(stack["key"], [image])

    assert (described["n_volumes"], described["b_values"]) == (2, [0.0, 1000.0])
    assert described["geometry"]["volumes_axis"] == "diffusion"


def test_fewer_groups_than_frames_are_counted_as_odd(tmp_path: Path) -> None:
    header = read_object(tmp_path, an_object([a_frame(0.0), a_frame(2.0)], NumberOfFrames=3))

    assert header.diagnostics == {"frame_count_mismatch": 1}
    assert [stack["n"] for stack in header.stacks] == [2]


def test_more_stacks_than_can_be_kept_apart_are_one_stack(tmp_path: Path) -> None:
    header = read_object(tmp_path, an_object([a_frame(0.0, MREchoSequence=echo(float(te))) for te in range(1, 70)]))

    assert (len(header.stacks), header.stacks[0]["n"], header.diagnostics) == (1, 69, {"stack_cap": 1})


def test_an_empty_group_sequence_is_no_group(tmp_path: Path) -> None:
    frames: list[Dataset] = []
    dataset = an_object(frames, NumberOfFrames=2)
    dataset.SharedFunctionalGroupsSequence = Sequence([])

    assert "enhanced" not in read_object(tmp_path, dataset).shared
