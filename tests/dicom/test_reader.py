import gzip
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom.headers import a_dataset, a_file, header_of, reason_of, with_raw_value
from gyrus.dicom import REJECT_REASONS, RETRYABLE, Header, Rejected, read
from gyrus.dicom import by_pydicom as parsing
from gyrus.dicom.diagnostics import is_listed

STUDY_UID = b"\x20\x00\x0d\x00UI"  # tag and value representation of (0020,000D)


def without_preamble(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[132:])
    return path


def test_an_image_becomes_a_header_of_plain_values(tmp_path: Path) -> None:
    header = header_of(a_file(tmp_path, a_dataset(SeriesDescription="T1", InstanceNumber=7)))

    assert (header.sop_instance_uid, header.series_instance_uid, header.study_instance_uid) == ("1.2.3.4", "1.2.3", "1.2")
    assert (header.shared["series_description"], header.image["instance_number"]) == ("T1", 7)
    assert header.stacks == [{"key": "MR|TE=2.5|TYPE=M|ORIENT=UNK", "frames": None, "n": 1}]
    assert json.loads(json.dumps([header.shared, header.image])) == [header.shared, header.image]
    assert pickle.loads(pickle.dumps(header)) == header


def test_two_images_of_a_series_share_one_block(tmp_path: Path) -> None:
    first = header_of(a_file(tmp_path, a_dataset(InstanceNumber=1, ImagePositionPatient=[0, 0, 1]), "1"))
    second = header_of(a_file(tmp_path, a_dataset(SOPInstanceUID="1.2.3.5", InstanceNumber=2, ImagePositionPatient=[0, 0, 3]), "2"))

    assert first.shared == second.shared
    assert first.image != second.image


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset())
    stat = path.stat()

    header = header_of(path)

    assert (header.size, header.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"x", "not_dicom"),
        (b"# A folder of images\n" * 40, "not_dicom"),
        (gzip.compress(b"x" * 400, mtime=0), "compressed_container"),
        (b"PK\x03\x04" + b"\0" * 400, "compressed_container"),
        (b"\0" * 128 + b"DICM", "corrupt_header"),
        (b"\0" * 128 + b"DICM" + b"\x07noise" * 40, "corrupt_header"),
    ],
)
def test_what_is_no_dicom_file_is_refused_by_its_bytes(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(content)

    assert reason_of(path) == reason


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "Modality": "SR", "PixelData": None}, "non_image_object"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "Modality": "SEG"}, "non_image_object"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66", "PixelData": None}, "non_image_object"),
        ({"SOPClassUID": "1.2.840.10008.1.3.10"}, "dicomdir"),
        ({"SeriesInstanceUID": None}, "missing_uid"),
        ({"StudyInstanceUID": ""}, "missing_uid"),
        ({"PixelData": None}, "missing_pixel_data"),
        ({"SOPClassUID": "1.2.3.9", "Modality": None}, "missing_modality"),
    ],
)
def test_an_object_that_is_no_image_of_ours_is_refused_with_its_reason(tmp_path: Path, elements: dict[str, Any], reason: str) -> None:
    assert reason_of(a_file(tmp_path, a_dataset(**elements))) == reason


@pytest.mark.parametrize("bytes_of_it", [1, 4, 6, 7, 8, 9])
def test_a_header_that_breaks_off_within_an_element_before_the_identifiers_is_corrupt(tmp_path: Path, bytes_of_it: int) -> None:
    path = a_file(tmp_path, a_dataset())
    whole = path.read_bytes()

    path.write_bytes(whole[: whole.index(STUDY_UID) + bytes_of_it])

    assert reason_of(path) == "corrupt_header"


def test_a_missing_modality_follows_from_the_class(tmp_path: Path) -> None:
    assert header_of(a_file(tmp_path, a_dataset(Modality=None))).shared["modality"] == "MR"


def test_a_path_that_is_gone_has_vanished(tmp_path: Path) -> None:
    assert read(tmp_path / "gone") == Rejected("vanished", "", 0, 0)


def test_a_pipe_a_folder_or_a_link_in_the_place_of_a_file_means_that_it_vanished(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(a_file(tmp_path, a_dataset()))

    assert [reason_of(path) for path in (tmp_path / "pipe", tmp_path, tmp_path / "link")] == ["vanished"] * 3


def test_a_file_that_grows_while_it_is_read_is_still_changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = without_preamble(a_file(tmp_path, a_dataset()))  # which pydicom reads, in several steps
    looks_like = parsing.looks_like

    def grow(head: bytes) -> str:
        with path.open("ab") as file:
            file.write(b"more")
        return looks_like(head)

    monkeypatch.setattr(parsing, "looks_like", grow)

    assert reason_of(path) == "still_changing"


def test_a_header_beyond_the_limit_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "LARGEST_HEADER", 1 << 17)

    assert reason_of(without_preamble(a_file(tmp_path, a_dataset(EncapsulatedDocument=b"x" * (1 << 18))))) == "too_large"


def test_a_deflated_header_that_inflates_without_end_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "LARGEST_HEADER", 1 << 20)
    path = a_file(tmp_path, a_dataset())
    content = path.read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")
    meta = content[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    grown = meta[:140] + (len(meta) - 144).to_bytes(4, "little") + meta[144:]
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    path.write_bytes(grown.replace(b"UI\x14\x001.2.840.10008.1.2.1.99", b"UI\x16\x001.2.840.10008.1.2.1.99"))
    with path.open("ab") as file:
        file.write(deflate.compress(b"\0" * (4 << 20)) + deflate.flush())

    assert reason_of(path) == "too_large"


def test_cut_pixels_are_seen_without_reading_them(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset())
    os.truncate(path, path.stat().st_size - 3)

    header = header_of(path)

    assert header.diagnostics == {"pixel_data_truncated": 1}
    assert (header.image["pixel_data_truncated"], header.image["pixel_length"]) == (True, 8)


@pytest.mark.parametrize(
    ("tag", "vr", "written", "diagnostics", "echo_time"),
    [
        (0x00180081, b"DS", b"4,90", {}, 4.9),
        (0x00180081, b"DS", b"4.9\\7.4 ", {"multi_valued:echo_time": 1}, 4.9),
        (0x00180081, b"DS", b"NaN ", {"value_invalid:echo_time": 1}, None),
    ],
)
def test_a_bad_number_costs_its_field_and_is_counted(
    tmp_path: Path, tag: int, vr: bytes, written: bytes, diagnostics: dict[str, int], echo_time: float | None
) -> None:
    header = header_of(with_raw_value(a_file(tmp_path, a_dataset()), tag, vr, written))

    assert (header.shared.get("echo_time"), header.diagnostics) == (echo_time, diagnostics)


def test_text_in_no_declared_character_set_is_kept_and_counted(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset(SeriesDescription="Schadel"))

    header = header_of(with_raw_value(path, 0x0008103E, b"LO", "Schädel ".encode("latin-1")))

    assert (header.shared["series_description"], header.diagnostics) == ("Schädel", {"charset_fallback": 1})


def test_a_malformed_identifier_is_kept_as_it_is(tmp_path: Path) -> None:
    header = header_of(with_raw_value(a_file(tmp_path, a_dataset()), 0x00080018, b"UI", b"1.2.x "))

    assert (header.sop_instance_uid, header.diagnostics) == ("1.2.x", {"uid_malformed": 1})


def test_a_field_strength_in_gauss_is_told_in_tesla(tmp_path: Path) -> None:
    assert header_of(a_file(tmp_path, a_dataset(MagneticFieldStrength="15000"))).shared["magnetic_field_strength"] == 1.5


def test_a_detail_names_neither_patient_nor_path(tmp_path: Path) -> None:
    rejected = read(a_file(tmp_path, a_dataset(PatientName="Doe^Jane", PatientID="4711", SeriesInstanceUID=None)))

    assert rejected == Rejected("missing_uid", "series_instance_uid", rejected.size, rejected.mtime_ns)


def test_only_reasons_of_the_list_are_given() -> None:
    with pytest.raises(ValueError, match="allowed are"):
        Rejected("odd", "", 0, 0)
    assert REJECT_REASONS.keys() >= RETRYABLE


def a_nested_dataset(depth: int) -> Dataset:
    dataset = a_dataset()
    for _ in range(depth):
        outer = a_dataset()
        outer.ReferencedImageSequence = Sequence([dataset])
        dataset = outer
    return dataset


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_damage_makes_the_reader_fail(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(a_file(tmp_path, a_nested_dataset(2)).read_bytes())
    for place in data.draw(st.lists(st.integers(128, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    answer = read(path)

    assert not isinstance(answer, Header) or all(is_listed(code) for code in answer.diagnostics)
    assert isinstance(answer, Header) or answer.reason not in RETRYABLE, answer
    assert isinstance(answer, Header) or len(answer.detail) <= 200
