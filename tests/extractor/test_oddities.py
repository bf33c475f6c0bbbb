"""What contradicts itself is found and named, what was odd is counted: functions of the set of files, without a value of any header."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.stored import Shelf
from gyrus.dicom.diagnostics import is_listed
from gyrus.extractor.oddities import study_conflicts
from gyrus.extractor.settle import settle

PEOPLE = {"patient_id": ["P-4711", "P-0815"], "patient_name": ["DOE^JANE", "DOE^J"], "patient_birth_date": ["1960-01-02", "1960-01-02"]}


def a_series(name: str, shelf: Shelf) -> dict[str, Any]:
    return {"_id": f"c/{name}", **settle(shelf.files, shelf.headers).series}


def of_person(number: int) -> dict[str, str]:
    return {name: values[number] for name, values in PEOPLE.items()}


def of_people(name: str, *people: int, **fields: Any) -> dict[str, Any]:
    """A series whose images are of these persons, one after the other."""
    shelf = Shelf()
    for slice_, person in enumerate(people):
        shelf.add(f"{name}{slice_}", slice_, series=name, **of_person(person), **fields)
    return a_series(name, shelf)


# ── conflicts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_series_that_agrees_has_no_conflict() -> None:
    assert of_people("1", 0, 0)["conflicts"] == []


def test_a_series_of_two_persons_names_both_codes_and_the_fields_that_differ_but_no_value() -> None:
    series = of_people("1", 0, 0, 1)

    [conflict] = series["conflicts"]
    assert conflict == {
        "kind": "two_subjects",
        "subjects": series["subjects"],
        "fields": ["patient_id", "patient_name"],
        "n_files": 1,
    }
    assert len(series["subjects"]) == 2 and series["subject"] in series["subjects"]
    assert not [value for values in PEOPLE.values() for value in values if value in str(series["conflicts"])]


def test_a_study_under_two_patients_names_both_and_how_many_series_are_of_the_other_one() -> None:
    own = [of_people("1", 0, 0), of_people("2", 0), of_people("3", 1)]

    [conflict] = study_conflicts("c/1", own)

    assert (conflict["kind"], conflict["n_series"]) == ("two_subjects", 1)
    assert conflict["subjects"] == sorted({own[0]["subject"], own[2]["subject"]})
    assert conflict["fields"] == ["patient_id", "patient_name"]
    assert "4711" not in str(conflict) and "DOE" not in str(conflict)


def test_a_single_image_of_another_person_is_a_conflict_of_its_study() -> None:
    [conflict] = study_conflicts("c/1", [of_people("1", 0, 0, 1), of_people("2", 0)])

    assert (conflict["n_series"], conflict["fields"]) == (1, ["patient_id", "patient_name"])


def test_a_patient_who_is_named_in_some_series_only_is_a_conflict() -> None:
    unnamed = a_series("2", Shelf().add("x", series="2", patient_id=None))

    [conflict] = study_conflicts("c/1", [a_series("1", Shelf().add("a", series="1")), unnamed])

    assert conflict["fields"] == ["patient_id"]


def in_two_studies() -> dict[str, Any]:
    shelf = Shelf()
    for slice_, study in enumerate(["1", "1", "2"]):
        shelf.add(f"f{slice_}", slice_, study=study, study_description=f"of {study}")
    return a_series("1.2", shelf)


def test_a_series_in_two_studies_is_kept_in_one_and_says_so_in_both() -> None:
    series = in_two_studies()
    assert (series["study"], series["studies"]) == ("c/1", ["c/1", "c/2"])
    told = {"kind": "two_studies", "studies": ["c/1", "c/2"], "fields": ["study_description"]}

    assert series["conflicts"] == [told | {"n_files": 1}]
    for study in series["studies"]:
        assert study_conflicts(study, [series]) == [told | {"series": ["c/1.2"], "n_series": 1}]


def test_files_with_one_identifier_and_other_content_are_counted_with_the_fields_that_differ() -> None:
    shelf = Shelf().add("a", mtime_ns=1).add("b", mtime_ns=2, flip_angle=12.0).add("c", mtime_ns=3, echo_time=7.4)

    series = a_series("1.2", shelf)

    assert series["conflicts"] == [{"kind": "conflicting_files", "fields": ["echo_time", "flip_angle"], "n_files": 2}]
    assert series["diagnostics"]["conflicting_duplicate"] == 2


@given(
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 1), min_size=1, max_size=4),
    st.lists(st.integers(0, 1), min_size=1, max_size=4),
)
def test_conflicts_do_not_depend_on_the_order_of_files_or_series(chance: random.Random, one: list[int], other: list[int]) -> None:
    series = [of_people("1", *one), of_people("2", *other), in_two_studies()]

    assert study_conflicts("c/1", chance.sample(series, 3)) == study_conflicts("c/1", series)


# ── diagnostics ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_oddities_of_images_are_summed_on_their_stacks_and_series_and_copies_do_not_count_twice() -> None:
    shelf = (
        Shelf()
        .add("a", 0, diagnostics={"charset_fallback": 2})
        .add("b", 1, diagnostics={"charset_fallback": 1, "value_invalid:exposure": 1})
    )
    shelf.add("copy", 0, mtime_ns=5_000, pixels="aa", diagnostics={"charset_fallback": 2})

    result = settle(shelf.files, shelf.headers)

    [stack] = result.stacks.values()
    assert stack["diagnostics"] == result.series["diagnostics"] == {"charset_fallback": 3, "value_invalid:exposure": 1}


def test_an_oddity_makes_no_new_version() -> None:
    versions = set()
    for diagnostics in ({}, {"charset_fallback": 2}):
        shelf = Shelf().add("a", diagnostics=diagnostics)
        versions |= {stack["version"] for stack in settle(shelf.files, shelf.headers).stacks.values()}

    assert len(versions) == 1


@pytest.mark.parametrize(
    ("files", "diagnostics"),
    [
        ([{"patient_id": None}, {"patient_id": None}], {"identity_fallback": 2}),
        ([{"series_description": "a"}, {"series_description": "b"}], {"field_disagreement:series_description": 1}),
        ([{"study": "1"}, {"study": "2"}, {"study": "2"}], {"series_multi_study": 1}),
        ([{"patient_id": "P1"}, {"patient_id": "P2"}], {"two_subjects": 1, "field_disagreement:patient_id": 1}),
        ([{}, {"enhanced": True}], {"duplicate_representation": 1}),
        ([{"rows": 2}, {"rows": 4}], {"mixed_matrix": 1}),
        ([{}, {"image_orientation_patient": [1.0, 0.0, 0.0, 0.0, 0.995, 0.0998]}], {"mixed_orientation": 1}),
    ],
)
def test_what_is_odd_about_a_series_as_a_whole_is_counted(files: list[dict[str, Any]], diagnostics: dict[str, int]) -> None:
    shelf = Shelf()
    for slice_, fields in enumerate(files):
        shelf.add(f"f{slice_}", slice_, **fields)

    found = a_series("1.2", shelf)["diagnostics"]

    assert found == diagnostics
    assert all(is_listed(code) for code in found)


def test_a_cut_time_series_is_counted_as_incomplete_on_its_stack_and_series() -> None:
    shelf = Shelf()
    for number in range(5):
        shelf.add(f"f{number}", number % 3, sop=str(number), instance_number=number + 1)

    result = settle(shelf.files, shelf.headers)

    assert result.series["diagnostics"] == {"incomplete_volumes": 1}
    assert [stack["diagnostics"] for stack in result.stacks.values()] == [{"incomplete_volumes": 1}]
