"""What a person is asked to look at: conflicts, contradictions and doubt where it matters; never silence that is no loss."""

import json
from pathlib import Path

import pytest

from classifier.fingerprints import a_fingerprint, a_tse, an_mprage, document_of
from gyrus.classifier.core import Ruleset, classify_study
from gyrus.classifier.core.review import reasons_to_look

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "classification_vectors.jsonl"
COMPOSED = Path(__file__).with_name("composed_headers.jsonl")


def test_a_conflict_names_both_sides_and_is_told_apart_from_no_evidence(ruleset: Ruleset):
    conflict = document_of(a_tse(series_description="T1 tse"), ruleset)
    silent = document_of(a_fingerprint(), ruleset)

    assert conflict["review_kinds"] == ["conflict"]
    assert "base: the numbers say T2w (TE 100 ms, TR 4000 ms), the text says T1w (t1)" in conflict["review"]
    assert "conflict" not in silent["review_kinds"]
    assert {"base", "technique"} <= set(silent["no_evidence"])


def test_that_contrast_agent_and_body_part_are_unknown_or_vague_is_no_reason(ruleset: Ruleset):
    plain = document_of(an_mprage(), ruleset)
    vague = document_of(an_mprage(series_description="t1_mprage brain spine"), ruleset)

    assert {"contrast", "body_part"} <= set(plain["no_evidence"])
    assert (plain["review"], vague["review"]) == ([], [])


def test_a_text_that_names_two_weightings_of_one_acquisition_leaves_the_choice_to_the_numbers(ruleset: Ruleset):
    dual = document_of(a_tse(series_description="pd+t2 tse", echo_time=12), ruleset)

    assert (dual["base"], dual["review"]) == ("PDw", [])


def test_a_general_word_over_a_particular_value_contradicts_nothing(ruleset: Ruleset):
    spin_echo_epi = a_fingerprint(series_description="SE_EPI_AP", sequence_name="epse2d1_64", scanning_sequence="EP", echo_time=66)

    assert (document_of(spin_echo_epi, ruleset)["technique"], document_of(spin_echo_epi, ruleset)["review"]) == ("SE-EPI", [])


def test_a_person_s_word_is_not_doubted(ruleset: Ruleset):
    conflicting = a_tse(series_description="T1 tse")
    corrected = classify_study({"s": conflicting}, ruleset, [{"stack": "s", "axis": "base", "value": "T1w"}])["s"].document()

    assert not [reason for reason in corrected["review"] if reason.startswith("base")]


def test_an_axis_that_does_not_matter_for_the_intent_is_not_asked_about(ruleset: Ruleset):
    axes = classify_study({"s": an_mprage()}, ruleset)["s"].axes
    unsure = dict.fromkeys(axes, 0.5)

    of_anatomy = {reason.axis for reason in reasons_to_look(axes, unsure, {})}
    planning = {**axes, "intent": axes["intent"]._replace(value="localizer")}

    assert of_anatomy == {"intent", "base", "technique"}
    assert {reason.axis for reason in reasons_to_look(planning, unsure, {})} == {"intent"}


def test_a_weighting_that_its_technique_cannot_have_is_a_contradiction(ruleset: Ruleset):
    axes = classify_study({"s": an_mprage()}, ruleset)["s"].axes
    against = {**axes, "base": axes["base"]._replace(value="PDw", doubts=())}

    (reason,) = reasons_to_look(against, {}, {"MPRAGE": frozenset({"T1w"})})

    assert (reason.kind, reason.told) == ("contradiction", "base: the rest says PDw, which images of MPRAGE are not")


def test_stacks_with_the_same_evidence_in_doubt_are_one_group_whatever_was_measured(ruleset: Ruleset):
    one, alike, other = (
        document_of(a_tse(series_description=text, echo_time=te), ruleset)
        for text, te in (("T1 tse", 100), ("T1 tse tra", 96), ("PD tse", 100))
    )

    assert one["review_group"] == alike["review_group"] != other["review_group"]
    assert document_of(an_mprage(), ruleset)["review_group"] is None


@pytest.mark.parametrize("path", [VECTORS, COMPOSED], ids=["vectors", "composed"])
def test_few_headers_are_looked_at(path: Path, ruleset: Ruleset):
    if not path.exists():
        pytest.skip("the vectors are not kept here; they lie in ../shared/data where that is present")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    looked_at = [row for row in rows if document_of(row["fingerprint"], ruleset)["review"]]

    assert len(looked_at) / len(rows) <= 0.15
