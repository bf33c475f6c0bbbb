import re

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from gyrus.dicom.field import snake
from gyrus.dicom.fields import FIELDS, STANDARD

EXCEPTIONS = {"patient_age_years": "patient_age", "ctdi_vol": "ctd_ivol"}


def test_each_keyword_is_the_standards_name_of_its_tag() -> None:
    assert {field.name: field.keyword for field in FIELDS if field.tag} == {
        field.name: keyword_for_tag(field.tag) for field in FIELDS if field.tag
    }


def test_names_are_keywords_in_small_letters() -> None:
    wrong = [field.name for field in FIELDS if field.keyword and snake(field.keyword) not in (field.name, EXCEPTIONS.get(field.name))]

    assert wrong == []


def test_no_field_is_listed_twice() -> None:
    names, tags = [field.name for field in FIELDS], [field.tag for field in FIELDS if field.tag]

    assert (len(set(names)), len(set(tags))) == (len(names), len(tags))


def test_every_step_of_a_nested_path_is_in_the_standard() -> None:
    assert all(dictionary_has_tag(tag) for field in FIELDS for path in field.nested for tag in path)


def test_the_version_of_the_table_is_sixteen_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", STANDARD.version)
