"""Settling is a function of the set of files: who wins, what the others are, what the series is."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.stored import Shelf, a_document, a_header
from gyrus.dicom.field import Field
from gyrus.dicom.site_fields import table_with
from gyrus.extractor.settle import Settled, names_of, settle, study_of, subject_of, visits_of

CHANCE = st.randoms(use_true_random=False)


def settled(shelf: Shelf) -> Settled:
    return settle(shelf.files, shelf.headers)


def outcomes(shelf: Shelf) -> dict[str, Any]:
    """By file: its outcome, or the fields in which it conflicts."""
    return {name: outcome.get("differs", outcome["outcome"]) for name, outcome in settled(shelf).outcomes.items()}


# ── a function of the set ────────────────────────────────────────────────────────────────────────────────────────────

DISPUTED = st.lists(
    st.tuples(
        st.integers(0, 2),  # slice
        st.integers(1, 3),  # mtime
        st.booleans(),  # gone
        st.sampled_from([9.0, 12.0]),  # flip angle: part of the stack key
        st.sampled_from(["a description", "another"]),
        st.sampled_from(["P1", "P2"]),
        st.sampled_from([None, "aa", "bb"]),  # digest of pixels
        st.sampled_from(["1", "2"]),  # study
    ),
    min_size=1,
    max_size=8,
)


def shelf_of(disputed: list[Any]) -> Shelf:
    shelf = Shelf()
    for number, (slice_, mtime, lost, flip, description, patient, pixels, study) in enumerate(disputed):
        fields = {"flip_angle": flip, "series_description": description, "patient_id": patient, "study": study}
        shelf.add(f"f{number}", slice_, mtime_ns=mtime, lost=lost, pixels=pixels, **fields)
    return shelf


@given(DISPUTED, CHANCE)
def test_the_order_of_files_does_not_matter(disputed: list[Any], chance: random.Random) -> None:
    shelf = shelf_of(disputed)
    shuffled = chance.sample(shelf.files, len(shelf.files))

    one, other = settle(shelf.files, shelf.headers), settle(shuffled, dict(reversed(shelf.headers.items())))

    assert other == one


@given(DISPUTED)
def test_settling_what_is_settled_changes_nothing(disputed: list[Any]) -> None:
    shelf = shelf_of(disputed)
    first = settled(shelf)
    for file in shelf.files:
        file.update(first.outcomes[file["_id"]], rev=file["rev"] + 1, jobs=["j1", "j2"])
        file.pop("unsettled", None)

    assert settled(shelf) == first


@given(DISPUTED)
def test_each_instance_has_one_winner_which_lives_if_any_does_and_is_the_oldest(disputed: list[Any]) -> None:
    shelf = shelf_of(disputed)
    groups: dict[str, list[Any]] = {}
    for file in shelf.files:
        groups.setdefault(file["sop_instance_uid"], []).append(file)

    result = settled(shelf)

    assert result.outcomes.keys() == {file["_id"] for file in shelf.files}
    for group in groups.values():
        [winner] = [file for file in group if result.outcomes[file["_id"]]["outcome"] == "extracted"]
        living = [file for file in group if not file["gone"]] or group
        assert winner is min(living, key=lambda file: (file["mtime_ns"], file["_id"]))
        same = [file for file in group if file["digest"] == winner["digest"]]
        assert all(result.outcomes[f["_id"]]["outcome"] == "conflicting" for f in group if f not in same)


@given(DISPUTED)
def test_every_winner_is_in_a_stack_and_nobody_else(disputed: list[Any]) -> None:
    shelf = shelf_of(disputed)

    result = settled(shelf)

    won = [outcome["outcome"] for outcome in result.outcomes.values()].count("extracted")
    assert sum(stack["n_files"] for stack in result.stacks.values()) == won == result.series["n_images"]
    assert result.series["n_files"] == len(shelf.files)
    assert all(key == stack["stack_key"] for key, stack in result.stacks.items())


# ── who wins ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_oldest_file_of_an_instance_is_it_and_its_copy_a_duplicate() -> None:
    shelf = Shelf().add("late", mtime_ns=2).add("early", mtime_ns=1)

    assert outcomes(shelf) == {"early": "extracted", "late": "duplicate"}


def test_of_two_files_of_one_moment_the_smaller_id_wins() -> None:
    assert outcomes(Shelf().add("b").add("a")) == {"a": "extracted", "b": "duplicate"}


def test_a_file_that_is_gone_loses_against_a_younger_one_that_lives() -> None:
    shelf = Shelf().add("gone", mtime_ns=1, lost=True).add("living", mtime_ns=2)

    assert outcomes(shelf) == {"living": "extracted", "gone": "duplicate"}


def test_where_none_lives_the_stack_stays_and_counts_what_is_gone() -> None:
    there, lost = Shelf().add("a", 0).add("b", 1), Shelf().add("a", 0, lost=True).add("b", 1, lost=True)

    [before], [after] = settled(there).stacks.values(), settled(lost).stacks.values()

    assert (before["n_gone"], after["n_gone"]) == (0, 2)
    assert after == before | {"n_gone": 2}


def test_files_that_differ_in_fields_conflict_and_the_fields_are_named_without_values() -> None:
    shelf = Shelf().add("a", mtime_ns=1).add("b", mtime_ns=2, flip_angle=12.0, instance_number=77, patient_id="P-4711")

    assert outcomes(shelf) == {"a": "extracted", "b": ["flip_angle", "instance_number", "patient_id"]}
    assert "4711" not in str(settled(shelf).outcomes)


def test_files_of_one_instance_in_two_studies_conflict() -> None:
    shelf = Shelf().add("a", mtime_ns=1, study="1").add("b", mtime_ns=2, study="2")

    assert outcomes(shelf)["b"] == ["study_instance_uid"]


def test_files_that_differ_in_their_pixels_only_conflict_in_those() -> None:
    shelf = Shelf().add("a", mtime_ns=1, pixels="aa").add("b", mtime_ns=2, pixels="bb").add("c", mtime_ns=3, pixels="aa")

    assert outcomes(shelf) == {"a": "extracted", "b": ["pixel_data"], "c": "duplicate"}


@pytest.mark.parametrize("changed", ["older", "younger"])
def test_an_image_that_changed_under_an_equal_header_is_compared_anew_and_never_a_duplicate_of_its_former_copy(changed: str) -> None:
    shelf = Shelf().add("older", mtime_ns=1, pixels="aa").add("younger", mtime_ns=2, pixels="aa")
    assert set(outcomes(shelf).values()) == {"extracted", "duplicate"}
    before = version(shelf)

    place = [file["_id"] for file in shelf.files].index(changed)
    shelf.files[place] = a_document(a_header(mtime_ns=3), shelf.files[place], name=changed)
    assert settled(shelf).compare == [changed]
    shelf.files[place]["compared"] = "bb"

    other = "younger" if changed == "older" else "older"
    assert outcomes(shelf) == {other: "extracted", changed: ["pixel_data"]}
    assert (version(shelf) == before) == (other == "older"), "another file is the instance now"


def test_an_image_that_changed_under_an_equal_header_gives_its_stack_a_new_version() -> None:
    there = a_document(a_header(mtime_ns=1), name="a")
    changed = a_document(a_header(mtime_ns=2), there, name="a")
    shelf, later = Shelf().add("a"), Shelf().add("a")
    shelf.files, later.files = [there], [changed]

    assert changed["digest"] == there["digest"]
    assert version(later) != version(shelf)


def test_a_copy_whose_pixels_could_not_be_compared_says_so() -> None:
    shelf = Shelf().add("a", mtime_ns=1, pixels="aa").add("b", mtime_ns=2).add("c", mtime_ns=3, lost=True)
    shelf.files[1]["compared"] = None

    result = settled(shelf)

    assert result.outcomes["b"] == {"outcome": "duplicate", "uncompared": True}
    assert result.outcomes["c"] == {"outcome": "duplicate"}
    assert result.series["diagnostics"] == {"uncompared_duplicate": 1}


def test_images_that_lie_in_one_place_under_two_identifiers_are_compared() -> None:
    shelf = Shelf().add("a", 0).add("b", 1).add("c", 2).add("copy", 1, sop="9")

    assert settled(shelf).compare == ["b", "copy"]
    assert settled(shelf).series["diagnostics"] == {"repeated_position": 1}
    for name in (1, 3):
        shelf.files[name]["pixels"] = "aa"

    assert settled(shelf).compare == []
    assert settled(shelf).series["diagnostics"] == {"duplicate_content": 1}


def test_where_the_pixels_lie_in_the_file_is_no_difference() -> None:
    shelf = Shelf().add("a", mtime_ns=1, pixel_offset=300).add("b", mtime_ns=2, pixel_offset=999)

    assert outcomes(shelf)["b"] == "duplicate"


@pytest.mark.parametrize(
    ("files", "compared"),
    [
        ([{}, {}], ["a", "b"]),
        ([{"pixels": "aa"}, {}], ["b"]),
        ([{"pixels": "aa"}, {"pixels": "aa"}], []),
        ([{}, {"flip_angle": 12.0}], []),
        ([{}, {"lost": True}], []),
        ([{}, {"lost": True, "pixels": "aa"}], ["a"]),
        ([{}, {"lost": True}, {}], ["a", "c"]),
        ([{}], []),
    ],
)
def test_pixels_are_compared_once_and_only_of_living_files_that_say_the_same(files: list[dict[str, Any]], compared: list[str]) -> None:
    shelf = Shelf()
    for number, (name, file) in enumerate(zip("abc", files, strict=False)):
        shelf.add(name, mtime_ns=number, **file)

    assert settled(shelf).compare == compared


# ── the series ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_echoes_of_one_series_become_two_stacks() -> None:
    shelf = Shelf()
    for slice_ in range(3):
        for echo, time_ms in enumerate((4.9, 7.4)):
            shelf.add(f"{slice_}{echo}", slice_, sop=f"{slice_}.{echo}", echo_time=time_ms)

    result = settled(shelf)

    assert [stack["n_images"] for stack in result.stacks.values()] == [3, 3]
    assert {stack["kind"] for stack in result.stacks.values()} == {"multi_echo"}
    assert {stack["fingerprint"]["stack_kind"] for stack in result.stacks.values()} == {"multi_echo"}
    assert {stack["fingerprint"]["stack_key"] for stack in result.stacks.values()} == {"multi_echo"}
    assert (result.series["n_stacks"], result.series["n_images"]) == (2, 6)


def test_the_planes_of_a_scout_share_the_number_of_slices_that_was_announced() -> None:
    shelf = Shelf()
    planes = {"AX": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], "COR": [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]}
    for number, (name, plane) in enumerate(planes.items()):
        for slice_ in range(3):
            place = {"image_position_patient": [0.0, 2.0 * slice_, 2.0 * slice_], "image_orientation_patient": plane}
            shelf.add(f"{name}{slice_}", 3 * number + slice_, philips_slices=6, **place)

    assert [stack["completeness"]["verdict"] for stack in settled(shelf).stacks.values()] == ["complete", "complete"]


def version(shelf: Shelf) -> str:
    [stack] = settled(shelf).stacks.values()
    return str(stack["version"])


BASE = {"mtime_ns": 1_000, "size": 500}


def test_a_version_is_the_same_for_the_same_winners_wherever_they_lie() -> None:
    moved = Shelf().add("a", lost=True).add("elsewhere").add("copy", mtime_ns=2_000)

    assert version(moved) == version(Shelf().add("a"))


@pytest.mark.parametrize("change", [{"mtime_ns": 2_000}, {"size": 501}, {"sop": "9"}, {"series_description": "x"}, {"instance_number": 5}])
def test_a_version_changes_with_whatever_changes_of_a_winner(change: dict[str, Any]) -> None:
    assert version(Shelf().add("a", **(BASE | change))) != version(Shelf().add("a", **BASE))


def test_where_files_disagree_the_most_frequent_value_counts_and_the_others_are_counted() -> None:
    shelf = Shelf()
    for number, description in enumerate(["b", "a", "b", None, "c"]):
        shelf.add(f"f{number}", number, series_description=description)

    series = settled(shelf).series

    assert series["series_fields"]["series_description"] == "b"
    assert series["disagreements"] == {"series_description": 2}


def test_where_values_are_equally_frequent_the_smallest_file_decides() -> None:
    shelf = Shelf().add("2", 0, series_description="a").add("1", 1, series_description="b")

    assert settled(shelf).series["series_fields"]["series_description"] == "b"


def test_a_series_that_lost_all_its_files_to_others_is_empty() -> None:
    result = settle([], {})

    assert (result.outcomes, result.stacks, result.compare) == ({}, {}, [])
    assert (result.series["n_files"], result.series["study"]) == (0, None)


# ── study and subject ────────────────────────────────────────────────────────────────────────────────────────────────


def a_series(name: str, **fields: Any) -> dict[str, Any]:
    shelf = Shelf().add("a", 0, series=name, **fields).add("b", 1, series=name, **fields)
    return {"_id": f"c/{name}", **settled(shelf).series}


SERIES = [
    a_series("1", modality="MR", study_description="head", patient_birth_date="19600101"),
    a_series("2", modality="CT", study_description="head", institution_name="there"),
    a_series("3", modality="MR", study_description="neck", patient_birth_date="19600101", institution_name="here"),
]


@given(CHANCE)
def test_a_study_is_a_function_of_the_set_of_its_series(chance: random.Random) -> None:
    study = study_of(chance.sample(SERIES, len(SERIES)))

    assert study == study_of(SERIES)
    assert study["fields"]["study_description"] == "head"
    assert study["fields"]["institution_name"] == "there"
    assert study["fields"]["modalities_in_study"] == ["CT", "MR"]
    assert (study["n_series"], study["n_files"], study["n_stacks"]) == (3, 6, 3)


@given(CHANCE)
def test_a_subject_is_a_function_of_the_set_of_its_studies(chance: random.Random) -> None:
    studies = [{"_id": f"c/{number}", **study_of([series])} for number, series in enumerate(SERIES)]

    subject = subject_of(chance.sample(studies, len(studies)))

    assert subject == subject_of(studies)
    assert subject["fields"]["patient_birth_date"] == "19600101"
    assert (subject["n_studies"], subject["n_series"], subject["n_files"], subject["n_stacks"]) == (3, 3, 6, 3)


def test_a_study_without_series_has_no_subject_and_counts_nothing() -> None:
    assert (study_of([])["subject"], study_of([])["n_files"], subject_of([])["n_studies"]) == (None, 0, 0)


def test_a_study_says_the_most_frequent_value_of_its_series_for_all_nine_names_of_the_seed() -> None:
    usual = {
        "study_instance_uid": "1",
        "study_date": "2020-01-31",
        "study_time": "10:15:30",
        "study_description": "head",
        "modality": "MR",
        "manufacturer": "ACME",
        "manufacturer_model_name": "One",
        "station_name": "MR1",
        "institution_name": "here",
    }
    series = [a_series("1", **{name: f"{value}?" for name, value in usual.items()}), a_series("2", **usual), a_series("3", **usual)]

    study = study_of(series)

    assert {name: study["fields"][name] for name in usual} == usual
    assert study["fields"]["modalities_in_study"] == ["MR", "MR?"]


# ── visits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

VISITS = [
    {"_id": "c/1.5", "fields": {"study_date": "2020-01-31", "study_time": "08:00:00"}},
    {"_id": "c/1.4", "fields": {"study_date": "2020-01-31", "study_time": "14:00:00"}},
    {"_id": "c/1.3", "fields": {"study_date": "2021-02-01"}},
    {"_id": "c/1.1", "fields": {}},
    {"_id": "c/1.2", "fields": {"study_time": "07:00:00"}},
]


@given(CHANCE)
def test_visits_count_by_date_time_and_uid_whatever_came_first(chance: random.Random) -> None:
    visits = visits_of(chance.sample(VISITS, len(VISITS)))

    assert [visits[study["_id"]] for study in VISITS] == [
        {"number": 1, "days_since_first": 0},
        {"number": 2, "days_since_first": 0},
        {"number": 3, "days_since_first": 367},
        {"number": 4, "days_since_first": None},
        {"number": 5, "days_since_first": None},
    ]


def test_without_any_date_visits_are_numbered_and_no_days_are_told() -> None:
    assert visits_of(VISITS[3:4]) == {"c/1.1": {"number": 1, "days_since_first": None}}
    assert visits_of([]) == {}


# ── fields of a site ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sites_fields_reach_series_study_and_subject() -> None:
    site = (Field("ward", "", 0, "study"), Field("department", "", 0, "series"), Field("cohort_arm", "", 0, "subject"))
    names = names_of(table_with(site))
    shelf = Shelf().add("a", ward="W1", department="Neuro", cohort_arm="B")

    series = {"_id": "c/1", **settle(shelf.files, shelf.headers, names).series}
    study = {"_id": "c/9", **study_of([series], names)}

    assert (series["series_fields"]["department"], study["fields"]["ward"]) == ("Neuro", "W1")
    assert subject_of([study], names)["fields"]["cohort_arm"] == "B"
    assert "ward" not in study_of([series])["fields"]
