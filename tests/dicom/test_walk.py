"""Claims about the quick way through a header: what it takes it reads as pydicom does, and everything else it leaves to pydicom."""

import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom.conftest import RealDicom
from dicom.corruption import by_walk, walked
from dicom.headers import a_dataset, a_file, header_of, with_raw_value
from dicom.trial import Trial, by_pydicom, whole_headers
from gyrus.dicom import Header, read
from gyrus.dicom import moulds as learning
from gyrus.dicom.by_pydicom import read_by_pydicom
from gyrus.dicom.fields import STANDARD
from gyrus.dicom.judging import Parsed
from gyrus.dicom.parse import MISMATCH, moulds_of

SETS = ("dcm_qa_pdt2", "dcm_qa_enh", "heudiconv", "wg04", "dcm_qa_xa30", "dcm_qa_ts", "dcm_qa_me", "dcm_qa_cs_dl")
LONGEST = 1 << 16  # bytes of a header that is damaged here; longer ones in tests/soak


def an_image(**elements: Any) -> Dataset:
    """An image with elements of every kind: texts, numbers, sequences of defined and undefined length, private ones."""
    ordinary = {"SeriesDescription": "T1 mprage", "PatientName": "A^B", "InstanceNumber": 7, "ImagePositionPatient": [1.5, -2.25, 3.0]}
    dataset = a_dataset(**ordinary | elements)
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    dataset.ReferencedImageSequence = Sequence([item, item])
    dataset["ReferencedImageSequence"].is_undefined_length = True
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", "1000")
    return dataset


def content_of(folder: Path, dataset: Dataset) -> bytes:
    return a_file(folder, dataset).read_bytes()


def cause_of(path: Path) -> str:
    header = read(path)
    assert isinstance(header, Header), header
    return header.unusual


def an_implicit_file(folder: Path) -> Path:
    """An ordinary image whose elements have no VR."""
    path = folder / "implicit"
    dataset = an_image()
    a_file(folder, dataset)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True, implicit_vr=True, little_endian=True)
    return path


# ── what it takes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_ordinary_file_is_read_by_the_walk(tmp_path: Path) -> None:
    assert cause_of(a_file(tmp_path, an_image())) == ""


def test_an_implicit_file_is_ordinary_too(tmp_path: Path) -> None:
    path = an_implicit_file(tmp_path)

    assert cause_of(path) == ""
    assert by_walk(path.read_bytes()) == by_pydicom(path.read_bytes())


texts = st.text(st.characters(codec="latin-1", exclude_characters="\\\r\n\f\x1b"), max_size=20)
numbers = st.floats(-1000, 1000, width=16)
images = st.fixed_dictionaries(
    {
        "SeriesDescription": texts,
        "ImageComments": texts,
        "InstanceNumber": st.integers(0, 10**6),
        "SliceLocation": numbers,
        "ImagePositionPatient": st.lists(numbers, min_size=3, max_size=3),
        "EchoTime": st.sampled_from([2.5, 10, 99.125]),
        "SpecificCharacterSet": st.sampled_from([None, "ISO_IR 100", "ISO_IR 192"]),
        "Manufacturer": st.sampled_from(["SIEMENS", "GE MEDICAL SYSTEMS", "x"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(images, min_size=2, max_size=6))
def test_what_was_learned_from_other_files_does_not_change_what_a_file_says(tmp_path_factory: pytest.TempPathFactory, several: Any) -> None:
    folder = tmp_path_factory.mktemp("images")
    contents = [content_of(folder, an_image(**elements)) for elements in several]

    expected = [by_pydicom(content) for content in contents]

    assert [by_walk(content) for content in contents] == expected
    assert [by_walk(content) for content in reversed(contents)] == expected[::-1]


@pytest.mark.parametrize("name", SETS)
def test_both_ways_say_the_same_of_real_files(real_dicom: RealDicom, name: str) -> None:
    asked = taken = 0
    for path in sorted(real_dicom(name).rglob("*")):
        if not path.is_file() or not path.stat().st_size:
            continue
        with path.open("rb", buffering=0) as file:
            assert isinstance(file, io.FileIO)
            quick = walked(file, path.stat().st_size)
            asked += 1
            if isinstance(quick, Parsed):
                taken += 1
                assert quick == read_by_pydicom(file, path.stat().st_size, STANDARD), path.name

    assert taken > 0.8 * asked


@pytest.mark.parametrize("name", ["dcm_qa_me", "dcm_qa_pdt2", "dcm_qa_stc"])
def test_hardly_any_classic_mr_file_is_left_to_pydicom(real_dicom: RealDicom, name: str) -> None:
    answers = [read(path) for path in real_dicom(name).rglob("*") if path.is_file()]
    headers = [one for one in answers if isinstance(one, Header) and one.shared["transfer_syntax_uid"] == "1.2.840.10008.1.2.1"]
    classic = [one for one in headers if one.shared["modality"] == "MR" and "enhanced" not in one.shared]

    assert len(classic) > 10
    assert sum(bool(one.unusual) for one in classic) < 0.01 * len(classic)


# ── what it leaves alone ─────────────────────────────────────────────────────────────────────────────────────────────


def with_tag(content: bytes, old: tuple[int, int], new: tuple[int, int]) -> bytes:
    return content.replace(struct.pack("<HH", *old), struct.pack("<HH", *new))


@pytest.mark.parametrize(
    ("cause", "change"),
    [
        ("no_preamble", lambda c: c[132:]),
        ("no_meta_length", lambda c: c[:132] + c[144:]),
        ("meta_length", lambda c: c[:140] + struct.pack("<I", 1 << 20) + c[144:]),
        ("order", lambda c: with_tag(c, (0x0008, 0x0060), (0x0008, 0x0001))),
        ("vr", lambda c: c.replace(b"\x18\x00\x81\x00DS", b"\x18\x00\x81\x00DX")),
        ("charset", lambda c: c.replace(b"\x08\x00\x05\x00CS", b"\x08\x00\x05\x00LO")),
        ("undefined_length", lambda c: c.replace(b"\x08\x00\x40\x11SQ", b"\x08\x00\x40\x11OB")),
    ],
)
def test_each_sign_of_something_unusual_leaves_the_file_to_pydicom(tmp_path: Path, cause: str, change: Any) -> None:
    content = content_of(tmp_path, an_image(SpecificCharacterSet="ISO_IR 100"))
    path = tmp_path / "changed"
    path.write_bytes(change(content))

    assert path.read_bytes() != content
    assert cause_of(path) == cause


def test_only_the_dictionary_says_what_is_a_sequence_in_an_implicit_file(tmp_path: Path) -> None:
    path = an_implicit_file(tmp_path)
    path.write_bytes(with_tag(path.read_bytes(), (0x0008, 0x1140), (0x0008, 0x1141)))

    assert cause_of(path) == "undefined_length"


def test_a_character_set_of_another_vr_inside_an_item_is_left_to_pydicom(tmp_path: Path) -> None:
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 100"
    dataset = an_image(ReferencedStudySequence=Sequence([item]))
    dataset["ReferencedStudySequence"].is_undefined_length = True
    content = content_of(tmp_path, dataset)

    assert isinstance(by_walk(content), Parsed)
    assert by_walk(content.replace(b"\x08\x00\x05\x00CS", b"\x08\x00\x05\x00FD")) is None
    assert by_walk(content.replace(b"ISO_IR 100", b"ISO_IR\x00100")) is None


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_encodings_that_few_use_are_left_to_pydicom(tmp_path: Path, syntax: str) -> None:
    dataset = a_dataset()
    a_file(tmp_path, dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    path = tmp_path / "encoded"
    dataset.save_as(path, enforce_file_format=True)

    assert cause_of(path) == "transfer_syntax"


def test_a_length_beyond_the_file_costs_no_memory(tmp_path: Path) -> None:
    content = content_of(tmp_path, an_image())
    place = content.index(b"\x40\x11SQ") + 6
    for length in (1 << 20, 0x7FFFFFFF, 0xFFFFFFFE):
        tracemalloc.start()
        assert by_walk(content[:place] + struct.pack("<I", length) + content[place + 4 :]) is None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_damaged_header_of_a_thousand_says_something_else_than_to_pydicom(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(content_of(tmp_path, an_image()))
    trial = Trial(whole_headers([path], LONGEST), seed=14)

    trial.run(1000)

    assert trial.found == []


def test_no_damaged_header_of_real_files_says_something_else_crashes_hangs_or_takes_much_memory(real_dicom: RealDicom) -> None:
    paths = [path for name in SETS for path in sorted(real_dicom(name).rglob("*"))[::3] if path.is_file()]
    trial = Trial(whole_headers(paths, LONGEST), seed=14, measured=50)

    trial.run(5000)

    assert trial.found == []
    assert trial.tried["all"] == 5000
    assert trial.tried["taken"] > 1000  # else nothing was compared


@pytest.mark.parametrize("padding", [b"\0", b" ", b"\0\0\0", b" \0 "])
def test_a_character_set_is_known_however_it_is_padded(tmp_path: Path, padding: bytes) -> None:
    path = a_file(tmp_path, an_image(SpecificCharacterSet="GB18030", SeriesDescription="头部"))
    content = with_raw_value(path, 0x00080005, b"CS", b"GB18030" + padding).read_bytes()

    quick = by_walk(content)

    assert isinstance(quick, Parsed)
    assert quick.shared["series_description"] == "头部"
    assert quick == by_pydicom(content)


def test_a_date_of_another_length_in_a_known_run_is_seen(tmp_path: Path) -> None:
    path = a_file(tmp_path, an_image(StudyDate="20200131"))
    read(path)

    header = read(with_raw_value(path, 0x00080020, b"DA", b"20200101"))

    assert isinstance(header, Header)
    assert header.shared["study_date"] == "2020-01-01"


# ── the watch over it ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_difference_between_the_ways_is_noticed_and_pydicom_is_believed(tmp_path: Path) -> None:
    path = a_file(tmp_path, an_image(ProtocolName="true"))
    first, second = header_of(path), header_of(path)
    assert first == second
    second.shared["protocol_name"] = "false"  # what nobody may do: it is the very answer that is remembered

    unchecked, checked = header_of(path), read(path, is_checked=True)
    moulds_of.cache_clear()

    assert isinstance(checked, Header)
    assert (unchecked.shared["protocol_name"], checked.shared["protocol_name"]) == ("false", "true")
    assert checked.unusual == MISMATCH


def test_what_was_learned_is_forgotten_before_it_takes_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MOST_BYTES", 5000)
    monkeypatch.setattr(learning, "MOST_LAYOUTS", 2)
    contents = [
        content_of(tmp_path, an_image(SeriesInstanceUID=f"1.{number}", StudyDescription="x" * number or None)) for number in range(40)
    ]
    contents += [content_of(tmp_path, an_image(SeriesInstanceUID="1", InstanceNumber=number)) for number in range(40)]

    assert [by_walk(content) for content in contents] == [by_pydicom(content) for content in contents]
    assert 0 < moulds_of(STANDARD).kept_bytes <= 5000
