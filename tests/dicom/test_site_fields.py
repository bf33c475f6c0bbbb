"""A site's own fields: read beside the standard ones, and refused with file and line where they cannot be."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom.headers import a_dataset, a_file
from gyrus.dicom import STANDARD, Header, read
from gyrus.dicom.field import Field
from gyrus.dicom.site_fields import SiteFieldsError, site_fields_of, table_with

FIELDS = """
# what our scanners say besides
- name: department
  keyword: InstitutionalDepartmentName
  level: series
  type: text
- name: head_temperature
  creator: ACME 01
  group: 0029
  element: 1a
  vr: DS
  level: image
  type: number
  unit: °C
  phi: false
"""


def the_fields(folder: Path, text: str) -> tuple[Field, ...]:
    path = folder / "fields.yaml"
    path.write_text(text, encoding="utf-8")
    return site_fields_of(path)


def a_scan(folder: Path) -> Path:
    dataset: Dataset = a_dataset(InstitutionalDepartmentName="Neuro")
    dataset.private_block(0x0029, "SOMEBODY ELSE", create=True).add_new(0x1A, "DS", "1")
    dataset.private_block(0x0029, "ACME 01", create=True).add_new(0x1A, "DS", "36.6")
    return a_file(folder, dataset)


def test_fields_of_the_standard_and_of_a_maker_are_read_at_their_levels(tmp_path: Path) -> None:
    site = the_fields(tmp_path, FIELDS)

    header = read(a_scan(tmp_path), table_with(site))

    assert isinstance(header, Header)
    assert (header.shared["department"], header.image["head_temperature"]) == ("Neuro", 36.6)
    assert not any(name.startswith(("department_", "head_temperature_")) for name in {**header.shared, **header.image})


def test_fields_name_a_person_unless_the_site_says_that_they_do_not(tmp_path: Path) -> None:
    assert {field.name: field.phi for field in the_fields(tmp_path, FIELDS)} == {"department": True, "head_temperature": False}


def test_the_table_has_another_version_and_the_same_standard_fields(tmp_path: Path) -> None:
    table = table_with(the_fields(tmp_path, FIELDS))

    assert table.fields[: len(STANDARD.fields)] == STANDARD.fields
    assert table.version != STANDARD.version
    assert table_with(the_fields(tmp_path, FIELDS)) is table


def test_without_a_file_the_table_is_the_standard_one() -> None:
    assert table_with(site_fields_of(None)) is STANDARD


def test_digits_are_hexadecimal_even_where_yaml_would_take_them_for_octal(tmp_path: Path) -> None:
    (field,) = the_fields(tmp_path, "- {name: a, creator: C, group: 0021, element: 10, vr: LO, level: image, type: text}")

    assert (field.private[0].group, field.private[0].element) == (0x21, 0x10)


STANDARD_ENTRY = "- name: ward\n  keyword: CurrentPatientLocation\n  level: study\n  type: text\n"
PRIVATE_ENTRY = "- name: ward\n  creator: ACME\n  group: '0029'\n  element: '10'\n  vr: LO\n  level: study\n  type: text\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (STANDARD_ENTRY.replace("study", "visit"), 3, "there is no level 'visit'; possible: subject, study"),
        (STANDARD_ENTRY.replace("type: text", "type: string"), 4, "there is no type 'string'"),
        (STANDARD_ENTRY.replace("Location", "Locatoin"), 2, "did you mean CurrentPatientLocation?"),
        (STANDARD_ENTRY.replace("CurrentPatientLocation", "ReferencedStudySequence"), 2, "value representation SQ"),
        (STANDARD_ENTRY.replace("CurrentPatientLocation", "EchoTime"), 2, "EchoTime is read already, as the field 'echo_time'"),
        (STANDARD_ENTRY.replace("ward", "Ward"), 1, "'Ward' is no name"),
        (STANDARD_ENTRY.replace("ward", "echo_time"), 1, "there is a field 'echo_time' already"),
        (STANDARD_ENTRY.replace("ward", "echo_time_source"), 1, "'echo_time_source' is no name"),
        (STANDARD_ENTRY.replace("ward", "frames"), 1, "there is a field 'frames' already"),
        (STANDARD_ENTRY + STANDARD_ENTRY, 5, "there is a field 'ward' already"),
        (STANDARD_ENTRY + STANDARD_ENTRY.replace("ward", "bed"), 6, "is read already, as the field 'ward'"),
        (STANDARD_ENTRY + "  phi: perhaps\n", 5, "'perhaps' is neither true nor false"),
        (STANDARD_ENTRY + "  tag: x\n", 5, "unknown key 'tag'"),
        (STANDARD_ENTRY + "  name: again\n", 5, "'name' stands twice"),
        (STANDARD_ENTRY + "  creator: ACME\n", 2, "not both"),
        (STANDARD_ENTRY + "  vr: LO\n", 5, "'vr' belongs to a private element"),
        (STANDARD_ENTRY.replace("  level: study\n", ""), 1, "'level' is missing"),
        (STANDARD_ENTRY.replace("text", "[a, b]"), 4, "'type' has several values"),
        (PRIVATE_ENTRY.replace("0029", "0028"), 3, "0028 is even"),
        (PRIVATE_ENTRY.replace("0029", "29"), 3, "'29' is no group: 4 hexadecimal digits"),
        (PRIVATE_ENTRY.replace("'10'", "'1010'"), 4, "'1010' is no element: 2 hexadecimal digits"),
        (PRIVATE_ENTRY.replace("LO", "SQ"), 5, "there is no vr 'SQ'"),
        ("name: ward", 1, "expected a list of fields"),
        ("- ward", 1, "expected a field with name"),
        ("- name: 'ward\n", 2, "not YAML"),
        ("", 1, "expected a list of fields"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(SiteFieldsError) as refused:
        the_fields(tmp_path, text)

    assert str(refused.value).startswith(f"{tmp_path}/fields.yaml:{line}: ")
    assert says in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteFieldsError, match="cannot be read"):
        site_fields_of(tmp_path / "none.yaml")


def test_a_file_that_is_nested_too_deeply_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("[" * 5000)

    with pytest.raises(SiteFieldsError, match="nested too deeply"):
        site_fields_of(path)
