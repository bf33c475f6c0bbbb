"""An explanation says the same as the verdict, names who lost, and what an axis without an answer lacked."""

import json

from classifier.fingerprints import a_dwi, a_fingerprint, a_tse, an_adc, an_mprage
from gyrus.classifier.core import Ruleset, classify_study, explain

STUDY = {
    "t1": an_mprage(),
    "dwi": a_dwi(sequence_name="*re_b1000#3"),
    "adc": an_adc(),
    "between": a_tse(echo_time=50, repetition_time=1000, series_description="mprage"),
    "ct": {"modality": "CT"},
}


def test_an_explanation_has_the_values_evidence_and_doubts_of_the_verdict(ruleset: Ruleset):
    verdicts, explained = classify_study(STUDY, ruleset), explain(STUDY, ruleset)

    for stack, verdict in verdicts.items():
        document = verdict.document()
        for axis, told in explained[stack].items():
            assert (told["value"], told["confidence"], told["evidence"]) == (
                document[axis],
                document["confidence"][axis],
                document["evidence"][axis],
            )
            assert told["doubts"] == [doubt.words for doubt in verdict.axes[axis].doubts]
            if "chosen" in [one["fate"] for one in told["rules"]]:
                lost = [one["value"] for one in told["rules"] if one["fate"] == "lost"]
                assert lost == [one["value"] for one in document["alternatives"][axis]]
    assert json.loads(json.dumps(explained)) == explained


def test_a_rule_that_spoke_and_did_not_win_says_why(ruleset: Ruleset):
    technique = explain(STUDY, ruleset)["between"]["technique"]

    assert {one["value"]: one["fate"] for one in technique["rules"]} == {
        "TSE": "chosen",
        "SE": "replaced by TSE, which says more",
        "MPRAGE": "forbidden: the tags show has_se",
    }
    assert [one["evidence"][0]["source"] for one in technique["rules"]] == ["HIGH_VALUE_TOKEN", "HIGH_VALUE_TOKEN", "TEXT_SEARCH"]


def test_the_best_value_that_lost_is_the_runner_up(ruleset: Ruleset):
    contradicted = a_tse(series_description="t1 tse", sequence_name="*tse2d1_15")
    base = explain({"s": contradicted}, ruleset)["s"]["base"]

    assert (base["value"], base["runner_up"]) == ("T2w", "T1w")
    assert [one["fate"] for one in base["rules"]] == ["chosen", "lost"]


def test_an_axis_without_an_answer_names_the_nearest_rule_and_what_was_measured(ruleset: Ruleset):
    spin_echo = a_tse(echo_time=50, repetition_time=1000)
    nearest = explain({"s": spin_echo}, ruleset)["s"]["base"]["nearest"]

    assert nearest["rule"] == "base.T2w"
    assert "has_se" in nearest["held"]
    assert [lacked for lacked in nearest["lacked"] if lacked.startswith("echo_time >") and lacked.endswith("(it is 50)")]


def test_a_header_that_says_nothing_is_near_to_nothing(ruleset: Ruleset):
    assert explain({"s": {"modality": "MR"}}, ruleset)["s"]["contrast"]["nearest"] is None


def test_an_axis_that_is_not_asked_says_why(ruleset: Ruleset):
    explained = explain({**STUDY, "map": a_fingerprint(image_type="DERIVED\\PRIMARY\\T1 MAP")}, ruleset)

    assert explained["ct"]["technique"]["silence"] == "only asked of MR, this is CT"
    assert explained["map"]["base"]["silence"] == "no value with construct=T1map"
    assert explained["t1"]["base"]["silence"] is None


def test_what_a_sibling_or_a_person_said_is_evidence_without_a_rule(ruleset: Ruleset):
    said = [{"stack": "t1", "axis": "technique", "value": "TSE"}]
    explained = explain(STUDY, ruleset, said)

    assert explained["adc"]["technique"]["evidence"][0]["source"] == "SIBLING_INFERENCE"
    assert explained["t1"]["technique"]["evidence"][0]["source"] == "correction"
    assert [one["fate"] for one in explained["t1"]["technique"]["rules"] if one["value"] == "MPRAGE"] != ["chosen"]


def test_explaining_changes_no_verdict(ruleset: Ruleset):
    before = classify_study(STUDY, ruleset)
    explain(STUDY, ruleset)

    assert classify_study(STUDY, ruleset) == before
