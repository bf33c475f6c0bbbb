"""Claims about what is remembered of the files of a series: it makes reading quicker, and never says anything else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.conftest import RealDicom
from dicom.corruption import by_walk, in_memory
from dicom.headers import a_dataset, a_file, header_of, with_raw_value
from dicom.makers import CSA, SIEMENS, csa, with_private
from gyrus.dicom import Header, read, remembered
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.judging import Failure, Parsed
from gyrus.dicom.parse import moulds_of


@pytest.fixture(autouse=True)
def nothing_learned() -> None:
    moulds_of.cache_clear()


def by_pydicom(content: bytes) -> Parsed | Failure:
    with in_memory(content) as file:
        return read_by_pydicom(file, len(content), STANDARD)


def an_image(number: int, **elements: Any) -> Dataset:
    """One image of a Siemens series."""
    item = Dataset()
    item.ReferencedSOPInstanceUID = f"1.2.{elements.pop('referenced', 3)}"
    b_value, direction, in_csa = elements.pop("b_value", 0), elements.pop("direction", None), elements.pop("in_csa", None)
    blocks: list[Any] = [(0x0019, SIEMENS, 0x0C, "IS", str(b_value))] if b_value is not None else []
    blocks += [(0x0019, SIEMENS, 0x0D, "CS", direction)] if direction else []
    blocks += [(0x0029, CSA, 0x10, "OB", csa({"B_value": [in_csa], "SliceNormalVector": ["0", "0", str(number)]}))] if in_csa else []
    ordinary = {
        "Manufacturer": "SIEMENS",
        "SOPInstanceUID": f"1.2.{number}",
        "InstanceNumber": number,
        "ImagePositionPatient": [0.5, -number, 2 * number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "AcquisitionDate": "20200131",
        "AcquisitionTime": f"1010{number % 60:02}.5",
        "WindowCenter": 100 + number,
    }
    dataset = with_private(a_dataset(**ordinary | elements), blocks)
    dataset.ReferencedImageSequence = Sequence([item])
    dataset["ReferencedImageSequence"].is_undefined_length = True
    return dataset


def read_all(folder: Path, images: list[Dataset]) -> list[Header]:
    return [header_of(a_file(folder, image, str(place))) for place, image in enumerate(images)]


# ── what is shared ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_images_of_a_series_share_what_they_have_in_common_and_keep_their_own(tmp_path: Path) -> None:
    *_, third, fourth = read_all(tmp_path, [an_image(number) for number in range(4)])

    assert third.shared is fourth.shared
    assert (third.image["instance_number"], fourth.image["instance_number"]) == (2, 3)
    assert fourth.image["image_position_patient"] == [0.5, -3.0, 6.0]
    assert fourth.image["acquisition_date_time"] == "2020-01-31T10:10:03.5"


def test_the_next_series_of_a_scanner_is_known_from_its_second_image_on(tmp_path: Path) -> None:
    read_all(tmp_path, [an_image(number, ProtocolName="one") for number in range(3)])

    first, second = read_all(tmp_path, [an_image(number, SeriesInstanceUID="1.9", ProtocolName="other") for number in (7, 8)])

    assert first.shared is second.shared
    assert second.shared["protocol_name"] == "other"
    assert second.image["instance_number"] == 8


# ── and never says anything else ─────────────────────────────────────────────────────────────────────────────────────

texts = st.sampled_from(["one", "two", "", "Größe", "\x1b", "a\\b"])
images = st.fixed_dictionaries(
    {},
    optional={
        "AcquisitionTime": st.sampled_from(["101010.25", "", "noon", "250000"]),
        "AcquisitionDate": st.sampled_from(["20200131", "19000101", ""]),
        "ImageComments": texts,
        "SeriesDescription": texts,
        "SpecificCharacterSet": st.sampled_from(["ISO_IR 100", "ISO_IR 192", "unheard of"]),
        "SOPInstanceUID": st.sampled_from(["1.2.77", "1.2.A", "1" * 65]),
        "EchoTime": st.sampled_from(["2.5", "5", "5\\7", ""]),
        "ImageType": st.sampled_from([["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P", "MOSAIC"]]),
        "ImageOrientationPatient": st.sampled_from([[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]]),
        "SequenceName": st.sampled_from(["*ep_b0", "*ep_b1000#3", "fl3d"]),
        "WindowCenter": st.sampled_from(["40", "40\\80", "1.7e38", ""]),
        "SliceLocation": st.floats(-1000, 1000, width=16),
        "DiffusionBValue": st.sampled_from([0.0, 1000.0]),
        "PixelRepresentation": st.sampled_from([0, 1]),
        "SeriesInstanceUID": st.sampled_from(["1.2.3", "1.2.4"]),
        "b_value": st.sampled_from([None, 0, 50, 1000]),
        "in_csa": st.sampled_from([None, "0", "700"]),
        "referenced": st.sampled_from([3, 33, 333]),
    },
)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=80, deadline=None)
@given(st.lists(images, min_size=2, max_size=8))
def test_whatever_was_read_before_in_whatever_order_a_file_says_the_same(tmp_path_factory: pytest.TempPathFactory, several: Any) -> None:
    folder = tmp_path_factory.mktemp("images")
    moulds_of.cache_clear()
    contents = [a_file(folder, an_image(number, **elements)).read_bytes() for number, elements in enumerate(several)]

    expected = [by_pydicom(content) for content in contents]

    assert [by_walk(content) or unsaid for content, unsaid in zip(contents, expected, strict=True)] == expected
    assert [by_walk(content) or unsaid for content, unsaid in zip(contents[::-1], expected[::-1], strict=True)] == expected[::-1]
    assert [by_walk(content) or unsaid for content, unsaid in zip(contents, expected, strict=True)] == expected


@pytest.mark.parametrize("name", ["dcm_qa_pdt2", "dcm_qa_stc", "dcm_qa_uih"])
def test_real_files_say_the_same_in_one_process_and_each_in_a_fresh_one(real_dicom: RealDicom, name: str) -> None:
    paths = [path for path in sorted(real_dicom(name).rglob("*")) if path.is_file()]
    together = [[read(path) for path in order] for order in (paths, paths[::-1])]

    alone = []
    for path in paths:
        moulds_of.cache_clear()
        alone.append(read(path))

    assert together == [alone, alone[::-1]]


def test_an_answer_that_follows_from_other_bytes_is_worked_out_anew(tmp_path: Path) -> None:
    found = read_all(tmp_path, [an_image(number, EchoTime=echo) for number, echo in enumerate(["2.5", "5", "2.5", "5", "7.5"])])

    assert [header.shared["echo_time"] for header in found] == [2.5, 5.0, 2.5, 5.0, 7.5]
    assert len({header.stacks[0]["key"] for header in found}) == 3
    assert found[1].shared is found[3].shared


PLANES = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])


@pytest.mark.parametrize(
    ("changing", "name", "expected"),
    [
        ([{"ImageOrientationPatient": plane} for plane in PLANES], "stack key", ["ORIENT=AX", "ORIENT=COR", "ORIENT=SAG"]),
        ([{"SequenceName": name, "b_value": None} for name in ("ep_b0", "ep_b50")], "diffusion_b_value", [0.0, 50.0]),
        (
            [{"DiffusionBValue": b, "b_value": 50, "direction": "DIRECTIONAL"} for b in (50.0, 0.0)],
            "diffusion_directionality",
            ["DIRECTIONAL", None],
        ),
        ([{"in_csa": b, "b_value": None} for b in ("50", "70")], "diffusion_b_value", [50.0, 70.0]),
        ([{"ImageComments": text} for text in ("MB3", "MB4")], "multiband_factor", [3.0, 4.0]),
    ],
)
def test_what_follows_from_the_value_of_an_image_follows_in_every_file(
    tmp_path: Path, changing: list[dict[str, Any]], name: str, expected: list[Any]
) -> None:
    found = read_all(tmp_path, [an_image(number, **elements) for number, elements in enumerate(changing * 4)])

    said = [header.stacks[0]["key"] if name == "stack key" else (header.shared | header.image).get(name) for header in found]
    assert [value if value is None or name != "stack key" else value.split("|")[-1] for value in said] == expected * 4


@pytest.mark.parametrize(
    ("tag", "vr", "value", "flaw", "kept"),
    [
        (0x00281050, b"DS", b"none", "value_invalid:window_center", None),
        (0x00201041, b"DS", b"5\\6 ", "multi_valued:slice_location", 5.0),
        (0x00080018, b"UI", b"1.2.A ", "uid_malformed", "1.2.A"),
        (0x00204000, b"LT", b"Gr\xf6\xdfe ", "charset_fallback", "Größe"),
    ],
)
def test_a_fault_in_a_value_of_an_image_is_counted_for_that_image_alone(
    tmp_path: Path, tag: int, vr: bytes, value: bytes, flaw: str, kept: Any
) -> None:
    paths = [a_file(tmp_path, an_image(number, SliceLocation=number, ImageComments=f"{number}"), str(number)) for number in range(5)]
    with_raw_value(paths[3], tag, vr, value)

    found = [header_of(path) for path in paths]

    assert [list(header.diagnostics) for header in found] == [[], [], [], [flaw], []]
    assert found[3].image.get(STANDARD.by_tag[tag].name) == kept


def test_pixels_that_break_off_are_noticed_in_every_file(tmp_path: Path) -> None:
    paths = [a_file(tmp_path, an_image(number), str(number)) for number in range(5)]
    paths[3].write_bytes(paths[3].read_bytes()[:-3])

    assert [header_of(path).image.get("pixel_data_truncated") for path in paths] == [None, None, None, True, None]


def test_answers_are_forgotten_before_they_take_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_ANSWERS", 3)
    monkeypatch.setattr(remembered, "LONGEST_KEY", 12)
    echoes = ["2.5", "5", "7.5", "10", "12.5", "1" + 12 * "0"] * 2

    found = read_all(tmp_path, [an_image(number, EchoTime=echo) for number, echo in enumerate(echoes)])

    assert [header.shared["echo_time"] for header in found] == [float(echo) for echo in echoes]
