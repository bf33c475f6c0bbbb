"""The document of a file: what it says now, what it said before it was gone, and which series must look at it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.stored import KEY, SHARED, a_document, a_header, a_rejection, gone, identity, what
from gyrus.dicom.reader import Header, Rejected
from gyrus.dicom.rejects import REJECT_REASONS, RETRYABLE
from gyrus.extractor.files import AGAIN_AFTER_S, replaced, subject_code, touched

CONTENT = ("size", "mtime_ns", "sop_instance_uid", "series", "study", "subject", "header", "image", "stacks", "digest", "outcome")
ANSWERS: list[Header | Rejected] = [
    a_header(),
    a_header(mtime_ns=2_000),
    a_header(series="1.3"),
    a_header(flip_angle=12.0),
    a_rejection(),
    a_rejection("unreadable"),
    gone(),
]


def after(*answers: Header | Rejected) -> dict[str, Any]:
    """The document after these answers, nobody settling in between."""
    document: dict[str, Any] = {}
    for answer in answers:
        document = a_document(answer, document or None)
    return document


def test_an_image_waits_for_its_outcome_and_a_rejection_has_it() -> None:
    image, rejected = a_document(a_header()), a_document(a_rejection())

    assert (image["outcome"], image["series"], image["unsettled"], image["rev"]) == (None, "c/1.2", ["c/1.2"], 1)
    assert (rejected["outcome"], rejected["reason"], rejected["rev"]) == ("rejected", "not_dicom", 1)
    assert "unsettled" not in rejected and "image" not in rejected


def test_a_file_that_says_the_same_does_not_move_but_knows_its_jobs() -> None:
    before = after(a_header()) | {"outcome": "extracted", "pixels": "aa"}

    document, moved = replaced(before, what(a_header()), identity(), "j2")

    assert not moved
    assert document == before | {"jobs": ["j1", "j2"]}


@pytest.mark.parametrize("answer", ANSWERS[1:])
def test_a_file_that_says_something_else_moves(answer: Header | Rejected) -> None:
    before = after(a_header())

    document, moved = replaced(before, what(answer), identity(), "j2")

    assert moved
    assert document["rev"] == before["rev"] + 1


def test_a_file_that_changed_forgets_what_was_settled_of_it() -> None:
    before = after(a_header()) | {"outcome": "conflicting", "differs": ["flip_angle"], "pixels": "aa"}

    document = a_document(a_header(mtime_ns=2_000), before)

    assert document["outcome"] is None
    assert not {"differs", "pixels"} & document.keys()


def test_a_file_that_is_gone_keeps_what_it_said() -> None:
    before = after(a_header()) | {"outcome": "extracted", "pixels": "aa"}

    document = a_document(gone(), before)

    assert document["gone"]
    assert {name: document[name] for name in (*CONTENT, "pixels")} == {name: before[name] for name in (*CONTENT, "pixels")}


def test_a_file_that_was_gone_before_anybody_read_it_is_rejected_as_vanished() -> None:
    document = a_document(gone())

    assert (document["outcome"], document["reason"], document["gone"], document["size"]) == ("rejected", "vanished", True, None)


def test_a_file_that_is_back_is_settled_anew() -> None:
    document = after(a_header(), gone(), a_header())

    assert not document["gone"]
    assert document["unsettled"] == ["c/1.2"]
    assert document["rev"] == 3


def test_a_file_that_changes_its_series_unsettles_both() -> None:
    before = after(a_header(series="1.2"))
    now = what(a_header(series="1.3"))

    assert touched(before, now) == {"c/1.2", "c/1.3"}
    assert a_document(a_header(series="1.3"), before)["unsettled"] == ["c/1.2", "c/1.3"]


def test_a_file_that_is_no_image_any_more_unsettles_the_series_that_it_had() -> None:
    document = after(a_header(), a_rejection())

    assert document["unsettled"] == ["c/1.2"]
    assert "series" not in document


def test_a_file_without_a_series_touches_none() -> None:
    assert touched(None, what(a_rejection())) == touched(None, what(gone())) == set()


@given(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=8))
def test_whatever_happens_rev_grows_with_each_move_and_no_series_is_forgotten(answers: list[Header | Rejected]) -> None:
    document: dict[str, Any] | None = None
    series: set[str] = set()
    for number, answer in enumerate(answers):
        before, now = document, what(answer)
        touching = touched(before, now)
        document, moved = replaced(before, now, identity(), f"j{number}")

        series |= {now.series} if now.series else set()
        assert document["rev"] == (before["rev"] if before else 0) + moved
        assert set(document.get("unsettled", ())) == series
        assert moved or touching == touched(before, what(answer)), "an unchanged file is looked at as well"
        assert document["jobs"] == sorted(f"j{n}" for n in range(number + 1))
        assert identity().items() <= document.items()
        assert document["gone"] == now.gone


@given(st.sampled_from(ANSWERS), st.sampled_from(ANSWERS))
def test_reading_the_same_again_moves_nothing_unless_it_was_refused_for_a_passing_reason(before: Any, answer: Any) -> None:
    document = after(before, answer)

    _, moved = replaced(document, what(answer), identity(), "j2")

    assert moved == (document.get("trouble", document.get("reason")) in RETRYABLE and not document["gone"])


@pytest.mark.parametrize("reason", sorted(RETRYABLE))
def test_a_file_that_cannot_be_read_for_a_while_keeps_what_it_said_and_is_tried_again(reason: str) -> None:
    before = after(a_header())

    document = after(a_header(), a_rejection(reason))

    said = ("image", "header", "series", "digest", "size", "mtime_ns", "outcome", "gone")
    assert {name: document[name] for name in said} == {name: before[name] for name in said}
    assert (document["trouble"], document["again"]) == (reason, 1)
    healed = after(a_header(), a_rejection(reason), a_header())
    assert not {"trouble", "again"} & healed.keys()


@pytest.mark.parametrize("reason", sorted(RETRYABLE))
def test_a_passing_reason_is_tried_again_five_times_and_then_no_more(reason: str) -> None:
    document: dict[str, Any] | None = None
    counts = []
    for _ in range(7):
        document = a_document(a_rejection(reason), document)
        counts.append(document.get("again"))
        if "again" not in document:
            break

    assert counts == [1, 2, 3, 4, 5, None]
    assert len(AGAIN_AFTER_S) == 5
    assert list(AGAIN_AFTER_S) == sorted(AGAIN_AFTER_S)


@pytest.mark.parametrize("reason", sorted(REJECT_REASONS.keys() - RETRYABLE - {"vanished"}))
def test_a_lasting_reason_is_not_tried_again(reason: str) -> None:
    assert "again" not in a_document(a_rejection(reason))


def test_the_count_of_tries_begins_anew_once_a_file_was_read() -> None:
    document = after(a_rejection("unreadable"), a_rejection("unreadable"), a_header(), a_rejection("unreadable"))

    assert document["again"] == 1


def test_a_file_that_went_while_it_waited_for_another_try_is_not_announced_for_ever() -> None:
    waiting = after(a_rejection("unreadable")) | {"again_at": "soon"}

    document = a_document(gone(), waiting)

    assert document["reason"] == "unreadable"
    assert not {"again", "again_at"} & document.keys()


# ── what a file says ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_with_a_shifted_header_says_the_same() -> None:
    one, copy = what(a_header(pixel_offset=300)), what(a_header(pixel_offset=900, mtime_ns=5))

    assert one.content["digest"] == copy.content["digest"]


@pytest.mark.parametrize("other", [{"flip_angle": 12.0}, {"instance_number": 9}, {"study": "2"}, {"echo_time": 7.5}])
def test_files_that_differ_in_a_field_have_different_digests(other: dict[str, Any]) -> None:
    assert what(a_header()).content["digest"] != what(a_header(**other)).content["digest"]


def test_what_was_odd_is_kept_on_the_file_and_changes_nothing_of_what_it_says() -> None:
    plain, odd = what(a_header()).content, what(a_header(diagnostics={"charset_fallback": 2})).content

    assert odd == plain | {"diagnostics": {"charset_fallback": 2}}


def test_a_file_moves_when_other_oddities_are_counted() -> None:
    answers = [what(a_header(diagnostics=odd)) for odd in ({}, {"charset_fallback": 1}, {"charset_fallback": 2})]

    for before in answers:
        document, _ = replaced(None, before, identity(), "j1")
        assert [replaced(document, now, identity(), "j2")[1] for now in answers] == [now is not before for now in answers]


def test_images_that_share_their_fields_share_one_block_of_them() -> None:
    blocks = [what(a_header(number)).header for number in range(3)]

    assert blocks[0] == blocks[1] == blocks[2]
    assert blocks[0] and blocks[0]["fields"] == SHARED | {"patient_id": "P1"}


def test_blocks_of_two_series_or_cohorts_are_two() -> None:
    assert what(a_header(series="1.2")).header != what(a_header(series="1.3")).header


# ── subjects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


IDS = st.text(min_size=4, max_size=12)


@given(IDS, st.none() | IDS, st.binary(min_size=16, max_size=32))
def test_a_subject_code_is_stable_and_keyed_and_shows_nothing_of_the_id(patient: str, issuer: str | None, key: bytes) -> None:
    shared = {"patient_id": patient, "issuer_of_patient_id": issuer, "patient_name": "DOE^JANE"}

    code = subject_code(shared, "1.2.3", key)

    assert code == subject_code(dict(reversed(shared.items())), "9.9", key), "one person in two studies is one subject"
    assert code[0] == "S" and len(code) == 17 and set(code[1:]) <= set("0123456789abcdef")
    assert code != subject_code(shared, "1.2.3", key + b"x")
    assert code != subject_code(shared | {"patient_id": patient + "x"}, "1.2.3", key)
    assert code != subject_code(shared | {"issuer_of_patient_id": (issuer or "") + "x"}, "1.2.3", key)


def test_the_code_of_a_known_id_is_the_same_in_every_version() -> None:
    assert subject_code({"patient_id": "P1"}, "1.2.3", KEY) == "Sa753c95627089f64"


@pytest.mark.parametrize("patient", [None, ""])
def test_without_an_id_each_study_is_a_subject(patient: str | None) -> None:
    shared = {"patient_id": patient, "patient_name": "DOE^JANE"}

    assert subject_code(shared, "1", KEY) == subject_code({}, "1", KEY)
    assert subject_code(shared, "1", KEY) != subject_code(shared, "2", KEY)


@pytest.mark.parametrize(
    ("patient", "code", "subject", "said_by"),
    [("P1", None, "c/Sa753c95627089f64", "patient_id"), (None, None, None, "study"), ("P1", "sub-01", "c/sub-01", "rule")],
)
def test_a_file_says_where_its_subject_comes_from(patient: str | None, code: str | None, subject: str | None, said_by: str) -> None:
    content = what(a_header(patient_id=patient), code).content

    assert content["subject_from"] == said_by
    assert subject is None or content["subject"] == subject
    assert "unmapped" not in content


def test_a_file_moves_when_a_rule_gives_it_a_code_or_takes_it_away_or_begins_to_hold() -> None:
    answers = [what(a_header(), code, unmapped) for code, unmapped in ((None, False), ("P1", False), ("P2", False), (None, True))]

    for before in answers:
        document, _ = replaced(None, before, identity(), "j1")
        moved = [replaced(document, now, identity(), "j2")[1] for now in answers]
        assert moved == [now is not before for now in answers]


def test_a_code_changes_nothing_of_what_an_image_says() -> None:
    assert what(a_header(), "P1").content["digest"] == what(a_header()).content["digest"]


def test_documents_bear_no_identity_beside_their_header_block() -> None:
    document = a_document(a_header(patient_id="P-4711", patient_name="DOE^JANE"))

    assert "4711" not in str(document) and "DOE" not in str(document)
