"""Subject codes from folders: which folder is a subject's, which code it has, and what is never taken for one."""

import csv
import io
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyrus.shared.errors import Misuse
from gyrus.shared.settings import Source
from gyrus.shared.subject_rules import rules_of_sources
from gyrus.shared.subjects import DEFAULT, Rule, check_pattern, code_of, folder_of, is_fit, parse_map, rule_of, stored


def a_rule(pattern: str | None = None, path: str = "", **more: Any) -> Rule:
    return Rule(source="inbox", path=path, pattern=pattern, **more)


def told(path: str, *rules: Rule) -> tuple[str | None, str | None]:
    """The subject folder of a file of the source `inbox`, and its code."""
    return folder_of(path, rules, "inbox"), code_of(path, rules, "inbox")


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("pattern", "path", "folder", "code"),
    [
        ("{subject}", "P1/t1/0.dcm", "P1", "P1"),
        ("{subject}", "P1/0.dcm", "P1", "P1"),
        ("{subject}", "0.dcm", None, None),
        ("/{subject}/", "P1/0.dcm", "P1", "P1"),
        ("{subject}/**", "P1/a/b/0.dcm", "P1", "P1"),
        ("{subject}/raw", "P1/raw/0.dcm", "P1", "P1"),
        ("{subject}/raw", "P1/other/0.dcm", None, None),
        ("{subject}/raw", "P1/raw", None, None),
        ("*/{subject}", "site/P1/t1/0.dcm", "site/P1", "P1"),
        ("*/{subject}", "site/0.dcm", None, None),
        ("raw/sub-{subject}", "raw/sub-01/ses-1/0.dcm", "raw/sub-01", "01"),
        ("raw/sub-{subject}", "raw/other/0.dcm", None, None),
        ("raw/sub-{subject}", "raw/sub-/0.dcm", None, None),
        ("sub-{subject}_*", "sub-01_a_b/0.dcm", "sub-01_a_b", "01"),
        ("*_{subject}", "a_b_01/0.dcm", "a_b_01", "b_01"),
        ("**/{subject}/dicom", "a/b/P1/dicom/dicom/0.dcm", "a/b/P1", "P1"),
        ("**/{subject}/dicom", "P1/dicom/0.dcm", "P1", "P1"),
        ("**/sub-{subject}", "a/sub-1/sub-2/0.dcm", "a/sub-1", "1"),
        ("a.b/{subject}", "axb/P1/0.dcm", None, None),
        ("{subject}", "P (1)/0.dcm", "P (1)", None),
        ("P ({subject})", "P (1)/0.dcm", "P (1)", "1"),
    ],
)
def test_a_pattern_says_which_folder_is_a_subject_and_which_part_of_its_name_is_the_code(
    pattern: str, path: str, folder: str | None, code: str | None
) -> None:
    assert told(path, a_rule(pattern)) == (folder, code)


@pytest.mark.parametrize(
    "name", ["DOE^JANE", "Doe, Jane", "Jane Doe", "Müller", "M%FCller", "-x", ".hidden", "x" * 65, "P1\n", "Sa753c95627089f64"]
)
def test_a_folder_with_a_name_that_is_no_fit_code_gives_none_but_stays_a_subject_folder(name: str) -> None:
    assert told(f"{name}/0.dcm", a_rule()) == (name, None)


@pytest.mark.parametrize("code", ["P1", "0", "sub-01", "x" * 64, "S12", "Sa753c95627089f6", "Sa753c95627089f64a", "Sample-of-sixteen"])
def test_letters_digits_dots_and_dashes_are_a_fit_code(code: str) -> None:
    assert is_fit(code)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "it must say {subject} once"),
        ("raw/*", "it must say {subject} once"),
        ("{subject}/{subject}", "it must say {subject} once"),
        ("{subject}/{visit}", "no other braces"),
        ("{Subject}", "it must say {subject} once"),
        ("a//{subject}", "a folder's name"),
        ("../{subject}", "a folder's name"),
        ("a**/{subject}", "alone between two slashes"),
        ("***/{subject}", "alone between two slashes"),
        ("*a*a*/{subject}", "at most two"),
        ("**/a/**/{subject}/**/b", "at most two"),
        ("a" * 1001 + "/{subject}", "more than 1000"),
    ],
)
def test_a_pattern_that_cannot_be_used_says_what_to_write(pattern: str, words: str) -> None:
    with pytest.raises(Misuse) as error:
        check_pattern(pattern)

    assert words in str(error.value)
    assert "Examples: {subject}, */{subject}, raw/sub-{subject}." in str(error.value)
    with pytest.raises(ValueError, match="subject pattern"):
        a_rule(pattern)


# ── several rules ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_rule_of_the_deepest_place_holds_even_where_it_gives_no_code() -> None:
    rules = (a_rule("{subject}"), a_rule("sub-{subject}", "trial"), a_rule("*/{subject}", "trial/old"))

    assert told("P1/0.dcm", *rules) == ("P1", "P1")
    assert told("trial/sub-7/0.dcm", *rules) == ("trial/sub-7", "7")
    assert told("trial/other/0.dcm", *rules) == (None, None)
    assert told("trial/old/site/9/0.dcm", *rules) == ("trial/old/site/9", "9")
    assert told("trial2/x/0.dcm", *rules) == ("trial2", "trial2")


def test_a_rule_of_another_source_says_nothing() -> None:
    assert rule_of("P1/0.dcm", [a_rule()], "outbox") is None
    assert code_of("P1/0.dcm", [a_rule()], "outbox") is None


def test_of_two_rules_of_one_place_the_first_holds() -> None:
    assert code_of("a/b/0.dcm", [a_rule("*/{subject}"), a_rule()], "inbox") == "b"


def test_a_source_of_the_settings_may_have_a_pattern_and_a_wrong_one_is_refused() -> None:
    sources = {"plain": Source.model_validate({"path": "/a"}), "inbox": Source.model_validate({"path": "/b", "subjects": "*/{subject}"})}

    assert rules_of_sources(sources) == (a_rule("*/{subject}"),)
    with pytest.raises(ValueError, match=r"Examples: \{subject\}"):
        Source.model_validate({"path": "/b", "subjects": "*"})


# ── maps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["raw/visit 1", "visit 1", "1"])
def test_a_map_is_asked_by_folder_by_its_own_name_and_by_what_the_pattern_took_from_it(key: str) -> None:
    rule = a_rule("*/visit {subject}", "trial", map={key: "P1"})

    assert told("trial/raw/visit 1/t1/0.dcm", rule) == ("trial/raw/visit 1", "P1")
    assert told("trial/raw/visit 2/t1/0.dcm", rule) == ("trial/raw/visit 2", None)


def test_the_longer_name_in_a_map_wins() -> None:
    assert code_of("b/x/0.dcm", [a_rule("*/{subject}", map={"x": "P1", "b/x": "P2"})], "inbox") == "P2"


def test_a_folder_whose_name_would_be_a_code_has_none_where_the_map_does_not_name_it() -> None:
    assert told("P7/0.dcm", a_rule(map={"P1": "A"})) == ("P7", None)


def test_a_map_of_codes_that_are_none_is_refused() -> None:
    with pytest.raises(ValueError, match="'Jane Doe', which is none: write letters"):
        a_rule(map={"x": "Jane Doe"})


def test_a_rule_comes_back_from_its_document_whatever_its_folders_are_called() -> None:
    rule = a_rule("*/{subject}", "p", map={"a.b/$c": "P1", "ü": "P2"})

    assert stored(rule.document()) == rule
    assert rule.document()["map"] == [["a.b/$c", "P1"], ["ü", "P2"]]
    assert stored(a_rule().document()) == a_rule()


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        'folder,subject\nvisit-1,P1\n"Doe, Jane",P2\n',
        '\ufefffolder;subject\r\nvisit-1;P1\r\n"Doe, Jane";P2\r\n',
        'Folder , Subject\n\n./visit-1/, P1 \n,\n"Doe, Jane",P2\n"Doe, Jane",P2',
    ],
)
def test_a_map_is_read_from_csv_as_spreadsheets_write_it(text: str) -> None:
    assert parse_map(text) == {"visit-1": "P1", "Doe, Jane": "P2"}


def test_several_folders_may_have_one_subject() -> None:
    assert parse_map("folder,subject\nvisit-1,P1\nvisit-2,P1\n") == {"visit-1": "P1", "visit-2": "P1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Line 1 of the subject map must be its header: folder,subject"),
        ("visit-1,P1\n", "Line 1 of the subject map must be its header"),
        ("folder,subject\n", "names no folder"),
        ("folder,subject\na,P1\nb\n", "Line 3 of the subject map has 1 columns"),
        ("folder,subject\nDoe, Jane,P1\n", "Line 2 of the subject map has 3 columns: write folder,subject and quote"),
        ("folder,subject\na,P1\n,P2\n", "Line 3 of the subject map names no folder"),
        ("folder,subject\na,Jane Doe\n", "Line 2 of the subject map gives the code 'Jane Doe', which is none"),
        ("folder,subject\na,\n", "Line 2 of the subject map gives the code ''"),
        ("folder,subject\na,P1\nb,P2\na/,P3\n", "Lines 2 and 4 of the subject map give one folder two codes"),
        ("folder,subject\na," + "x" * 200_000, "Line 2 of the subject map is no CSV"),
        ("folder,subject\n" + "\n".join(f"{n},P1" for n in range(100_001)), "names 100001 folders; at most 100000"),
    ],
    ids=range(11),
)
def test_a_map_that_cannot_be_used_says_in_which_line_and_what_to_write(text: str, words: str) -> None:
    with pytest.raises(Misuse) as error:
        parse_map(text)

    assert words in str(error.value)


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

LAW = settings(deadline=None)
NAMES = st.text("ab1-_. (%ü^", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
PARTS = st.sampled_from(["*", "**", "a", "a*", "*b*"])
SUBJECTS = st.sampled_from(["{subject}", "a{subject}", "{subject}*", "*{subject}b"])
PATTERNS = st.tuples(st.lists(PARTS, max_size=2), SUBJECTS, st.lists(PARTS, max_size=1)).map(lambda p: "/".join([*p[0], p[1], *p[2]]))
PATTERNS = PATTERNS.filter(lambda pattern: pattern.split("/").count("**") < 3)
CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(is_fit)


@LAW
@given(PATHS, st.none() | PATTERNS, st.sampled_from(["", "a", "a/b"]))
def test_a_subject_folder_lies_above_the_file_and_below_the_place_of_its_rule(path: str, pattern: str | None, place: str) -> None:
    folder, code = told(path, a_rule(pattern, place))

    if folder is None:
        assert code is None
    else:
        assert path.startswith(folder + "/")
        assert not place or folder.startswith(place + "/")
        assert code is None or (is_fit(code) and code in folder.rpartition("/")[2])


@LAW
@given(PATHS, st.sampled_from(["{subject}", "*/{subject}", "**/a{subject}", "a*/**/{subject}b"]), PATHS)
def test_all_files_of_a_subject_folder_are_of_one_subject(path: str, pattern: str, other: str) -> None:
    folder, code = told(path, a_rule(pattern))

    if folder is not None:
        assert told(f"{folder}/{other}", a_rule(pattern)) == (folder, code)


@LAW
@given(PATHS)
def test_the_default_is_the_first_folder_level(path: str) -> None:
    first, slash, _ = path.partition("/")

    assert folder_of(path, [a_rule()], "inbox") == folder_of(path, [a_rule(DEFAULT)], "inbox") == (first if slash else None)


PLACES = ["", "a", "a/b", "b", "b/a"]


@LAW
@given(PATHS, st.lists(st.tuples(st.sampled_from(PLACES), PATTERNS), unique_by=lambda rule: rule[0]), st.randoms(use_true_random=False))
def test_the_order_of_rules_of_different_places_does_not_matter(path: str, made: list[Any], chance: random.Random) -> None:
    rules = [a_rule(pattern, place) for place, pattern in made]
    shuffled = chance.sample(rules, len(rules))

    assert told(path, *shuffled) == told(path, *rules)


@LAW
@given(st.dictionaries(PATHS.filter(lambda path: path == path.strip()), CODES, min_size=1), st.sampled_from(",;"), st.booleans())
def test_a_map_that_was_written_is_read_and_gives_each_folder_its_code(codes: dict[str, str], comma: str, bom: bool) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=comma).writerows([("folder", "subject"), *codes.items()])

    read = parse_map("\ufeff" * bom + text.getvalue())

    assert read == codes
    for folder, code in codes.items():
        pattern = "/".join(["*"] * folder.count("/") + ["{subject}"])
        assert code_of(f"{folder}/0.dcm", [a_rule(pattern, map=read)], "inbox") == code
