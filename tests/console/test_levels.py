"""`gyrus extract --fields`: every field at its level, with its source, for people and for machines."""

import os
from pathlib import Path
from typing import Any

import pytest

from console.calling import gyrus
from console.dying import read_unless_hostile
from dicom.enhanced import a_frame, an_object
from dicom.headers import a_dataset, a_file, with_raw_value
from gyrus.console import offline
from gyrus.dicom.reader import Header, read
from gyrus.extractor.files import said
from gyrus.extractor.settle import settle


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    """Three slices of a person, of which the last has another echo train; a copy, and a text."""
    for n in range(3):
        dataset = a_dataset(SOPInstanceUID=f"1.2.3.{n}", PatientID="P1", PatientName="Doe^Jane", PatientSex="F", PatientAge="030Y")
        dataset.Manufacturer = "SIEMENS"
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 2.0 * n], [1, 0, 0, 0, 1, 0]
        dataset.StudyID, dataset.SeriesDescription, dataset.EchoTrainLength = "7", "t1", "5" if n < 2 else "6"
        dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", str(500 * n))
        a_file(tmp_path, dataset, f"{n}.dcm")
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "0.dcm").read_bytes())
    os.utime(tmp_path / "copy.dcm", ns=(2**60, 2**60 * 2))
    (tmp_path / "notes.txt").write_text("nothing")
    return tmp_path


def of(level: str, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in objects if one["level"] == level]


def test_levels_come_parents_first_and_each_field_stands_at_its_own(visit: Path) -> None:
    told = gyrus("extract", visit, "--fields", "--json").objects

    assert [one["level"] for one in told] == ["subject", "study", "series", "stack", *["file"] * 5]
    subject, study, series, stack, *files = told
    assert subject["fields"]["patient_sex"] == "F"
    assert study["fields"]["patient_age_years"] == 30.0
    assert series["fields"]["series_description"] == "t1"
    assert stack["fields"]["echo_time"] == 2.5
    assert {file["path"]: file["outcome"] for file in files} == {
        "0.dcm": "extracted",
        "1.dcm": "extracted",
        "2.dcm": "extracted",
        "copy.dcm": "duplicate",
        "notes.txt": "rejected",
    }


def test_a_file_repeats_only_what_its_stack_says_otherwise(visit: Path) -> None:
    told = gyrus("extract", visit, "--fields", "--json").objects
    files = {file["path"]: file.get("fields", {}) for file in of("file", told)}

    assert of("stack", told)[0]["fields"]["echo_train_length"] == 5
    assert {path: fields.get("echo_train_length") for path, fields in files.items() if fields} == {
        "0.dcm": None,
        "1.dcm": None,
        "2.dcm": 6,
        "copy.dcm": None,
    }
    assert files["2.dcm"]["image_position_patient"] == [0.0, 0.0, 4.0]


def test_a_value_of_a_maker_says_where_it_came_from(visit: Path) -> None:
    told = gyrus("extract", visit / "1.dcm", "--fields", "--json").objects
    (file,) = of("file", told)

    assert (file["fields"]["diffusion_b_value"], file["fields"]["diffusion_b_value_source"]) == (500.0, "siemens_private")
    assert "diffusion_b_value                500.0 s/mm2 (siemens_private)" in gyrus("extract", visit / "1.dcm", "--fields").out


def test_who_the_person_is_is_said_only_when_asked_for(visit: Path) -> None:
    plain, asked = gyrus("extract", visit, "--fields", "--json"), gyrus("extract", visit, "--fields", "--phi", "--json")

    assert "Jane" not in plain.out
    assert "P1" not in plain.out
    assert of("subject", asked.objects)[0]["fields"]["patient_name"] == "Doe^Jane"
    assert of("study", asked.objects)[0]["fields"]["study_id"] == "7"


def test_frames_are_columns_with_a_value_each(tmp_path: Path) -> None:
    a_file(tmp_path, an_object([a_frame(2.0 * n) for n in range(4)]))

    (file,) = of("file", gyrus("extract", tmp_path, "--fields", "--json").objects)

    assert file["frames"] == {"image_position_patient": [[0.0, 0.0, 2.0 * n] for n in range(4)]}
    assert "4 values in 4 frames" in gyrus("extract", tmp_path, "--fields").out


def test_levels_are_what_the_services_store(visit: Path) -> None:
    told = gyrus("extract", visit, "--fields", "--phi", "--json").objects
    answers = {path.name: read(path) for path in sorted(visit.glob("*.dcm"))}
    files, headers = [], {}
    for name, answer in answers.items():
        stored = said(answer, "c", b"a secret for tests only")
        assert isinstance(answer, Header)
        assert stored.header
        files.append({"_id": name, **stored.content})
        headers[stored.header["_id"]] = stored.header["fields"]
    for file in files:
        file["pixels"] = "equal"
    settled = settle(files, headers)

    (series,), (stack,) = of("series", told), of("stack", told)
    assert series["fields"] == settled.series["series_fields"]
    assert {name: stack[name] for name in ("geometry", "fingerprint")} == {
        name: next(iter(settled.stacks.values()))[name] for name in ("geometry", "fingerprint")
    }
    assert of("subject", told)[0]["fields"] == settled.series["subject_fields"]


def test_a_file_that_kills_its_reader_costs_itself_only(visit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (visit / "2.dcm").rename(visit / "hostile.dcm")
    monkeypatch.setattr(offline, "read_file", read_unless_hostile)

    found = offline.extract(visit, workers=2)

    assert found.outcomes == {"extracted": 2, "duplicate": 1, "conflicting": 0, "rejected": 2}
    blamed = {"path": "hostile.dcm", "outcome": "rejected", "reason": "internal_error", "detail": "The reader died of this file."}
    assert blamed in found.rejected


def test_what_was_odd_is_counted(tmp_path: Path) -> None:
    with_raw_value(a_file(tmp_path, a_dataset(StudyDate="20200101")), 0x00080020, b"DA", b"20209999")

    assert "odd 1 × value_invalid:study_date" in gyrus("extract", tmp_path).err


def test_a_study_of_two_patients_is_told_offline_with_numbers_for_subjects(tmp_path: Path) -> None:
    for n in (1, 2):
        series = f"1.2.3.{n}"
        a_file(tmp_path, a_dataset(SOPInstanceUID=f"{series}.1", SeriesInstanceUID=series, PatientID=f"P{n}"), f"{n}.dcm")

    told = gyrus("extract", tmp_path, "--fields", "--json").objects

    conflict = {"kind": "two_subjects", "subjects": [1, 2], "fields": ["patient_id"], "n_series": 1}
    assert [study["conflicts"] for study in of("study", told)] == [[conflict]]


def test_no_code_made_of_a_patient_id_is_told_offline(tmp_path: Path) -> None:
    for n in (1, 2):
        a_file(tmp_path, a_dataset(SOPInstanceUID=f"1.2.3.{n}", PatientID=f"P{n}"), f"{n}.dcm")

    (series,) = of("series", gyrus("extract", tmp_path, "--fields", "--json").objects)

    assert series["conflicts"] == [{"kind": "two_subjects", "subjects": [1, 2], "fields": ["patient_id"], "n_files": 1}]
