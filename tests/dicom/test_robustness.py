"""What real files do, one claim each: odd containers, odd encodings, odd values. (What is refused, and cut pixels: test_reader.)"""

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from dicom.headers import a_dataset, a_file, header_of, reason_of, with_raw_value
from gyrus.dicom import Header, Rejected, read

SERIES_DESCRIPTION, ECHO_TIME, SOP_UID, SERIES_UID = 0x0008103E, 0x00180081, 0x00080018, 0x0020000E
STORAGE = "1.2.840.10008.5.1.4.1.1."


def a_plain_file(folder: Path, dataset: Dataset, *, implicit: bool = False, little: bool = True) -> Path:
    """The bare data set, as old exports have it: no preamble, no file meta."""
    path = folder / "bare"
    dcmwrite(path, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    return path


def an_encoded_file(folder: Path, syntax: str, dataset: Dataset | None = None) -> Path:
    dataset = dataset or a_dataset(SeriesDescription="T1", ImagePositionPatient=[1, 2, 3])
    path = a_file(folder, dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


# ── containers and encodings ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("implicit", [True, False])
def test_a_file_without_preamble_is_read_if_it_begins_like_a_data_set(tmp_path: Path, implicit: bool) -> None:
    path = a_plain_file(tmp_path, a_dataset(SeriesDescription="T1"), implicit=implicit)

    assert header_of(path).shared["series_description"] == "T1"


@pytest.mark.parametrize("missing", ["SOPInstanceUID", "SeriesInstanceUID"])
def test_a_file_without_preamble_counts_only_if_it_says_what_it_is(tmp_path: Path, missing: str) -> None:
    assert reason_of(a_plain_file(tmp_path, a_dataset(**{missing: None}))) == "missing_uid"


@pytest.mark.parametrize("implicit", [True, False])
def test_a_preamble_without_file_meta_is_enough(tmp_path: Path, implicit: bool) -> None:
    path = a_plain_file(tmp_path, a_dataset(SeriesDescription="T1"), implicit=implicit)
    path.write_bytes(b"\0" * 128 + b"DICM" + path.read_bytes())

    assert header_of(path).shared["series_description"] == "T1"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_encoding_of_a_header_says_the_same(tmp_path: Path, syntax: str) -> None:
    header = header_of(an_encoded_file(tmp_path, syntax))

    assert (header.shared["series_description"], header.shared["echo_time"]) == ("T1", 2.5)
    assert (header.image["image_position_patient"], header.shared["rows"]) == ([1.0, 2.0, 3.0], 2)
    assert header.shared["transfer_syntax_uid"] == syntax


def test_a_file_in_fragments_is_read_without_its_fragments(tmp_path: Path) -> None:
    dataset = a_dataset(PixelData=encapsulate([b"\1" * 100, b"\2" * 100]))
    dataset["PixelData"].is_undefined_length = True

    header = header_of(an_encoded_file(tmp_path, JPEG2000Lossless, dataset))

    assert (header.image["pixel_length"], header.diagnostics) == (-1, {})


@pytest.mark.parametrize("vr", [b"UN", b"OB", b"LO"])
def test_a_known_element_is_read_by_its_meaning_whatever_representation_the_writer_named(tmp_path: Path, vr: bytes) -> None:
    path = a_file(tmp_path, a_dataset())
    element = struct.pack("<HH", 0x0018, 0x0081)
    long = b"\0\0" + struct.pack("<I", 4) if vr in (b"UN", b"OB") else struct.pack("<H", 4)
    path.write_bytes(path.read_bytes().replace(element + b"DS" + struct.pack("<H", 4) + b"2.5 ", element + vr + long + b"7.5 "))

    assert header_of(path).shared["echo_time"] == 7.5


@pytest.mark.parametrize(("written", "value"), [(b"T1w", "T1w"), (b"", None), (b"  ", None), (b"\0\0", None)])
def test_odd_and_empty_values_are_read_as_they_are(tmp_path: Path, written: bytes, value: str | None) -> None:
    path = a_file(tmp_path, a_dataset(SeriesDescription="xx"))

    header = header_of(with_raw_value(path, SERIES_DESCRIPTION, b"LO", written))

    assert (header.shared.get("series_description"), header.shared["echo_time"]) == (value, 2.5)


def nested(depth: int) -> Dataset:
    item = Dataset()
    item.CodeMeaning = "innermost"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([item, Dataset()])
        outer["ReferencedImageSequence"].is_undefined_length = True
        outer.is_undefined_length_sequence_item = True  # type: ignore[attr-defined]
        item = outer
    return item


def test_sequences_of_undefined_length_with_empty_items_are_walked_over(tmp_path: Path) -> None:
    dataset = a_dataset(SeriesDescription="T1", EchoTime="4.9")
    dataset.update(nested(6))

    header = header_of(a_file(tmp_path, dataset))

    assert (header.shared["series_description"], header.shared["echo_time"], header.diagnostics) == ("T1", 4.9, {})


def test_an_unknown_element_of_undefined_length_holds_implicit_items(tmp_path: Path) -> None:
    inner = struct.pack("<HHI", 0x0008, 0x0104, 4) + b"abcd"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    sequence = (
        struct.pack("<HH", 0x0009, 0x1001) + b"UN\0\0" + struct.pack("<I", 0xFFFFFFFF) + item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )
    path = a_file(tmp_path, a_dataset())
    content = path.read_bytes()
    place = content.index(struct.pack("<HH", 0x0018, 0x0081) + b"DS")
    path.write_bytes(content[:place] + sequence + content[place:])

    assert header_of(path).shared["echo_time"] == 2.5


def test_a_large_private_block_is_passed_over_and_kept_nowhere(tmp_path: Path) -> None:
    dataset = a_dataset(SeriesDescription="T1")
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x20, "OB", b"\x07blob" * 2_000_000)

    header = header_of(a_file(tmp_path, dataset))

    assert header.shared["series_description"] == "T1"
    assert len(repr(header)) < 5_000


@pytest.mark.parametrize("tail", [struct.pack("<HH", 0xFFFC, 0xFFFC) + b"OB\0\0" + struct.pack("<I", 64) + b"\0" * 64, b"garbage" * 9])
def test_what_follows_the_pixels_is_never_looked_at(tmp_path: Path, tail: bytes) -> None:
    path = a_file(tmp_path, a_dataset())
    before = header_of(path)
    with path.open("ab") as file:
        file.write(tail)

    after = header_of(path)

    assert (after.shared, after.image, after.stacks, after.diagnostics) == (before.shared, before.image, before.stacks, {})


def test_a_file_of_more_than_four_gibibytes_has_its_whole_size(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset())
    os.truncate(path, 5 << 30)  # a hole: it takes no room

    assert (header_of(path).size, header_of(path).image["pixel_length"]) == (5 << 30, 8)


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset())
    odd = os.fsencode(tmp_path) + b"/caf\xe9"
    os.rename(path, odd)  # noqa: PTH104 - any bytes

    assert isinstance(read(os.fsdecode(odd)), Header)


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("declared", "written", "value", "flaws"),
    [
        ("ISO_IR 100", "Schädel".encode("latin-1"), "Schädel", 0),
        ("ISO_IR 192", "Schädel".encode(), "Schädel", 0),
        ("GB18030", "头部".encode("gb18030"), "头部", 0),
        ("ISO_IR 144", "Голова".encode("iso8859-5"), "Голова", 0),
        ("ISO_IR 13", "ﾔﾏﾀﾞ".encode("shift_jis"), "ﾔﾏﾀﾞ", 0),
        (r"\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B", "山田", 0),
        (r"\ISO 2022 IR 149", b"\x1b$)C" + "두부".encode("euc-kr"), "두부", 0),
        ("ISO IR 100", "Schädel".encode("latin-1"), "Schädel", 0),
        ("ISO-IR 100", "Schädel".encode("latin-1"), "Schädel", 0),
        ("ISO_IR_100", "Schädel".encode("latin-1"), "Schädel", 0),
        ("iso_ir 100", "Schädel".encode("latin-1"), "Schädel", 0),
        ("ISO_IR 192", "Schädel".encode("latin-1"), "Schädel", 1),
        (None, "Schädel".encode(), "Schädel", 1),
    ],
)
def test_a_text_is_decoded_by_its_character_set_even_if_that_is_misspelt(
    tmp_path: Path, declared: str | None, written: bytes, value: str, flaws: int
) -> None:
    path = a_file(tmp_path, a_dataset(SeriesDescription="x" * 40, SpecificCharacterSet="ISO_IR 100"))
    with_raw_value(path, SERIES_DESCRIPTION, b"LO", written)
    with_raw_value(path, 0x00080005, b"CS", (declared or "").encode())

    header = header_of(path)

    assert header.shared["series_description"] == value
    assert header.diagnostics.get("charset_fallback", 0) == flaws


def test_a_character_set_that_nobody_knows_is_guessed_and_counted(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset(SeriesDescription="x" * 40, SpecificCharacterSet="ISO_IR 100"))
    with_raw_value(path, SERIES_DESCRIPTION, b"LO", "Schädel".encode("latin-1"))
    with_raw_value(path, 0x00080005, b"CS", b"KLINGON ")

    header = header_of(path)

    assert header.shared["series_description"] == "Schädel"
    assert header.diagnostics["charset_fallback"] >= 1


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_keeps_all_its_values_and_a_single_field_the_first(tmp_path: Path) -> None:
    header = header_of(a_file(tmp_path, a_dataset(WindowCenter=["40", "400"], SoftwareVersions=["A", "B", "C"], EchoTime=["4.9", "7.4"])))

    assert header.image["window_center"] == [40.0, 400.0]
    assert header.shared["software_versions"] == ["A", "B", "C"]
    assert (header.shared["echo_time"], header.diagnostics) == (4.9, {"multi_valued:echo_time": 1})


@pytest.mark.parametrize(
    ("tag", "written", "kept", "diagnostics"),
    [
        (SOP_UID, b"1.02.003", "1.02.003", {}),
        (SOP_UID, b"1.2.3\0", "1.2.3", {}),
        (SOP_UID, b"1.2.3 ", "1.2.3", {}),
        (SOP_UID, b"1." + b"2" * 63, "1." + "2" * 63, {"uid_malformed": 1}),
        (SOP_UID, b"1.2.{x}", "1.2.{x}", {"uid_malformed": 1}),
    ],
)
def test_an_identifier_is_never_rewritten(tmp_path: Path, tag: int, written: bytes, kept: str, diagnostics: dict[str, int]) -> None:
    header = header_of(with_raw_value(a_file(tmp_path, a_dataset()), tag, b"UI", written))

    assert (header.sop_instance_uid, header.diagnostics) == (kept, diagnostics)


@pytest.mark.parametrize("written", [b"", b"  ", b"\0\0"])
def test_an_empty_identifier_is_none(tmp_path: Path, written: bytes) -> None:
    assert reason_of(with_raw_value(a_file(tmp_path, a_dataset()), SERIES_UID, b"UI", written)) == "missing_uid"


@pytest.mark.parametrize(
    ("sop_class", "written", "modality"),
    [
        ("128", "PET", "PT"),
        ("128", "pt", "PT"),
        ("4", "mr ", "MR"),
        ("4", None, "MR"),
        ("2", None, "CT"),
        ("130", None, "PT"),
        ("7", None, "OT"),
    ],
)
def test_a_modality_is_spelled_in_one_way_and_follows_from_the_class_if_it_is_missing(
    tmp_path: Path, sop_class: str, written: str | None, modality: str
) -> None:
    path = a_file(tmp_path, a_dataset(SOPClassUID=STORAGE + sop_class, Modality=written and "XX"))
    header = header_of(with_raw_value(path, 0x00080060, b"CS", written.encode()) if written else path)

    assert header.shared["modality"] == modality
    assert header.stacks[0]["key"].startswith(f"{modality}|")


@pytest.mark.parametrize(
    ("written", "years"), [(b"045Y", 45.0), (b"45Y ", 45.0), (b"45", 45.0), (b"6M", 0.5), (b"052W", 0.9966), (b"9x", None)]
)
def test_an_age_is_told_in_years(tmp_path: Path, written: bytes, years: float | None) -> None:
    path = with_raw_value(a_file(tmp_path, a_dataset(PatientAge="001Y")), 0x00101010, b"AS", written)

    assert header_of(path).shared.get("patient_age_years") == years


@pytest.mark.parametrize(("written", "value"), [(b"20200131", "2020-01-31"), (b"00000000", None), (b"19000101", None), (b"20200100", None)])
def test_a_date_that_is_none_costs_itself_only_and_is_counted(tmp_path: Path, written: bytes, value: str | None) -> None:
    header = header_of(with_raw_value(a_file(tmp_path, a_dataset(StudyDate="20210101")), 0x00080020, b"DA", written))

    assert (header.shared.get("study_date"), len(header.diagnostics)) == (value, int(value is None))


# ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("suffix", "what"),
    [
        ("88.11", "report"), ("88.59", "key objects"), ("88.67", "radiation dose"), ("66.4", "segmentation"), ("481.3", "structures"),
        ("481.2", "dose"), ("104.1", "document"), ("11.1", "presentation state"), ("66", "raw data"), ("4.2", "spectroscopy"),
        ("9.1.1", "waveform"),
    ],
)  # fmt: skip
def test_an_object_that_shows_no_patient_is_refused_with_the_name_of_its_class(tmp_path: Path, suffix: str, what: str) -> None:
    has_pixels = suffix in ("66.4", "481.2")
    elements: dict[str, Any] = {} if has_pixels else {"PixelData": None}

    rejected = read(a_file(tmp_path, a_dataset(SOPClassUID=STORAGE + suffix, **elements)))

    assert isinstance(rejected, Rejected), what
    assert rejected.reason == "non_image_object"
    assert rejected.detail and not rejected.detail.startswith("1.2.")


def test_a_screenshot_is_an_image_without_a_place_that_says_what_it_is(tmp_path: Path) -> None:
    image_type = ["DERIVED", "SECONDARY", "SCREEN SAVE"]

    header = header_of(a_file(tmp_path, a_dataset(SOPClassUID=STORAGE + "7", Modality="MR", ImageType=image_type)))

    assert header.shared["image_type"] == image_type
    assert header.stacks[0]["key"] == "MR|TE=2.5|ROLE=SCREEN SAVE|ORIENT=UNK"


# ── hostile files ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pixel_representation_written_as_text_does_not_hold_the_reader_up(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset(PixelRepresentation=1))
    content = path.read_bytes().replace(b"\x28\0\x03\1US\2\0\1\0", b"\x28\0\x03\1IS\2\x001 ")
    path.write_bytes(content)

    assert header_of(path).shared["pixel_representation"] == 1


@pytest.mark.parametrize(("frames", "kept"), [(b"-5", None), (b"0 ", None), (b"12", 12)])
def test_an_image_with_less_than_one_frame_is_one_image(tmp_path: Path, frames: bytes, kept: int | None) -> None:
    header = header_of(with_raw_value(a_file(tmp_path, a_dataset(NumberOfFrames="1")), 0x00280008, b"IS", frames))

    assert header.shared.get("number_of_frames") == kept
    assert header.stacks[0]["n"] == (kept or 1)
    assert header.diagnostics == ({} if kept else {"value_invalid:number_of_frames": 1})


def test_frames_beyond_counting_are_too_large_and_take_no_memory(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_dataset(NumberOfFrames="1", SharedFunctionalGroupsSequence=[Dataset()]))
    rejected = read(with_raw_value(path, 0x00280008, b"IS", b"2147483647"))

    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.detail) == ("too_large", "The object has 2147483647 frames, at most 32768.")


def test_a_number_that_nothing_can_have_is_no_value_and_makes_no_key_of_infinity(tmp_path: Path) -> None:
    path = with_raw_value(a_file(tmp_path, a_dataset(FlipAngle="9")), ECHO_TIME, b"DS", b"1.7976931348623157e308  ")

    header = header_of(path)

    assert header.stacks[0]["key"] == "MR|FA=9|TYPE=M|ORIENT=UNK"
    assert header.diagnostics == {"value_invalid:echo_time": 1}


def test_a_name_in_the_place_of_an_object_class_is_told_nowhere(tmp_path: Path) -> None:
    rejected = read(a_file(tmp_path, a_dataset(SOPClassUID="1.2", Modality=None)))
    named = read(with_raw_value(a_file(tmp_path, a_dataset(SOPClassUID="1.2.3.4.5.6", Modality=None)), 0x00080016, b"UI", b"DOE^JANE"))

    assert isinstance(rejected, Rejected)
    assert isinstance(named, Rejected)
    assert (rejected.reason, rejected.detail) == ("missing_modality", "1.2")
    assert (named.reason, named.detail) == ("missing_modality", "")
