"""What is odd about a stack is said in sentences."""

import pytest

from gyrus.console.oddities import sentence_of_conflict, told

STACK = {
    "completeness": {"verdict": "incomplete", "reasons": ["missing_slices"], "words": ["Slice 2 of 5 is missing."]},
    "conflicts": [{"of": "series", "kind": "conflicting_files", "fields": ["flip_angle"], "n_files": 3}],
    "diagnostics": {"value_invalid:exposure": 2},
}


def test_what_is_odd_is_listed_with_its_place_and_count() -> None:
    assert told(STACK) == [
        {"what": "completeness", "odd": "Slice 2 of 5 is missing."},
        {"what": "conflict in the series", "odd": "The identifier of another file and other content: 3 files. What differs: flip_angle."},
        {"what": "2 × value_invalid", "odd": "exposure: a value is not of the form that its element must have, and was left out."},
    ]
    assert told({}) == []


@pytest.mark.parametrize(
    ("conflict", "said"),
    [
        (
            {"kind": "two_subjects", "subjects": ["c/S1", "c/S2"], "fields": [], "n_series": 1},
            "It names the subjects S1, S2; otherwise than most: 1 series.",
        ),
        (
            {"kind": "two_studies", "studies": ["c/1.2", "c/1.3"], "fields": ["study_date"], "n_files": 1},
            "Files of one series name the studies 1.2, 1.3: 1 file. What differs: study_date.",
        ),
    ],
)
def test_a_conflict_says_between_what_how_much_and_in_which_fields(conflict: dict[str, object], said: str) -> None:
    assert sentence_of_conflict(conflict) == said
