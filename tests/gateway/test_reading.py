"""Lists are walked page by page, documents shown without what names a person – unless that is asked for, which is written down."""

import base64
import json
from typing import Any

import pytest

from gateway.conftest import Api
from gateway.stored import PATIENT, a_file, a_series, a_stack, a_study, a_subject, put
from gyrus.dicom.fields import STANDARD

pytestmark = pytest.mark.asyncio(loop_scope="session")


def cursor_of(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_stack_is_seen_once_though_others_come_between_the_pages(api: Api, cohort: str) -> None:
    names = [f"m{number}" for number in range(7)]
    await put(api.store, stacks=[a_stack(cohort, name) for name in names])

    async def others_come(page: int) -> None:
        await put(api.store, stacks=[a_stack(cohort, f"a{page}"), a_stack(cohort, f"m2{page}"), a_stack(cohort, f"z{page}")])

    pages = await api.walk("/stacks", others_come, cohort=cohort, limit=5)

    seen = [name for page in pages for name in page]
    assert seen == sorted(set(seen))
    assert {f"{cohort}/1.2/{name}" for name in names} <= set(seen)
    assert f"{cohort}/1.2/z1" in seen


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
async def test_the_last_page_has_no_next_one(api: Api, cohort: str, count: int, sizes: list[int]) -> None:
    if count:
        await put(api.store, stacks=[a_stack(cohort, str(number)) for number in range(count)])

    pages = await api.walk("/stacks", cohort=cohort, limit=3)

    assert [len(page) for page in pages] == sizes


async def test_retired_stacks_and_other_cohorts_are_not_listed(api: Api, cohort: str) -> None:
    await put(api.store, stacks=[a_stack(cohort, "a"), a_stack(cohort, "b", retired=True), a_stack(cohort + "x", "c")])

    assert await api.walk("/stacks", cohort=cohort) == [[f"{cohort}/1.2/a"]]


@pytest.mark.parametrize("cursor", ["nonsense", "é", "=", "bnVsbA==", cursor_of(5), cursor_of([1, 2, 3]), cursor_of(["x", {"$gt": ""}])])
async def test_what_is_no_cursor_is_not_found(api: Api, cursor: str) -> None:
    assert (await api.get("/stacks", 404, cursor=cursor))["detail"].startswith("this")


async def test_a_cursor_that_is_all_brackets_is_not_found(api: Api) -> None:
    await api.get("/stacks", 404, cursor=base64.urlsafe_b64encode(b"[" * 9000).decode())


async def test_a_cursor_of_another_question_is_not_found(api: Api, cohort: str) -> None:
    await put(
        api.store, stacks=[a_stack(cohort, name) for name in "ab"], series=[a_series(cohort), {**a_series(cohort), "_id": f"{cohort}/9"}]
    )
    of_stacks = (await api.get("/stacks", cohort=cohort, limit=1))["next"]
    of_series = (await api.get("/series", cohort=cohort, limit=1))["next"]

    for path, cursor, asked in (("/stacks", of_stacks, cohort + "x"), ("/series", of_stacks, cohort), ("/studies", of_series, cohort)):
        await api.get(path, 404, cursor=cursor, cohort=asked)


@pytest.mark.parametrize("limit", [0, -1, 1001, "many"])
async def test_a_page_has_one_to_a_thousand_documents(api: Api, limit: object) -> None:
    await api.get("/stacks", 422, limit=limit)


@pytest.mark.parametrize("path", ["/subjects/c/none", "/studies/c/none", "/series/c/none", "/stacks/c/none", "/jobs/none"])
async def test_what_is_not_known_is_not_found(api: Api, path: str) -> None:
    assert "List them to see which there are" in (await api.get(path, 404))["detail"]


@pytest.mark.parametrize("path", ["/subjects", "/studies", "/series", "/stacks", "/files", "/jobs"])
async def test_a_cohort_that_nobody_fed_has_nothing(api: Api, path: str) -> None:
    assert await api.get(path, cohort="nobody") == {"items": [], "next": None}


async def test_documents_are_listed_by_what_they_belong_to(api: Api, cohort: str) -> None:
    other = {"study": f"{cohort}/9", "subject": f"{cohort}/S9", "series": f"{cohort}/8"}
    await put(api.store, stacks=[a_stack(cohort, "a"), a_stack(cohort, "b", **other)])

    for level, id_ in other.items():
        assert await api.walk("/stacks", **{level: id_}) == [[f"{cohort}/1.2/b"]]


@pytest.mark.parametrize("asked", [("/subjects", "study"), ("/subjects", "subject"), ("/studies", "study"), ("/series", "series")])
async def test_a_list_is_not_asked_for_by_what_its_documents_do_not_have(api: Api, asked: tuple[str, str]) -> None:
    path, level = asked

    assert level in (await api.get(path, 422, **{level: "c/1"}))["detail"]


async def test_files_of_a_cohort_are_walked_in_the_order_of_their_ids_whatever_became_of_them(api: Api, cohort: str) -> None:
    outcomes = {"a": "rejected", "b": None, "c": "extracted", "d": "deleted", "e": "conflicting", "f": "extracted", "g": "duplicate"}
    await put(api.store, files=[a_file(cohort, name, outcome=outcome) for name, outcome in outcomes.items()])

    pages = await api.walk("/files", cohort=cohort, limit=3)

    assert [name for page in pages for name in page] == [f"{cohort}-{name}" for name in outcomes]


async def test_files_are_listed_by_outcome_and_reason(api: Api, cohort: str) -> None:
    rejected = [a_file(cohort, name, outcome="rejected", reason=reason) for name, reason in (("b", "not_dicom"), ("c", "empty_file"))]
    await put(api.store, files=[a_file(cohort, "a"), *rejected])

    assert await api.walk("/files", cohort=cohort, outcome="extracted") == [[f"{cohort}-a"]]
    assert await api.walk("/files", cohort=cohort, outcome="rejected", limit=1) == [[f"{cohort}-b"], [f"{cohort}-c"]]
    assert await api.walk("/files", cohort=cohort, reason="empty_file") == [[f"{cohort}-c"]]


# ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stack_shows_its_label_its_volume_and_what_it_waits_for(api: Api, cohort: str) -> None:
    label = {"base": "T1w", "technique": "MPRAGE", "evidence": [{"rule": "x"}], "of": {"version": "aa"}}
    volume = {"refused": None, "outputs": ["c/1/x.pt"], "shape": [5, 32, 32], "spacing_mm": [4, 1, 1], "of": {}}
    owed = {"classify": {"n": 2}, "preprocess": {"n": 3, "since": await api.store.now()}}
    await put(api.store, stacks=[a_stack(cohort, "a", classification=label, volume=volume, owed=owed)])

    [listed] = (await api.get("/stacks", cohort=cohort))["items"]
    whole = await api.get(f"/stacks/{cohort}/1.2/a")

    assert (listed["base"], listed["technique"], listed["modifier"], listed["provenance"]) == ("T1w", "MPRAGE", [], None)
    assert listed["volume"] == {"refused": None, "detail": None, "shape": [5, 32, 32], "spacing_mm": [4, 1, 1], "outputs": ["c/1/x.pt"]}
    assert listed["owed"] == ["preprocess"]
    assert listed.items() <= whole.items()
    assert (whole["evidence"], whole["fingerprint"]["echo_time"], whole["geometry"]) == ([{"rule": "x"}], 2.5, {"n_slices": 5})


async def test_a_stack_shows_what_is_odd_about_it_its_series_and_its_study(api: Api, cohort: str) -> None:
    words = ["Slice 2 of 5 is missing: nothing lies at 4.0 mm, between 1.2.1 and 1.2.3."]
    completeness = {"verdict": "incomplete", "reasons": ["missing_slices"], "words": words}
    odd = {"ranges": {"exposure": [90.0, 140.0]}, "n_distinct": {"echo_time": 1}, "diagnostics": {"value_invalid:exposure": 2}}
    subjects = {"kind": "two_subjects", "subjects": [f"{cohort}/S0", f"{cohort}/S1"], "fields": ["patient_name"], "n_series": 1}
    files = {"kind": "conflicting_files", "fields": ["flip_angle"], "n_files": 3}
    await put(
        api.store,
        stacks=[a_stack(cohort, "a", completeness=completeness, **odd)],
        series=[{**a_series(cohort), "conflicts": [files]}],
        studies=[{**a_study(cohort), "conflicts": [subjects]}],
    )

    whole = await api.get(f"/stacks/{cohort}/1.2/a")

    assert whole["completeness"] == completeness
    assert {name: whole[name] for name in odd} == odd
    assert whole["conflicts"] == [{"of": "study", **subjects}, {"of": "series", **files}]


async def test_a_series_names_the_fields_on_which_its_files_disagree_though_they_identify_a_person(api: Api, cohort: str) -> None:
    """Names of fields and counts are no identity; values are."""
    counts = {"patient_name": 2, "series_description": 1}
    await put(api.store, series=[{**a_series(cohort), "disagreements": counts, "diagnostics": {"field_disagreement:patient_name": 2}}])

    shown = await api.get(f"/series/{cohort}/1.2")

    assert shown["disagreements"] == counts
    assert shown["diagnostics"] == {"field_disagreement:patient_name": 2}
    assert not [value for value in PATIENT.values() if value in json.dumps(shown)]


async def test_the_overview_counts_what_contradicts_itself(api: Api, cohort: str) -> None:
    await put(
        api.store,
        studies=[{**a_study(cohort), "conflicts": [{"kind": "two_subjects"}, {"kind": "two_studies"}]}],
        series=[{**a_series(cohort), "conflicts": [{"kind": "two_studies"}]}],
    )

    assert (await api.get("/status", cohort=cohort))["conflicts"] == {"two_subjects": 1, "two_studies": 1}
    assert (await api.get("/status", cohort=cohort + "x"))["conflicts"] == {}


async def test_paths_of_files_are_shown_to_who_asks_for_them_and_that_is_written_down(api: Api, cohort: str) -> None:
    await put(api.store, files=[a_file(cohort, "a")])

    [plain] = (await api.get("/files", cohort=cohort))["items"]
    assert "DOE" not in str(plain)
    assert await api.audited(cohort) == []

    [told] = (await api.get("/files", cohort=cohort, phi="true"))["items"]
    assert told == {**plain, "path": "DOE^JANE/a.dcm"}
    assert await api.audited(cohort) == ["list files with identifying fields"]


@pytest.mark.parametrize("level", ["subjects", "studies", "series"])
async def test_who_a_person_is_is_shown_to_who_asks_for_it_and_that_is_written_down(api: Api, cohort: str, level: str) -> None:
    document = {"subjects": a_subject, "studies": a_study, "series": a_series}[level](cohort)
    await put(api.store, **{level: [document]})
    one = f"/{level}/{document['_id']}"

    plain = [await api.get(one), (await api.get(f"/{level}", cohort=cohort))["items"][0]]
    assert plain[0] == plain[1]
    assert not [value for value in PATIENT.values() if value in json.dumps(plain)]
    assert "touched" not in plain[0]
    assert await api.audited(cohort) == []

    told = [await api.get(one, phi="true"), (await api.get(f"/{level}", cohort=cohort, phi="true"))["items"][0]]
    assert all(json.dumps(value) in json.dumps(whole) for value in PATIENT.values() for whole in told)
    assert await api.audited(cohort) == [f"get {level} with identifying fields", f"list {level} with identifying fields"]


async def test_every_field_that_the_table_calls_identifying_is_hidden(api: Api, cohort: str) -> None:
    fields = {field.name: f"SECRET {field.name}" for field in STANDARD.fields if field.phi}
    await put(api.store, studies=[a_study(cohort, **fields)])

    shown = await api.get(f"/studies/{cohort}/1")

    assert [name for name in fields if name in shown["fields"]] == []


async def test_a_sites_own_fields_are_hidden_unless_the_site_says_that_they_identify_nobody(api: Api, cohort: str) -> None:
    await put(api.store, studies=[a_study(cohort, ward="Ward 7", arm="placebo")])

    plain = await api.get(f"/studies/{cohort}/1")
    whole = await api.get(f"/studies/{cohort}/1", phi="true")

    assert [(one["fields"].get("ward"), one["fields"]["arm"]) for one in (plain, whole)] == [(None, "placebo"), ("Ward 7", "placebo")]


async def test_a_stack_tells_which_visit_its_study_is(api: Api, cohort: str) -> None:
    visit = {"number": 2, "days_since_first": 371}
    await put(api.store, studies=[{**a_study(cohort), "visit": visit}], stacks=[a_stack(cohort, "a")])

    assert (await api.get(f"/studies/{cohort}/1"))["visit"] == visit
    assert (await api.get(f"/stacks/{cohort}/1.2/a"))["visit"] == visit


async def test_what_is_not_plain_text_does_not_break_an_answer(api: Api, cohort: str) -> None:
    """Packed columns are bytes; times are shown as text."""
    now = await api.store.now()
    await put(api.store, stacks=[a_stack(cohort, "a", history=[{"version": "aa", "at": now}], geometry={"packed": b"\0\xff"})])

    assert (await api.get(f"/stacks/{cohort}/1.2/a"))["geometry"] == {}


async def test_the_overview_counts_a_cohort(api: Api, cohort: str) -> None:
    owed = {"classify": {"n": 1, "since": await api.store.now()}}
    await put(
        api.store,
        files=[a_file(cohort, "a"), a_file(cohort, "b", outcome=None), a_file(cohort, "c", outcome="rejected", reason="empty_file")],
        studies=[{**a_study(cohort), "owed": owed}],
        stacks=[a_stack(cohort, "a", failure={"stage": "preprocess"})],
    )

    told = await api.get("/status", cohort=cohort)

    assert told["counts"] == {"files": 3, "series": 0, "studies": 1, "subjects": 0, "stacks": 1}
    assert told["outcomes"] == {"extracted": 1, "unsettled": 1, "rejected": 1}
    assert told["owed"] == {"scan": 0, "read": 0, "settle": 0, "classify": 1, "preprocess": 0, "diff": 0, "apply": 0, "delete": 0}
    assert told["failures"] == {"preprocess": 1}
